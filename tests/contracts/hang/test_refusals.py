"""Refusals: every one has words, and everything reads in the vendor's envelope."""

import inspect

import pytest
from django.test import Client

import activities.services
import activities.services.commands
import campaigns.services.programme
import campaigns.services.taking_part
import loyalty.services.members
from activities.contracts.hang import urlpatterns
from activities.contracts.hang.contract import HangView
from activities.models import Activity
from loyalty.api.contract import refusal_of
from loyalty.errors import LoyaltyError
from loyalty.models import ApiKey
from tests.builders import make_type, make_wallet
from tests.contracts.hang.client import HangClient, refused

pytestmark = pytest.mark.django_db
USE_CASES = (
    activities.services,
    activities.services.commands,
    campaigns.services.programme,
    campaigns.services.taking_part,
    loyalty.services.members,
)
EVERY_REFUSAL = sorted(
    {
        refusal
        for module in USE_CASES
        for _, refusal in inspect.getmembers(module, inspect.isclass)
        if issubclass(refusal, LoyaltyError) and refusal is not LoyaltyError
    },
    key=lambda refusal: refusal.__name__,
)


@pytest.mark.parametrize("refusal", EVERY_REFUSAL, ids=lambda one: one.__name__)
def test_every_refusal_of_the_use_cases_has_words(refusal):
    row = refusal_of(HangView.refusals, refusal("…"))

    assert row.status in {400, 401, 403, 404, 409, 422}
    assert row.words


@pytest.mark.parametrize(
    ("status", "words", "change"),
    [
        (400, "Missing required parameters.", {"value": ...}),
        (404, "Could not find the activity type provided.", {"activity_type_id": "x"}),
        (400, "The activity type takes no negative value.", {"value": "-1"}),
        (
            400,
            "The transaction timestamp is in the future.",
            {"transaction_timestamp": 2_000_000_000},
        ),
    ],
)
def test_every_row_of_the_catalogue_reads_word_for_word(
    client, member, payload, status, words, change
):
    refused(client.record(member, payload("purchase", **change)), status, words)


def test_more_points_than_can_be_kept_are_422(client, program, member, payload):
    wallet = make_wallet(program, code="fine", decimals=4)
    make_type(program, "HUGE", points=10, wallet=wallet)
    body = {"activity_type_id": "HUGE", "value": "99999999999999"}

    refused(
        client.record(member, payload("purchase", **body)),
        422,
        "The activity is worth more than can be held.",
    )
    assert not Activity.objects.exists()


def test_a_blocked_membership_cannot_be_fulfilled(client, member, payload):
    member.is_blocked = True
    member.save()

    refused(
        client.record(member, payload("purchase")),
        422,
        "The program membership is not active.",
    )


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{'a': 1}", "application/json", 400),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b"<a/>", "text/xml", 415),
        (b"{}", "text/plain", 415),
        (b" " * 10_500_000, "application/json", 413),
        (b"a=" + b"x" * 10_500_000, "application/x-www-form-urlencoded", 413),
        (b'{"idempotency_key":"\\u0000"}', "application/json", 400),
        (b'{"idempotency_key":"\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_the_envelope(
    client, member, body, content_type, status
):
    response = client.record(member, body, **{"Content-Type": content_type})

    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert set(response.json()) == {"message"}
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    "where", ["", "x", "program-memberships/1/orders", "program-memberships/1/a/b/c"]
)
def test_an_unknown_path_is_answered_in_the_envelope(client, where):
    response = client.call("POST", where)

    assert (response.status_code, set(response.json())) == (404, {"message"})


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_answered_with_allow(client, member, method):
    response = client.call(method, f"program-memberships/{member.pk}/activities")

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert set(response.json()) == {"message"}


PATHS = [
    str(one.pattern).replace("<str:membership_id>", "1").replace("<str:quest_id>", "1")
    for one in urlpatterns
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_without_a_known_key_every_path_is_401_with_a_challenge(
    db, path, headers, method
):
    response = Client().generic(method, f"/{path}", headers=headers)

    assert response.status_code == 401
    assert response["WWW-Authenticate"]
    assert set(response.json()) == {"message"}


def test_the_key_of_another_vendor_s_header_is_not_read(client, member, payload):
    key, client.key = client.key, "x"

    response = client.record(member, payload("purchase"), Authorization=f"Bearer {key}")

    assert response.status_code == 401


def test_a_revoked_key_is_answered_401(client, member, payload):
    ApiKey.objects.update(revoked=True)

    refused(
        client.record(member, payload("purchase")), 401, "This API key was revoked."
    )


def test_a_key_of_a_disabled_program_is_answered_401(client, program, member, payload):
    program.is_enabled = False
    program.save()

    assert client.record(member, payload("purchase")).status_code == 401


def test_too_many_calls_are_answered_429(client, member, payload, settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    response = client.record(member, payload("purchase"))

    assert (response.status_code, set(response.json())) == (429, {"message"})
    assert int(response["Retry-After"]) <= 60


def test_a_bug_is_answered_500_in_the_envelope_and_tells_nothing(
    client, member, payload, monkeypatch
):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("activities.contracts.hang.activities.lines_in", fail)

    response = client.record(member, payload("purchase"))

    assert (response.status_code, set(response.json())) == (500, {"message"})
    assert b"secret" not in response.content


def test_answers_are_not_to_be_kept(client, member, payload):
    assert client.record(member, payload("purchase"))["Cache-Control"] == "no-store"


def test_a_key_that_may_only_write_reads_nothing(program, member):
    client = HangClient(program, can_read=False)

    assert client.opt_ins(member).status_code == 403
