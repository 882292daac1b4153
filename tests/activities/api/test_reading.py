"""Listing, finding and explaining recorded activities."""

import pytest

from activities.models import Activity
from activities.services import record_activities
from tests import builders
from tests.callers import caller_for, problem_in, purchase_body


def record(client, member, **members):
    response = client.post("activities", purchase_body(member, **members))
    assert response.status_code == 201, response.content
    return response.json()["id"]


def keys_in(client, query=""):
    response = client.get(f"activities{query}")
    assert response.status_code == 200, response.content
    return [row["key"] for row in response.json()["results"]]


def test_activities_are_listed_newest_first(client, member):
    for key in "abc":
        record(client, member, key=key)

    assert keys_in(client) == ["c", "b", "a"]


def test_a_stored_activity_tells_all_that_is_known(program, client, member):
    number = record(client, member)

    row = client.get(f"activities/{number}").json()

    stored = Activity.objects.get()
    assert row == {
        "id": number,
        "key": "till-1",
        "source": "api",
        "member": member.pk,
        "anonymous_id": None,
        "type": "PURCHASE",
        "channel": None,
        "business_unit": None,
        "occurred_at": "2026-03-04T12:00:00Z",
        "received_at": stored.received_at.isoformat().replace("+00:00", "Z"),
        "created_at": stored.created_at.isoformat().replace("+00:00", "Z"),
        "is_late": True,
        "zone_assumed": False,
        "value": "12.5",
        "is_return": False,
        "currency": None,
        "rate": None,
        "counted_value": None,
        "items": [],
        "data": {},
        "upload": None,
        "is_reversed": False,
        "reversed_at": None,
        "reversal_reason": None,
        "earned": {
            "": {"loyalty": {"base": 12, "bonus": 0, "targeted": 0, "total": 12}}
        },
        "totals": {"loyalty": {"base": 12, "bonus": 0, "targeted": 0, "total": 12}},
    }


def test_a_stored_activity_can_be_explained_with_names(program, client, member):
    campaign = builders.make_campaign(program, name="Spring", minimum_value="100")
    number = record(client, member)

    row = client.get(f"activities/{number}?explain=1").json()

    assert row["explanation"]["rejections"][0]["reason"] == "value_too_low"
    assert row["offers"][str(campaign.pk)] == "Spring"
    assert "explanation" not in client.get(f"activities/{number}").json()


@pytest.fixture
def recorded(program, client, member):
    """Two activities that differ in everything that can be filtered."""
    builders.make_channel(program, "STORE")
    builders.make_channel(program, "APP")
    builders.make_unit(program, "grocery")
    builders.make_unit(program, "fuel")
    builders.make_type(program, "VISIT")
    other = builders.make_member(program)
    first = purchase_body(member, key="a", channel="STORE", business_unit="grocery")
    assert client.post("activities", first).status_code == 201
    command = builders.purchase(
        other,
        source="elsewhere",
        key="b",
        activity_type="VISIT",
        channel="APP",
        business_unit="fuel",
        occurred_at=builders.NOON.replace(day=5),
    )
    record_activities(program.pk, [command], now=builders.NOON.replace(day=6))
    return member


@pytest.mark.parametrize(
    "query",
    [
        "?type=PURCHASE",
        "?channel=STORE",
        "?business_unit=grocery",
        "?source=api",
        "?key=a",
        "?occurred_until=2026-03-05T12:00:00Z",
        "?occurred_until=2026-03-05T00:00:00%2B01:00",
        "?occurred_from=2026-03-04T12:00:00Z&occurred_until=2026-03-04T12:00:01Z",
    ],
)
def test_activities_are_found_by(client, recorded, query):
    assert keys_in(client, query) == ["a"]


def test_activities_are_found_by_member(client, recorded):
    assert keys_in(client, f"?member={recorded.pk}") == ["a"]


