"""Refusals: the words, their order, and that none of them takes the id."""

import inspect
from typing import Any

import pytest
from django.test import Client

import activities.services.commands
import campaigns.services.programme
import loyalty.services.channels
import loyalty.services.sessions
from activities.contracts.es_loyalty.activities import Activities
from activities.contracts.es_loyalty.sessions import AnonymousSessions, Sessions
from activities.models import Activity
from loyalty.api.contract import refusal_of
from loyalty.errors import LoyaltyError
from loyalty.models import ApiKey
from tests.builders import make_member
from tests.contracts.es_loyalty.client import EsClient, refused

pytestmark = pytest.mark.django_db
USE_CASES = (
    activities.services.commands,
    campaigns.services.programme,
    loyalty.services.channels,
    loyalty.services.sessions,
)
EVERY_REFUSAL = [
    refusal
    for module in USE_CASES
    for _, refusal in inspect.getmembers(module, inspect.isclass)
    if issubclass(refusal, LoyaltyError) and refusal is not LoyaltyError
]
# As the page words them, with a body that calls for each.
TABLE: list[tuple[str, dict[str, Any]]] = [
    ("Provided business unit is not valid", {"businessUnit": "None such"}),
    ("Provided businessUnit is disabled", {"businessUnit": "Closed"}),
    ("LoyaltyId specified is not associated with this Account", {"loyaltyId": "1"}),
    ("Channel not found", {"channel": ""}),
    ("Action not found", {"action": "NONE"}),
    ("When not found", {"when": "soon"}),
    ("extendedData exceeds the allowed size", {"extendedData": [{}] * 21}),
]


@pytest.mark.parametrize("refusal", EVERY_REFUSAL, ids=lambda one: one.__name__)
@pytest.mark.parametrize("view", [Activities, Sessions, AnonymousSessions])
def test_every_refusal_of_the_use_cases_has_words(view, refusal):
    row = refusal_of(view.refusals, refusal("…"))

    assert row.status in {400, 401}
    assert row.words


@pytest.mark.parametrize(("words", "change"), TABLE)
def test_every_row_of_the_error_table_reads_word_for_word(
    client, payload, words, change
):
    refused(client.send(payload("survey", **change), "a-1"), words)


@pytest.mark.parametrize(("words", "change"), TABLE)
def test_a_refused_call_leaves_its_id_free(client, payload, words, change):
    refused(client.send(payload("survey", **change), "a-1"), words)

    assert client.send(payload("survey"), "a-1").status_code == 200
    assert Activity.objects.count() == 1


@pytest.mark.parametrize("place", range(len(TABLE) - 1))
def test_of_several_faults_the_upper_row_is_told(client, payload, place):
    faults: dict[str, Any] = {}
    for _, change in reversed(TABLE[place:]):
        faults |= change

    refused(client.send(payload("survey", **faults)), TABLE[place][0])


def test_a_known_id_is_told_before_any_fault_of_the_body(client, payload):
    client.send(payload("survey"), "a-1")

    for _, change in TABLE:
        refused(
            client.send(payload("survey", **change), "a-1"), "ActivityID already exists"
        )
    refused(client.send({}, "a-1"), "ActivityID already exists")


def test_a_repeated_success_reads_the_same_after_the_unit_was_disabled(
    client, payload, program
):
    client.send(payload("survey"), "a-1")
    program.businessunit_set.filter(code="grocery").update(is_enabled=False)

    refused(client.send(payload("survey"), "a-1"), "ActivityID already exists")


def test_an_id_is_known_in_every_session_and_of_every_member(client, payload, program):
    client.send(payload("survey"), "a-1")
    make_member(program, "other")
    client.open("other", {"correlationId": "s-2"}, "EXTERNAL_ID")
    client.open("anonymous", {"correlationId": "s-3"})

    for session in ("s-1", "s-2", "s-3"):
        refused(
            client.send(payload("survey"), "a-1", session), "ActivityID already exists"
        )
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "7247C5DC-3573-470B-9DF3-6D2D87E7116E",
        "%7B7247c5dc-3573-470b-9df3-6d2d87e7116e%7D",
        "7247c5dc-3573-470B-9df3-6d2d87e7116e",
    ],
)
def test_a_guid_is_the_same_in_any_case_and_with_braces(client, payload, spelling):
    client.send(payload("survey"), "7247c5dc-3573-470b-9df3-6d2d87e7116e")

    refused(client.send(payload("survey"), spelling), "ActivityID already exists")


def test_ids_that_are_no_guids_are_told_apart_by_case(client, payload):
    assert client.send(payload("survey"), "A-1").status_code == 200
    assert client.send(payload("survey"), "a-1").status_code == 200


@pytest.mark.parametrize(("length", "status"), [(128, 200), (129, 400)])
def test_an_id_has_at_most_128_characters(client, payload, length, status):
    assert client.send(payload("survey"), "x" * length).status_code == status


def test_the_session_is_looked_at_before_the_id(client, payload):
    client.send(payload("survey"), "a-1")

    refused(client.send(payload("survey"), "a-1", "unknown"), "Session not found")


def test_the_body_is_looked_at_before_the_session(client):
    response = client.send(b"{", "a-1", "unknown")

    assert response.json()["errorMessage"].startswith("The body is not JSON")


