"""Replays: the first answer again, whatever has changed since."""

from datetime import timedelta

import orjson
import pytest

from activities.models import Activity
from loyalty.models import Account, ActivityType
from tests.builders import make_member, make_type
from tests.contracts.hang.client import FORM, PATHS, recorded, refused

pytestmark = pytest.mark.django_db
OTHER = "The idempotency key was used for a different activity."


def balance(member):
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def test_a_repeated_request_is_answered_like_the_first_and_counts_once(
    client, member, payload
):
    first = recorded(client.record(member, payload("purchase")))
    again = recorded(client.record(member, payload("purchase")))

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert (Activity.objects.count(), balance(member)) == (1, 50)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"value": 50}, id="a number instead of text"),
        pytest.param({"value": "50.00"}, id="with decimals"),
        pytest.param({"transaction_timestamp": "1772625600"}, id="digits"),
        pytest.param({"note": "ignored"}, id="an unknown member"),
    ],
)
def test_the_same_request_spelled_otherwise_is_a_replay(
    client, member, payload, change
):
    client.record(member, payload("purchase"))

    again = recorded(client.record(member, payload("purchase", **change)))

    assert again["Idempotency-Replayed"] == "true"
    assert balance(member) == 50


def test_another_order_of_members_and_white_space_is_a_replay(client, member, payload):
    body = payload("purchase")
    client.record(member, body)
    turned = dict(reversed(body.items()))
    turned["activity"] = dict(reversed(body["activity"].items()))

    raw = orjson.dumps(turned, option=orjson.OPT_INDENT_2)
    again = recorded(client.record(member, raw))

    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("path", PATHS)
def test_a_replay_on_another_spelling_of_the_path_is_a_replay(
    client, member, payload, path
):
    client.record(member, payload("purchase"))

    again = recorded(client.record(member, payload("purchase"), path))

    assert again["Idempotency-Replayed"] == "true"


def test_a_replay_as_a_form_is_a_replay(client, member, payload):
    client.record(member, payload("purchase", line_items=...))
    form = (
        b"idempotency_key=unique-key-101&activity[value]=50"
        b"&activity[activity_type_id]=activity_type_1"
        b"&activity[transaction_timestamp]=1772625600"
    )

    again = recorded(client.record(member, form, **{"Content-Type": FORM}))

    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    "change",
    [
        {"value": "51"},
        {"transaction_timestamp": 1772625601},
        {"line_items": []},
        {"line_items": [{"item_id": "item_1", "value": 30, "group_id": "other"}]},
        {"activity_type_id": "OTHER"},
    ],
)
def test_the_same_key_with_another_payload_is_422(
    client, program, member, payload, change
):
    make_type(program, "OTHER")
    client.record(member, payload("purchase"))

    refused(client.record(member, payload("purchase", **change)), 422, OTHER)
    assert balance(member) == 50


def test_the_same_key_for_another_membership_is_422(client, program, member, payload):
    client.record(member, payload("purchase"))

    refused(client.record(make_member(program), payload("purchase")), 422, OTHER)


@pytest.mark.parametrize(
    "fault", [{"value": "x"}, {"activity_type_id": "unknown"}, {"value": "-1"}]
)
def test_a_refused_request_leaves_its_key_free(client, member, payload, fault):
    assert client.record(member, payload("purchase", **fault)).status_code >= 400

    response = recorded(client.record(member, payload("purchase")))

    assert "Idempotency-Replayed" not in response


def test_a_replay_is_answered_however_late_it_comes(
    client, program, member, payload, frozen
):
    program.acceptance_days = 1
    program.save()
    client.record(member, payload("purchase"))
    frozen.shift(timedelta(days=700))

    again = recorded(client.record(member, payload("purchase")))

    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("what", ["the type is renamed", "the member is blocked"])
def test_a_replay_is_answered_whatever_became_of_it(client, member, payload, what):
    client.record(member, payload("purchase"))
    if what == "the type is renamed":
        ActivityType.objects.update(code="renamed")
    else:
        member.is_blocked = True
        member.save()

    again = recorded(client.record(member, payload("purchase")))

    assert again["Idempotency-Replayed"] == "true"
    assert balance(member) == 50


def test_the_answer_stays_closed_on_a_replay(client, member, payload):
    client.record(member, payload("purchase"))

    assert client.record(member, payload("purchase")).content == (
        b'{"idempotency_key":"unique-key-101"}'
    )


def test_a_request_for_a_type_disabled_since_is_still_answered_like_the_first(
    client, member, payload, program
):
    recorded(client.record(member, payload("purchase")))
    ActivityType.objects.filter(program=program).update(is_enabled=False)

    again = recorded(client.record(member, payload("purchase")))

    assert again["Idempotency-Replayed"] == "true"


def test_a_disabled_type_is_refused_like_an_unknown_one_and_leaves_the_key(
    client, member, payload, program
):
    types = ActivityType.objects.filter(program=program)
    types.update(is_enabled=False)

    refused(
        client.record(member, payload("purchase")),
        404,
        "Could not find the activity type provided.",
    )
    assert not Activity.objects.exists()

    types.update(is_enabled=True)
    first = recorded(client.record(member, payload("purchase")))
    assert "Idempotency-Replayed" not in first
