"""The request and response tables of recording an activity, row by row."""

from datetime import timedelta

import orjson
import pytest
from django.test import Client

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account
from tests.builders import (
    NOON,
    make_campaign,
    make_item_list,
    make_member,
    make_program,
    make_type,
    make_unit,
)
from tests.contracts.hang.client import PATHS, HangClient, recorded, refused

pytestmark = pytest.mark.django_db
MISSING = "Missing required parameters."
SECONDS = int(NOON.timestamp())


def balance(member):
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def test_the_example_of_the_page_is_recorded_and_answered_word_for_word(
    client, member, payload
):
    response = client.record(member, payload("purchase"))

    assert response.content == b'{"idempotency_key":"unique-key-101"}'
    assert response.status_code == 200
    activity = Activity.objects.get()
    assert (activity.source, activity.key) == ("hang", "unique-key-101")
    assert activity.items == [
        {"item_id": "item_1", "value": "30", "group_id": "group_1"}
    ]
    assert balance(member) == 50


@pytest.mark.parametrize("path", PATHS)
def test_both_spellings_of_the_synchronous_path_are_served(
    client, member, payload, path
):
    recorded(client.record(member, payload("purchase"), path))

    assert balance(member) == 50


@pytest.mark.parametrize("header", ["X-API-Key", "X-API-KEY", "x-api-key"])
def test_the_key_is_read_from_its_header_in_any_case(client, member, payload, header):
    response = Client().post(
        f"/partner-api/v2/program-memberships/{member.pk}/activities",
        orjson.dumps(payload("purchase")),
        "application/json",
        headers={header: client.key},
    )

    recorded(response)


@pytest.mark.parametrize(
    "key", ["k", "x" * 255, "!~", "8e03978e-40d5-43dd-bc93-6894a57f9324"]
)
def test_an_idempotency_key_of_1_to_255_visible_characters_is_echoed(
    client, member, payload, key
):
    recorded(client.record(member, payload("purchase", key=key)), key)


@pytest.mark.parametrize("key", ["x" * 256, "a b", "é", "a\tb", ["a"], {}, True, 1.5])
def test_another_idempotency_key_is_refused(client, member, payload, key):
    response = client.record(member, payload("purchase", key=key))

    assert response.status_code == 400
    assert response.json()["message"].startswith("Invalid parameter idempotency_key")


@pytest.mark.parametrize("key", ["", " ", ...])
def test_a_missing_idempotency_key_is_refused(client, member, payload, key):
    body = payload("purchase")
    del body["idempotency_key"]
    if key is not ...:
        body["idempotency_key"] = key

    refused(client.record(member, body), 400, MISSING)


@pytest.mark.parametrize("name", ["activity_type_id", "value", "transaction_timestamp"])
@pytest.mark.parametrize("value", [..., None, ""], ids=["absent", "null", "blank"])
def test_every_required_member_of_the_activity_is_required(
    client, member, payload, name, value
):
    refused(client.record(member, payload("purchase", **{name: value})), 400, MISSING)
    assert not Activity.objects.exists()


@pytest.mark.parametrize("body", [{}, {"idempotency_key": "k"}, [], "x", None, 7])
def test_a_body_without_an_activity_is_refused(client, member, body):
    refused(client.record(member, orjson.dumps(body)), 400, MISSING)


@pytest.mark.parametrize("activity", [[], "x", 7, True])
def test_an_activity_that_is_no_object_is_refused(client, member, activity):
    body = {"idempotency_key": "k", "activity": activity}

    response = client.record(member, body)

    assert response.status_code == 400
    assert "activity" in response.json()["message"]


def test_an_unknown_activity_type_is_404(client, member, payload):
    refused(
        client.record(member, payload("purchase", activity_type_id="unknown")),
        404,
        "Could not find the activity type provided.",
    )


def test_an_activity_type_may_be_sent_as_a_number(client, program, member, payload):
    make_type(program, "7")

    recorded(client.record(member, payload("purchase", activity_type_id=7)))


@pytest.mark.parametrize(
    ("value", "points"),
    [
        pytest.param("50", 50, id="text as on the page"),
        pytest.param(50, 50, id="number"),
        pytest.param("12.9999", 12, id="four decimals, rounded down"),
        pytest.param(0, 0, id="zero"),
        pytest.param("007", 7, id="leading zeros"),
        pytest.param("99999999999999.9999", 99_999_999_999_999, id="14 digits"),
    ],
)
def test_value_is_text_or_a_number_with_at_most_four_decimals(
    client, member, payload, value, points
):
    recorded(client.record(member, payload("purchase", value=value)))

    assert balance(member) == points


