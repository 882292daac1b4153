"""Every member of an item: what is needed, what is refused, how it is read."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.models import Activity
from loyalty.engine.periods import Unit
from loyalty.models import Account, FrequencyPeriod, Identity, Member, Program
from tests.builders import NOON, make_type
from tests.contracts.netcore.client import accepted, failed, faults_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("activity_name", "Missing Parameter - Activity Name"),
        ("asset_id", "Missing Parameter - Asset Id"),
        ("timestamp", "Missing Parameter - Timestamp"),
        ("identity", "Missing Parameter - Identity"),
        ("activity_source", "Missing Parameter - Activity Source"),
        ("activity_params", "Missing Parameter - Activity Params"),
    ],
)
@pytest.mark.parametrize("value", [..., None], ids=["left out", "null"])
def test_a_missing_parameter_is_named_in_the_words_of_the_page(
    client, item, name, words, value
):
    response = failed(client.upload(item(**{name: value})), 400, words)

    assert faults_of(response) == [(0, name, "MISSING_PARAMETER")]
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    "name", ["activity_name", "asset_id", "timestamp", "activity_source", "identity"]
)
def test_blanks_alone_are_a_missing_parameter(client, item, name):
    response = client.upload(item(**{name: "  "}))

    assert faults_of(response) == [(0, name, "MISSING_PARAMETER")]


@pytest.mark.parametrize(
    "name", ["activity_name", "asset_id", "timestamp", "activity_source"]
)
@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["x"]])
def test_what_is_no_text_is_refused(client, item, name, value):
    assert faults_of(client.upload(item(**{name: value}))) == [
        (0, name, "INVALID_TYPE")
    ]


@pytest.mark.parametrize("value", ["{}", 1, [], [{}], False])
def test_params_that_are_no_object_are_refused(client, item, value):
    assert faults_of(client.upload(item(activity_params=value))) == [
        (0, "activity_params", "INVALID_TYPE")
    ]


@pytest.mark.parametrize(
    ("name", "longest"),
    [("activity_name", 100), ("asset_id", 255), ("identity", 255), ("annonid", 255)],
)
def test_texts_have_a_longest_length(client, item, name, longest):
    accepted(client.upload(item(**{name: "x" * longest})))

    response = client.upload(item(**{name: "x" * (longest + 1)}))

    assert faults_of(response) == [(0, name, "TOO_LONG")]


def test_every_fault_of_an_item_is_told_at_once(client, item):
    body = item(activity_name=..., asset_id=5, timestamp="soon", activity_params=[])

    assert faults_of(client.upload(body)) == [
        (0, "activity_name", "MISSING_PARAMETER"),
        (0, "asset_id", "INVALID_TYPE"),
        (0, "timestamp", "INVALID_TIMESTAMP"),
        (0, "activity_params", "INVALID_TYPE"),
    ]


@pytest.mark.parametrize("body", [1, "x", None, [], [[]], True])
def test_an_item_that_is_no_object_is_refused(client, item, body):
    response = client.upload([item(), body])

    assert faults_of(response, 207) == [(1, "", "NOT_AN_OBJECT")]


def test_members_that_the_page_does_not_know_are_ignored(client, item):
    accepted(client.upload(item(campaign="spring", list=[])))


def test_texts_are_trimmed(client, item, member):
    accepted(client.upload(item(identity=" C-1 ", asset_id=" website-1")))

    activity = Activity.objects.get()
    assert activity.member == member
    assert activity.data["asset_id"] == "website-1"


# Timestamps


def test_a_timestamp_without_zone_is_read_in_the_zone_of_the_program(client, item):
    accepted(client.upload(item(timestamp="2026-03-04T16:47:37")))

    activity = Activity.objects.get()
    assert activity.occurred_at == datetime(2026, 3, 4, 11, 17, 37, tzinfo=UTC)
    assert activity.zone_assumed
    assert activity.occurred_at_text == "2026-03-04T16:47:37"


def test_a_program_may_refuse_timestamps_without_zone(client, item):
    Program.objects.update(naive_timestamp_policy="reject")

    response = client.upload(item(timestamp="2026-03-04T16:47:37"))

    assert faults_of(response) == [(0, "timestamp", "INVALID_TIMESTAMP")]


def test_utc_and_an_offset_may_name_the_same_instant(client, item):
    accepted(client.upload(item(timestamp="2021-12-29T12:06:28Z")))
    accepted(client.upload(item(timestamp="2021-12-29T17:36:28+05:30")))

    activity = Activity.objects.get()
    assert activity.occurred_at == datetime(2021, 12, 29, 12, 6, 28, tzinfo=UTC)
    assert not activity.zone_assumed


def test_the_two_equal_examples_of_the_page_are_not_the_same_instant(client, item):
    client.upload(item(timestamp="2021-12-29T12:06:28Z"))
    client.upload(item(timestamp="2021-12-29T06:12:28+05:30"))

    assert Activity.objects.count() == 2


@pytest.mark.parametrize(
    "text",
    ["2026-03-04t12:00:00z", "2026-03-04T12:00:00+0000", "2026-03-04T12:00:00.000Z"],
)
def test_legal_spellings_of_a_moment_are_read(client, item, text):
    accepted(client.upload(item(timestamp=text)))

    assert Activity.objects.get().occurred_at == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04",
        "2026-W10-3T12:00:00Z",
        "20260304T120000Z",
        "2026-03-04T12:00:00+05",
        "2026-03-04T24:00:00Z",
        "2026-02-30T12:00:00Z",
        "1772625600",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
    ],
)
def test_a_moment_is_never_guessed(client, item, text):
    assert faults_of(client.upload(item(timestamp=text))) == [
        (0, "timestamp", "INVALID_TIMESTAMP")
    ]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("unit", sorted(one.value for one in Unit))
def test_the_beginning_of_time_is_a_moment_like_any_other(
    client, item, program, zone, unit
):
    Program.objects.update(time_zone=zone)
    period = FrequencyPeriod.objects.get(unit=unit)
    make_type(program, "Visit", cap_count=1, frequency_period=period)

    response = client.upload(
        item(activity_name="Visit", timestamp="0001-01-01T00:00:00Z")
    )

    assert response.status_code in {200, 400}, response.content


def test_a_local_time_that_came_twice_is_refused(client, item):
    Program.objects.update(time_zone="Europe/Berlin")

    response = client.upload(item(timestamp="2025-10-26T02:30:00"))

    assert faults_of(response) == [(0, "timestamp", "INVALID_TIMESTAMP")]


@pytest.mark.parametrize(
    ("ahead", "is_taken"), [(timedelta(hours=1), True), (timedelta(hours=1.1), False)]
)
def test_more_than_an_hour_ahead_is_refused(client, item, ahead, is_taken):
    response = client.upload(item(timestamp=(NOON + ahead).isoformat()))

    if is_taken:
        accepted(response)
    else:
        assert faults_of(response) == [(0, "timestamp", "TIMESTAMP_IN_FUTURE")]


def test_a_program_may_refuse_old_activities(client, item):
    Program.objects.update(acceptance_days=30)

    response = client.upload(item(timestamp="2026-01-01T00:00:00Z"))

    assert faults_of(response) == [(0, "timestamp", "TIMESTAMP_TOO_OLD")]


@pytest.mark.parametrize(
    ("age", "is_late"),
    [
        pytest.param(timedelta(hours=24), False, id="exactly 24 hours"),
        pytest.param(timedelta(hours=24, seconds=1), True, id="a second more"),
    ],
)
def test_more_than_24_hours_before_arrival_is_late(client, item, age, is_late):
    accepted(client.upload(item(timestamp=(NOON - age).isoformat())))

    activity = Activity.objects.get()
    assert activity.is_late == is_late
    assert activity.received_at == NOON


def test_a_late_activity_still_earns(client, item, member):
    accepted(client.upload(item(timestamp="2026-02-01T00:00:00Z")))

    assert Activity.objects.get().is_late
    assert Account.objects.get(member=member).balance == 5


# Params


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"items": []}, "/items"),
        ({"a": {"b": []}}, "/a/b"),
        ({"items": [{"tags": []}]}, "/items/0/tags"),
        ({"items": [1, [[]]]}, "/items/1/0"),
    ],
)
def test_an_empty_array_anywhere_in_params_is_told(client, item, params, where):
    response = client.upload([item(), item(activity_params=params)])

    assert faults_of(response, 207) == [(1, f"activity_params{where}", "EMPTY_ARRAY")]
    assert Activity.objects.count() == 1


def test_params_may_be_empty(client, item):
    accepted(client.upload(item(activity_params={})))


def test_params_have_a_largest_size(client, item):
    response = client.upload(item(activity_params={"a": "x" * 70_000}))

    assert faults_of(response) == [(0, "activity_params", "TOO_LARGE")]


@pytest.mark.parametrize("number", ["1" * 40, "1e999"])
def test_numbers_that_cannot_be_kept_are_refused(client, item, number):
    body = f'{{"activity_params":{{"a":{{"b":{number}}}}},'
    raw = body.encode() + _rest(item)

    assert faults_of(client.upload(raw)) == [(0, "activity_params/a/b", "TOO_LARGE")]


# Identities


def test_an_integer_identity_is_the_text_of_its_digits(client, item):
    accepted(client.upload(item(identity=12345)))
    accepted(client.upload(item(identity="12345", activity_name="Other")))

    assert Member.objects.count() == 1
    assert Identity.objects.get().value == "12345"


def test_leading_zeros_of_an_identity_stay(client, item):
    accepted(client.upload([item(identity="007"), item(identity=7)]))

    assert {one.value for one in Identity.objects.all()} == {"007", "7"}


def test_a_long_integer_identity_keeps_all_its_digits(client, item):
    raw = b'{"identity":12345678901234567890123,' + _rest(item, identity=...)

    accepted(client.upload(raw))

    assert Identity.objects.get().value == "12345678901234567890123"


@pytest.mark.parametrize("value", [1.5, True, False, [], {}, ["C-1"]])
@pytest.mark.parametrize("name", ["identity", "annonid", "anonid", "email", "mobile"])
def test_an_id_is_text_or_an_integer(client, item, name, value):
    assert faults_of(client.upload(item(**{name: value}))) == [
        (0, name, "INVALID_TYPE")
    ]


def test_an_exponent_is_no_integer(client, item):
    raw = b'{"identity":1e5,' + _rest(item, identity=...)

    assert faults_of(client.upload(raw)) == [(0, "identity", "INVALID_TYPE")]


def _rest(item, **members):
    """Return the JSON of an item, from its second member on."""
    import orjson

    body = item(**members)
    body.pop("activity_params" if "identity" in body else "identity", None)
    return orjson.dumps(body)[1:]
