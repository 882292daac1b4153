"""Sessions: who is served, for how long, and under which name."""

from datetime import timedelta
from uuid import UUID

import pytest

from activities.models import Activity
from loyalty.models import Channel, ClientSession, Identity
from loyalty.services.sessions import forget_ended_sessions
from tests.builders import NOON, make_member, make_program
from tests.contracts.es_loyalty.client import EsClient, refused

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        pytest.param(None, "5f0c2d3e-0000-4000-8000-0000000000aa", id="default"),
        pytest.param("ACCOUNT_ID", "{5F0C2D3E-0000-4000-8000-0000000000AA}", id="GUID"),
        pytest.param("LOYALTY_ID", "6000222", id="card"),
        pytest.param("EXTERNAL_ID", "C-1", id="customer"),
        pytest.param("EMAIL", "Jo@Example.com", id="e-mail, any case"),
        pytest.param("phone_number", "+12125550100", id="phone, type in lower case"),
        pytest.param("PHONE_NUMBER", "1 (212) 555-0100", id="phone, no plus"),
        pytest.param("PHONE_NUMBER", "212-555-0100", id="phone, no country"),
    ],
)
def test_a_session_finds_its_account_by_every_type_of_identifier(
    client, payload, kind, identifier
):
    response = client.open(identifier, payload("session"), kind)

    assert response.status_code == 200
    body = response.json()
    assert body["accountId"] == "5f0c2d3e-0000-4000-8000-0000000000aa"
    assert body["correlationId"] == "7247c5dc-3573-470b-9df3-6d2d87e7116e"
    assert body["loyaltyId"] == ("6000222" if kind == "LOYALTY_ID" else "6000111")
    assert body["status"] == "ACTIVE"


def test_the_type_of_identifiers_without_header_is_the_programs(client, program):
    program.default_identifier_type = "LOYALTY_ID"
    program.save()

    response = client.open("6000111", {"correlationId": "s-2"})

    assert response.status_code == 200


@pytest.mark.parametrize("kind", ["PARTNER_LINK_ID", "EXTERNAL_AGENT_ID", "EMAIL"])
def test_an_unknown_identifier_is_refused(client, kind):
    refused(client.open("nobody", {}, kind), "Account not found")


def test_an_unknown_type_of_identifier_is_refused(client):
    refused(client.open("C-1", {}, "SHOE_SIZE"), "X-Identifier-Type is not valid")


def test_a_blocked_account_gets_no_session(client, program):
    make_member(program, "blocked", is_blocked=True)

    refused(client.open("blocked", {}, "EXTERNAL_ID"), "Account is not active")


def test_an_account_of_another_program_is_not_found(client):
    make_member(make_program(), "elsewhere")

    refused(client.open("elsewhere", {}, "EXTERNAL_ID"), "Account not found")


def test_an_account_gets_an_id_with_its_first_session_and_keeps_it(client, program):
    make_member(program, "new")

    first = client.open("new", {}, "EXTERNAL_ID").json()["accountId"]
    second = client.open("new", {}, "EXTERNAL_ID").json()["accountId"]

    assert first == second == str(UUID(first))
    again = client.open(first, {}, "ACCOUNT_ID")
    assert again.json()["accountId"] == first


def test_a_session_tells_the_balances(client, payload):
    client.send(payload("survey"))

    body = client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID").json()

    assert body["balances"] == {
        "loyalty": {"balance": 5, "pending": 0, "redeemable": 5}
    }


def test_a_session_by_phone_number_has_nothing_to_redeem(client, payload):
    client.send(payload("survey"))

    body = client.open("+12125550100", {"correlationId": "p-1"}, "PHONE_NUMBER").json()

    assert body["balances"]["loyalty"] == {"balance": 5, "pending": 0, "redeemable": 0}


def test_a_session_without_a_name_gets_a_guid(client):
    body = client.open("C-1", {}, "EXTERNAL_ID").json()

    assert str(UUID(body["correlationId"])) == body["correlationId"]
    assert ClientSession.objects.filter(correlation_id=body["correlationId"]).exists()


def test_the_name_of_a_session_is_the_same_in_any_spelling(client, payload):
    client.open("C-1", payload("session"), "EXTERNAL_ID")
    shouted = "%7B7247C5DC-3573-470B-9DF3-6D2D87E7116E%7D"

    response = client.send(payload("survey"), session=shouted)

    assert response.status_code == 200


def test_opening_a_session_again_gives_the_same_one(client):
    first = client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")
    second = client.open("6000111", {"correlationId": "s-1"}, "LOYALTY_ID")

    assert first.json() == second.json()
    assert ClientSession.objects.count() == 1


def test_the_name_of_anothers_session_is_refused(client, program):
    make_member(program, "other")
    words = "CorrelationID is in use by another session"

    refused(client.open("other", {"correlationId": "s-1"}, "EXTERNAL_ID"), words)
    refused(client.open("anonymous", {"correlationId": "s-1"}), words)


