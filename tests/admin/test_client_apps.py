"""What staff set up for client apps: keys, sessions, channels that were discovered."""

import re

import pytest
from django.test import Client

from loyalty.models import AccessToken, ApiKey, Channel, Program
from loyalty.services.channels import discover_channel
from tests.admin.forms import complaints, page, save
from tests.builders import make_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def browser(client, admin_user, program):
    client.force_login(admin_user)
    return client


def field(answer, name):
    return re.search(rf'value="([^"]+)" id="{name}"', answer.content.decode())[1]


def test_the_credentials_shown_once_get_a_token(browser):
    made = save(
        browser,
        page(ApiKey, "add"),
        name="shop",
        can_write="on",
        business_units=None,
    )

    client_id, secret = field(made, "client-id"), field(made, "client-secret")
    response = Client().generic(
        "POST",
        "/oauth/token",
        f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}",
        "application/x-www-form-urlencoded",
    )

    assert response.json()["scope"] == "read write"
    assert AccessToken.objects.get().api_key.name == "shop"
    key = ApiKey.objects.get()
    again = browser.get(page(ApiKey, "change", key.pk)).content.decode()
    assert client_id in again
    assert secret not in again


def test_the_rules_of_sessions_are_set_on_the_program(browser, program):
    answer = save(
        browser,
        page(Program, "change", program.pk),
        session_hours="2",
        default_identifier_type="LOYALTY_ID",
        default_channel="STORE",
        has_closed_channels="on",
    )

    assert answer.status_code == 302
    program.refresh_from_db()
    assert (program.session_hours, program.has_closed_channels) == (2, True)
    assert (program.default_identifier_type, program.default_channel) == (
        "LOYALTY_ID",
        "STORE",
    )
    revision = program.revisions.order_by("-number").first()
    assert "program" in revision.changed


def test_a_session_lasts_an_hour_at_least(browser, program):
    answer = save(browser, page(Program, "change", program.pk), session_hours="0")

    assert "A session lasts at least one hour." in complaints(answer)


def test_a_discovered_channel_is_marked_until_somebody_looked(browser, program):
    discover_channel(program.pk, "KIOSK")
    channel = Channel.objects.get()

    assert "To review" in browser.get(page(Channel, "changelist")).content.decode()
    save(browser, page(Channel, "change", channel.pk), name="Kiosk", needs_review=None)

    channel.refresh_from_db()
    assert not channel.needs_review