def test_the_key_is_looked_at_before_the_body(client):
    client.key = "wrong"

    refused(client.send(b"{"), "This API key is unknown.", 401, "UNAUTHORIZED")


# --- Idempotency-Key --------------------------------------------


def test_a_call_without_id_is_recorded_each_time(client, payload):
    client.send(payload("survey"))
    client.send(payload("survey"))

    assert Activity.objects.count() == 2


@pytest.mark.parametrize("activity_id", [None, "a-1"])
def test_an_idempotency_key_gives_the_first_answer_again(client, payload, activity_id):
    key = {"Idempotency-Key": '"8e03"'}

    first = client.send(payload("survey"), activity_id, **key)
    again = client.send(payload("survey"), activity_id, **{"Idempotency-Key": "8e03"})

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Activity.objects.count() == 1


def test_an_idempotency_key_of_another_request_is_refused(client, payload):
    key = {"Idempotency-Key": "8e03"}
    client.send(payload("survey"), **key)

    response = client.send(payload("survey", note="other"), **key)

    assert (response.status_code, response.json()["statusCode"]) == (422, 422)
    assert Activity.objects.count() == 1


def test_a_refused_call_leaves_its_idempotency_key_free(client, payload):
    key = {"Idempotency-Key": "8e03"}
    refused(client.send(payload("survey", when=""), **key), "When not found")

    assert client.send(payload("survey"), **key).status_code == 200


def test_an_idempotency_key_works_with_a_new_channel(client, payload):
    key = {"Idempotency-Key": "8e03"}

    first = client.send(payload("survey", channel="KIOSK"), **key)
    again = client.send(payload("survey", channel="KIOSK"), **key)

    assert (first.status_code, again.content) == (200, first.content)


# --- Everything that is not a success ---------------------------


def test_a_blocked_account_is_refused_in_its_session(client, payload, member):
    member.is_blocked = True
    member.save()

    refused(client.send(payload("survey")), "Account is not active")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"7", b"true"])
def test_a_body_that_is_no_object_is_refused(client, body):
    refused(client.send(body), "The request body must be a JSON object")


def test_no_body_at_all_is_an_empty_one(client):
    refused(client.send(b""), "Action not found")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{'a': 1}", "application/json", 400, "INVALID_REQUEST"),
        (b'{"a":1,"a":2}', "application/json", 400, "INVALID_REQUEST"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"<a/>", "text/xml", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 10_500_000, "application/json", 413, "REQUEST_TOO_LARGE"),
        (b'{"note":"\\u0000"}', "application/json", 400, "INVALID_REQUEST"),
        (b'{"note":"\\ud800"}', "application/json", 400, "INVALID_REQUEST"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_the_envelope(
    client, body, content_type, status, code
):
    response = client.send(body, **{"Content-Type": content_type})

    found = response.json()
    assert (response.status_code, found["statusCode"], found["errorCode"]) == (
        status,
        status,
        code,
    )
    assert set(found) == {"statusCode", "errorMessage", "errorCode"}


@pytest.mark.parametrize(
    "where",
    [
        "x",
        "",
        "s-1/activities/a/b",
        "s-1/offers",
        "s-1/activities/a%2Fb",
        "%00/sessions",
    ],
)
def test_an_unknown_path_is_answered_in_the_envelope(client, where):
    response = client.call(where, {})

    assert response["Content-Type"] == "application/json"
    assert response.json()["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "where", ["s-1/activities", "s-1/activities/a", "C-1/sessions"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_answered_with_allow(client, where, method):
    response = client.call(where, b"", method)

    assert response.json()["errorCode"] == "METHOD_NOT_ALLOWED"
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "where",
    ["s-1/activities", "s-1/activities/a", "C-1/sessions", "anonymous/sessions"],
)
def test_no_key_is_answered_401_with_a_challenge(where, program):
    response = Client().post(f"/client/users/{where}", b"{}", "application/json")

    refused(response, "Send an API key.", 401, "UNAUTHORIZED")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_is_answered_401(client, payload):
    ApiKey.objects.update(revoked=True)

    response = client.send(payload("survey"))

    refused(response, "This API key was revoked.", 401, "UNAUTHORIZED")


def test_a_key_of_a_disabled_program_is_answered_401(client, payload, program):
    program.is_enabled = False
    program.save()

    assert client.send(payload("survey")).json()["statusCode"] == 401


def test_too_many_calls_are_answered_429(client, payload, settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    response = client.send(payload("survey"))

    assert response.json()["errorCode"] == "TOO_MANY_REQUESTS"
    assert int(response["Retry-After"]) <= 60


def test_a_bug_is_answered_500_in_the_envelope_and_tells_nothing(
    client, payload, monkeypatch
):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("activities.contracts.es_loyalty.activities._action", fail)

    response = client.send(payload("survey"))

    assert response.json()["errorCode"] == "INTERNAL_ERROR"
    assert b"secret" not in response.content


def test_a_key_of_another_program_sees_none_of_this_ones(client, payload):
    from tests.builders import make_program

    other = EsClient(make_program())

    refused(other.send(payload("survey")), "Session not found")