def test_two_programs_may_use_the_same_name(client, payload):
    other = make_program()
    make_member(other, "C-1")

    response = EsClient(other).open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")

    assert response.status_code == 200
    refused(EsClient(make_program()).send(payload("survey")), "Session not found")


def test_a_session_ends_24_hours_after_its_last_call(client, payload, frozen):
    frozen.shift(23 * HOURS)
    assert client.send(payload("survey")).status_code == 200
    frozen.shift(24 * HOURS - timedelta(seconds=1))
    assert client.send(payload("survey", when="2026-03-06")).status_code == 200

    frozen.shift(24 * HOURS)

    refused(client.send(payload("survey", when="2026-03-06")), "Session not found")


def test_a_refused_call_keeps_its_session_alive_too(client, payload, frozen):
    frozen.shift(23 * HOURS)
    refused(client.send({}), "Action not found")
    frozen.shift(23 * HOURS)

    assert client.send(payload("survey")).status_code == 200


def test_how_long_sessions_last_is_the_programs(client, program, payload, frozen):
    program.session_hours = 1
    program.save()
    client.open("C-1", {"correlationId": "short"}, "EXTERNAL_ID")

    frozen.shift(HOURS)

    refused(client.send(payload("survey"), session="short"), "Session not found")


def test_an_ended_session_is_opened_again_by_its_account_only(
    client, program, payload, frozen
):
    make_member(program, "other")
    frozen.shift(48 * HOURS)

    refused(
        client.open("other", {"correlationId": "s-1"}, "EXTERNAL_ID"),
        "CorrelationID is in use by another session",
    )
    client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")

    assert client.send(payload("survey")).status_code == 200


def test_sessions_are_forgotten_30_days_after_their_end(client):
    ends = NOON + 24 * HOURS

    assert forget_ended_sessions(at=ends + timedelta(days=30)) == 0
    assert forget_ended_sessions(at=ends + timedelta(days=30, seconds=1)) == 1


def test_a_session_takes_many_activities(client, payload):
    answers = [client.send(payload("survey"), f"a-{n}") for n in range(3)]

    assert [one.status_code for one in answers] == [200] * 3
    assert Activity.objects.count() == 3


@pytest.mark.parametrize(
    ("correlation_id"),
    [
        pytest.param(7, id="number"),
        pytest.param("x" * 129, id="long"),
        pytest.param([], id="list"),
        pytest.param(True, id="truth"),
    ],
)
def test_a_name_that_no_session_can_have_is_refused(client, correlation_id):
    response = client.open("C-1", {"correlationId": correlation_id}, "EXTERNAL_ID")

    refused(response, "correlationId is not valid")


@pytest.mark.parametrize("channel", [None, "", "  ", 7, "POS", "x" * 51])
def test_a_session_needs_a_channel_that_can_be(client, channel):
    response = client.open("C-1", {"channel": channel}, "EXTERNAL_ID")

    refused(response, "Channel not found")


def test_a_session_of_a_new_channel_lists_none(client, program):
    response = client.open("C-1", {"channel": "KIOSK"}, "EXTERNAL_ID")

    assert response.status_code == 200
    assert not Channel.objects.filter(code="KIOSK").exists()


def test_a_session_of_a_new_channel_is_refused_where_channels_are_closed(
    client, program
):
    program.has_closed_channels = True
    program.save()

    refused(
        client.open("C-1", {"channel": "KIOSK"}, "EXTERNAL_ID"), "Channel not found"
    )


def test_an_anonymous_session_says_so(client):
    response = client.open("anonymous", {"correlationId": "nobody-1"})

    assert response.json() == {
        "correlationId": "nobody-1",
        "loyaltyId": "anonymous",
        "membershipType": "N",
        "status": "NO_CARD",
        "isValid": True,
    }


def test_an_activity_of_nobody_is_kept_and_earns_nothing(client, payload):
    client.open("anonymous", {"correlationId": "nobody-1"})

    response = client.send(payload("survey", businessUnit=...), "x-1", "nobody-1")

    assert response.json()["earned"] == {}
    activity = Activity.objects.get()
    assert activity.member is None
    assert activity.anonymous_profile.anonymous_id == "nobody-1"


def test_a_session_needs_the_scope_to_write(program, member):
    client = EsClient(program, can_write=False)

    refused(
        client.open("C-1", {}, "EXTERNAL_ID"),
        "This API key has no write scope.",
        403,
        "FORBIDDEN",
    )


def test_identities_of_the_session_do_not_multiply(client):
    client.open("C-1", {"correlationId": "s-9"}, "EXTERNAL_ID")

    assert Identity.objects.filter(kind="account_id").count() == 1


@pytest.mark.parametrize("identifier", ["C-1", "anonymous"])
def test_an_idempotency_key_opens_one_session(client, identifier):
    key = {"Idempotency-Key": "8e03"}

    answers = [client.open(identifier, {}, "EXTERNAL_ID", **key) for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert ClientSession.objects.filter(opened_at=NOON).count() == 2  # and the client's