@pytest.mark.parametrize(
    "value",
    [
        "1e3",
        "5 0",
        "\u0665\u0660",
        "12.34567",
        "1" * 15,
        "NaN",
        "Infinity",
        "+-5",
        ".",
        "5,0",
        "0x10",
        "1_000",
        True,
        [5],
        {"a": 1},
    ],
)
def test_surprising_values_are_refused(client, member, payload, value):
    response = client.record(member, payload("purchase", value=value))

    assert response.status_code == 400
    assert response.json()["message"].startswith("Invalid parameter activity.value")
    assert not Activity.objects.exists()


@pytest.mark.parametrize("literal", [b"1e14", b"5.12345", b"50.0e-6"])
def test_a_number_that_is_too_large_or_too_fine_is_refused(
    client, member, payload, literal
):
    raw = orjson.dumps(payload("purchase")).replace(b'"50"', literal)

    assert client.record(member, raw).status_code == 400


def test_a_decimal_number_is_read_exactly(client, member, payload):
    raw = orjson.dumps(payload("purchase")).replace(b'"50"', b"1.1")

    recorded(client.record(member, raw))

    assert str(Activity.objects.get().value) == "1.1000"


def test_a_negative_value_needs_a_type_that_allows_it(client, program, member, payload):
    make_type(program, "RETURN", allows_negative_value=True)

    refused(
        client.record(member, payload("purchase", value="-5")),
        400,
        "The activity type takes no negative value.",
    )
    recorded(
        client.record(
            member, payload("purchase", value="-5", activity_type_id="RETURN")
        )
    )
    assert balance(member) == 0


@pytest.mark.parametrize("moment", [SECONDS, str(SECONDS)], ids=["number", "digits"])
def test_the_timestamp_is_epoch_seconds(client, member, payload, moment):
    recorded(client.record(member, payload("purchase", transaction_timestamp=moment)))

    activity = Activity.objects.get()
    assert activity.occurred_at == NOON
    assert activity.occurred_at_text == str(SECONDS)
    assert not activity.zone_assumed


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (10**11 + 1, "milliseconds"),
        (SECONDS * 1000, "milliseconds"),
        (0, "above zero"),
        (-1, "above zero"),
        ("2026-03-04T12:00:00Z", "in seconds"),
        ("soon", "in seconds"),
        ("\u0665", "in seconds"),
        (True, "seconds"),
        ([5], "seconds"),
        (10**18, "milliseconds"),
    ],
)
def test_a_timestamp_that_is_none_is_refused(client, member, payload, moment, words):
    response = client.record(member, payload("purchase", transaction_timestamp=moment))

    assert response.status_code == 400
    assert words in response.json()["message"]


def test_a_timestamp_up_to_an_hour_ahead_is_accepted(client, member, payload):
    edge, beyond = SECONDS + 3600, SECONDS + 3601

    recorded(client.record(member, payload("purchase", transaction_timestamp=edge)))
    refused(
        client.record(
            member, payload("purchase", key="other", transaction_timestamp=beyond)
        ),
        400,
        "The transaction timestamp is in the future.",
    )


def test_an_activity_older_than_the_program_accepts_is_refused(
    client, program, member, payload
):
    program.acceptance_days = 1
    program.save()

    refused(
        client.record(
            member, payload("purchase", transaction_timestamp=SECONDS - 86_401)
        ),
        400,
        "The transaction timestamp is too long ago.",
    )


@pytest.mark.parametrize("hours", [24, 24.01], ids=["exactly", "more than"])
def test_an_activity_more_than_24_hours_old_is_late_and_pays(
    client, member, payload, hours
):
    moment = int(SECONDS - hours * 3600)

    recorded(client.record(member, payload("purchase", transaction_timestamp=moment)))

    assert Activity.objects.get().is_late == (hours > 24)
    assert balance(member) == 50


@pytest.mark.parametrize("items", [..., [], None])
def test_no_line_items_and_an_empty_list_are_the_same(client, member, payload, items):
    recorded(client.record(member, payload("purchase", line_items=items)))

    assert Activity.objects.get().items == []


def test_line_items_need_not_add_up_to_the_value(client, member, payload):
    items = [{"item_id": "a", "value": 30}, {"item_id": "a", "value": "30.5"}]

    recorded(client.record(member, payload("purchase", value="50", line_items=items)))

    assert balance(member) == 50
    assert [one["value"] for one in Activity.objects.get().items] == ["30", "30.5"]


