"""Guessing passwords: locked out by name and by address, each by itself."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.builders import make_program
from tests.callers import caller_for

pytestmark = pytest.mark.django_db
ADDRESSES = [f"203.0.113.{place}" for place in range(1, 14)]
NAMES = [f"guess-{place}" for place in range(13)]


@pytest.fixture(autouse=True)
def ann(db):
    return User.objects.create_user("ann", password="secret words", is_staff=True)


def sign_in(name="ann", address="203.0.113.1", password="wrong"):
    form = {"username": name, "password": password}
    return Client().post(reverse("admin:login"), form, REMOTE_ADDR=address).status_code


def test_one_name_from_many_addresses_is_locked():
    answers = [sign_in(address=address) for address in ADDRESSES]

    assert answers[-1] == 429
    assert sign_in(address="198.51.100.9", password="secret words") == 429


def test_many_names_from_one_address_lock_the_address():
    answers = [sign_in(name) for name in NAMES]

    assert answers[-1] == 429
    assert sign_in(address="198.51.100.9", password="secret words") == 302


def test_a_locked_name_opens_no_session_over_the_api():
    for address in ADDRESSES:
        sign_in(address=address)
    api = caller_for(make_program())
    credentials = {"username": "ann", "password": "secret words"}

    refused = api.post("login-sessions", {"staff": credentials})

    assert refused.status_code == 422
    assert refused.json()["code"] == "unknown_staff"