def test_activities_are_found_by_whether_they_were_undone(client, recorded):
    number = Activity.objects.get(key="a").pk
    client.post(f"activities/{number}/reverse")

    assert keys_in(client, "?is_reversed=true") == ["a"]
    assert keys_in(client, "?is_reversed=false") == ["b"]


def test_the_end_of_a_span_is_outside_it(client, recorded):
    assert keys_in(client, "?occurred_from=2026-03-05T12:00:00Z") == ["b"]


def test_an_upload_that_is_not_there_has_no_activities(client, recorded):
    assert keys_in(client, "?upload=1") == []


def test_unknown_codes_find_nothing(client, recorded):
    assert keys_in(client, "?type=NOBODY") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?colour=red", "colour"),
        ("?member=x", "member"),
        ("?member=-1", "member"),
        ("?member=1e3", "member"),
        ("?member=" + "9" * 30, "member"),
        ("?occurred_from=yesterday", "occurred_from"),
        ("?occurred_from=2026-03-04T12:00:00", "occurred_from"),
        ("?occurred_until=2026-02-30T00:00:00Z", "occurred_until"),
        ("?is_reversed=perhaps", "is_reversed"),
        ("?type=a%00b", "type"),
        ("?type=a&type=b", "type"),
        ("?explain=1", "explain"),
        ("?page_size=0", "page_size"),
        ("?page_size=201", "page_size"),
        ("?page_size=ten", "page_size"),
        ("?page_size=%D9%A1", "page_size"),
        ("?cursor=abc", "cursor"),
        ("?cursor=LTE", "cursor"),
        ("?cursor=" + "OTk5" * 20, "cursor"),
        ("?cursor=%FF", "cursor"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(client, query, parameter):
    problem = problem_in(client.get(f"activities{query}"), 400, "invalid")

    assert problem["errors"][0]["parameter"] == parameter
    assert problem["errors"][0]["detail"]


def test_a_wrong_explain_is_refused(client, member):
    number = record(client, member)

    problem = problem_in(client.get(f"activities/{number}?explain=yes"), 400, "invalid")

    assert problem["errors"][0]["parameter"] == "explain"


def test_pages_neither_skip_nor_repeat_while_rows_are_added(client, member):
    for key in "abcde":
        record(client, member, key=key)

    first = client.get("activities?page_size=2&type=PURCHASE").json()
    record(client, member, key="f")
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()

    seen = [row["key"] for page in (first, second, third) for row in page["results"]]
    assert seen == ["e", "d", "c", "b", "a"]
    assert third["next"] is None


def test_activities_of_another_program_are_not_there(client, member):
    number = record(client, member)
    stranger = caller_for(builders.make_program())

    problem_in(stranger.get(f"activities/{number}"), 404, "not_found")
    problem_in(stranger.post(f"activities/{number}/reverse"), 404, "not_found")
    assert keys_in(stranger) == []


def test_a_key_bound_to_units_sees_and_records_only_theirs(program, client, member):
    grocery = builders.make_unit(program, "grocery")
    builders.make_unit(program, "fuel")
    bound = caller_for(program, units=[grocery])
    hidden = record(client, member, key="a", business_unit="fuel")
    nowhere = record(client, member, key="b")

    seen = record(bound, member, key="c", business_unit="grocery")
    elsewhere = bound.post(
        "activities", purchase_body(member, key="d", business_unit="fuel")
    )
    unnamed = bound.post("activities", purchase_body(member, key="d"))

    problem_in(elsewhere, 403, "business_unit_not_allowed")
    problem_in(unnamed, 403, "business_unit_not_allowed")
    assert keys_in(bound) == ["c"]
    assert bound.get(f"activities/{seen}").status_code == 200
    problem_in(bound.get(f"activities/{hidden}"), 404, "not_found")
    problem_in(bound.post(f"activities/{nowhere}/reverse"), 404, "not_found")
    assert Activity.objects.count() == 3
