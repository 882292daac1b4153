"""The pages of people not known yet tell what became of them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from activities.services import record_activities
from loyalty.models import AnonymousProfile
from tests.builders import NOON, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program(retro_points="all")
    make_type(program)
    return program


@pytest.fixture
def seen(program):
    record_activities(
        program.pk, [purchase(None, "5", anonymous_id="cookie-1")], now=NOON
    )
    return AnonymousProfile.objects.get()


def become_known(program):
    make_member(program, "jo")
    record_activities(
        program.pk,
        [purchase("jo", "1", anonymous_id="cookie-1")],
        now=NOON + timedelta(hours=1),
    )


def text_of(admin_client, row):
    meta = row._meta
    name = f"admin:{meta.app_label}_{meta.model_name}_change"
    return admin_client.get(reverse(name, args=[row.pk])).content.decode()


def test_somebody_not_known_yet_is_told_so(admin_client, seen):
    text = text_of(admin_client, seen)

    assert "Not known yet" in text
    assert "Became a member" not in text


def test_a_profile_tells_whose_it_became_and_what_that_earned(
    admin_client, program, seen
):
    become_known(program)

    text = text_of(admin_client, seen)

    assert "Became a member" in text
    assert ">jo</a>" in text
    assert "1 became the member" in text
    assert "Everything. 1 were decided anew." in text


def test_an_activity_that_earned_late_says_so(admin_client, program, seen):
    become_known(program)

    text = text_of(admin_client, seen.activities.order_by("pk").first())

    assert "It earned when the person became known" in text
    assert "cookie-1" in text


@pytest.mark.parametrize(("fate", "is_listed"), [("known", False), ("unknown", True)])
def test_profiles_are_found_by_their_fate(admin_client, seen, fate, is_listed):
    page = reverse("admin:loyalty_anonymousprofile_changelist")

    text = admin_client.get(page, {"fate": fate}).content.decode()

    assert ("cookie-1" in text) == is_listed