def test_line_items_meet_the_products_of_campaigns(client, program, member, payload):
    make_campaign(program, points=7, item_list=make_item_list(program, ["item_1"]))

    recorded(client.record(member, payload("purchase")))

    assert balance(member) == 57


@pytest.mark.parametrize(
    ("item", "words"),
    [
        pytest.param({"value": 30}, MISSING, id="no item id"),
        pytest.param({"item_id": "", "value": 30}, MISSING, id="blank item id"),
        pytest.param({"item_id": "a"}, MISSING, id="no value"),
        pytest.param({"item_id": "a", "value": "x"}, "line_items[0].value", id="text"),
        pytest.param({"item_id": "x" * 101, "value": 1}, "item_id", id="long item id"),
        pytest.param(
            {"item_id": "a", "value": 1, "group_id": {}}, "group_id", id="group"
        ),
        pytest.param("text", "line_items[0]", id="text"),
        pytest.param(7, "line_items[0]", id="number"),
    ],
)
def test_a_line_item_that_cannot_be_read_is_refused(
    client, member, payload, item, words
):
    response = client.record(member, payload("purchase", line_items=[item]))

    assert response.status_code == 400
    assert words in response.json()["message"]
    assert not Activity.objects.exists()


def test_a_line_item_may_be_json_text_as_the_swagger_types_it(client, member, payload):
    items = ['{"item_id": "item_1", "value": 30, "group_id": "group_1"}']

    recorded(client.record(member, payload("purchase", line_items=items)))
    again = client.record(member, payload("purchase"))

    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("items", ["x", 7, {"a": 1}, True])
def test_line_items_that_are_no_list_are_refused(client, member, payload, items):
    assert (
        client.record(member, payload("purchase", line_items=items)).status_code == 400
    )


def test_at_most_1000_line_items_are_taken(client, member, payload):
    items = [{"item_id": "a", "value": 1}] * 1_001

    assert (
        client.record(member, payload("purchase", line_items=items)).status_code == 400
    )
    recorded(client.record(member, payload("purchase", line_items=items[1:])))


def test_members_that_the_contract_does_not_know_are_ignored(client, member, payload):
    body = payload("purchase", note="x")
    body["source"] = "pos"

    recorded(client.record(member, body))


@pytest.mark.parametrize("membership", ["membership_id_1", "0", "9" * 30, "%00", "-1"])
def test_an_unknown_membership_is_404(client, payload, membership):
    response = client.record(membership, payload("purchase"))

    assert response.status_code == 404
    assert set(response.json()) == {"message"}


def test_the_id_of_a_membership_is_text_and_zeros_before_it_make_another(
    client, member, payload
):
    response = client.record(f"0{member.pk}", payload("purchase"))

    refused(response, 404, "Could not find the program membership provided.")


def test_a_membership_of_another_program_is_unknown(client, payload):
    stranger = make_member(make_program())

    refused(
        client.record(stranger, payload("purchase")),
        404,
        "Could not find the program membership provided.",
    )


def test_points_are_there_at_once_and_the_ledger_adds_up(client, member, payload):
    client.record(member, payload("purchase"))

    assert balance(member) == 50
    assert list(ledger_mismatches()) == []


def test_a_key_bound_to_one_unit_records_under_it(program, member, payload):
    unit = make_unit(program)
    client = HangClient(program, units=[unit])

    recorded(client.record(member, payload("purchase")))

    assert Activity.objects.get().business_unit == unit


def test_a_key_bound_to_several_units_cannot_say_which(program, member, payload):
    units = [make_unit(program), make_unit(program, "garden")]
    client = HangClient(program, units=units)

    assert client.record(member, payload("purchase")).status_code == 403


def test_a_key_that_may_only_read_cannot_record(program, member, payload):
    client = HangClient(program, can_write=False)

    assert client.record(member, payload("purchase")).status_code == 403


def test_received_at_is_the_arrival_of_the_request(client, member, payload, frozen):
    frozen.shift(timedelta(hours=2))

    client.record(member, payload("purchase"))

    assert Activity.objects.get().received_at == NOON + timedelta(hours=2)


def test_the_key_of_another_program_is_a_key_of_its_own(client, member, payload):
    recorded(client.record(member, payload("purchase")))
    elsewhere = make_program()
    make_type(elsewhere, "activity_type_1")
    other = HangClient(elsewhere)

    response = recorded(other.record(make_member(elsewhere), payload("purchase")))

    assert "Idempotency-Replayed" not in response
