"""Campaigns over the API."""

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from loyalty.models import ActivityType
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body


@pytest.fixture
def spring(program):
    """The least that a campaign needs."""
    return {
        "name": "Spring",
        "wallet": builders.wallet_of(program).pk,
        "reward_method": "fixed",
        "points": 10,
    }


def bonus_of(client, member):
    body = purchase_body(member, channel="STORE", items=[{"item_id": "1", "value": 1}])
    earned = client.post("activities/simulate", body).json()
    sums = earned["totals"]["loyalty"]
    return sums["bonus"] + sums["targeted"]


def test_a_campaign_pays_from_its_creation_until_it_is_switched_off(
    program, client, spring
):
    builders.make_channel(program, "STORE")
    member = builders.make_member(program)
    before = bonus_of(client, member)

    created = client.post("campaigns", spring)
    assert created.status_code == 201, created.content
    number = created.json()["id"]
    live = bonus_of(client, member)
    client.patch(f"campaigns/{number}", {"points": 25})
    changed = bonus_of(client, member)
    client.patch(f"campaigns/{number}", {"is_enabled": False})

    assert (before, live, changed, bonus_of(client, member)) == (0, 10, 25, 0)


def test_every_restriction_can_be_written_and_read(program, client, spring):
    member = builders.make_member(program)
    store = builders.make_channel(program, "STORE")
    inside = builders.make_segment(program, [member])
    outside = builders.make_segment(program)
    items = builders.make_item_list(program, ["1"])
    unit = builders.make_unit(program)
    body = {
        **spring,
        "code": "spring-26",
        "business_unit": unit.pk,
        "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": "2026-04-01T00:00:00Z",
        "channels": [store.pk],
        "activity_types": [ActivityType.objects.get().pk],
        "included_segments": [inside.pk],
        "excluded_segments": [outside.pk],
        "item_list": items.pk,
        "minimum_value": "5",
        "maximum_value": "1000.5",
        "weekdays": [1, 2, 3],
        "opens_at": "08:00:00",
        "closes_at": "20:00:00",
        "cap_count": 2,
        "frequency_period": 2,
        "required_attempts": 1,
        "priority": 7,
        "exclusive_group": "spring",
        "points_budget": "1000",
        "awards_budget": 50,
        "budget_policy": "reject",
        "description": "For everybody inside",
        "context": "activity",
        "points": "10",
    }

    created = client.post("campaigns", {**body, "enable_anyway": True})

    assert created.status_code == 201, created.content
    row = created.json()
    assert {name: row[name] for name in body} == body
    assert client.get(f"campaigns/{row['id']}").json() == row
    assert client.get("campaigns").json()["results"] == [row]
    assert bonus_of(client, member) == 10


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"wallet": None}, "/wallet"),
        ({"reward_method": "magic"}, "/reward_method"),
        ({"points": "1e3"}, "/points"),
        ({"points": "0.00001"}, "/points"),
        ({"minimum_value": 5, "maximum_value": 4}, "/minimum_value"),
        ({"weekdays": [0]}, None),
        ({"weekdays": ["Monday"]}, None),
        ({"weekdays": 1}, "/weekdays"),
        ({"opens_at": "08:00:00"}, None),
        ({"opens_at": "24:00:00", "closes_at": "08:00:00"}, "/opens_at"),
        ({"points_budget": 0}, "/points_budget"),
        ({"awards_budget": -1}, "/awards_budget"),
        ({"awards_budget": 2**63 - 1 + 2**62}, "/awards_budget"),
        ({"budget_policy": "perhaps"}, "/budget_policy"),
        ({"holdout_percent": "10"}, "/starts_at"),
        (
            {"holdout_percent": 100, "starts_at": "2026-03-01T00:00:00Z"},
            "/holdout_percent",
        ),
        ({"cap_count": 1}, None),
        ({"channels": [10**9]}, "/channels"),
        ({"channels": "STORE"}, "/channels"),
        ({"channels": [1] * 1_001}, "/channels"),
        ({"reward_method": "per_item_value", "per_value": 1}, "/item_list"),
        ({"priority": 10**12}, "/priority"),
        ({"priority": "high"}, "/priority"),
        ({"starts_at": "2026-03-29T24:00:00Z"}, "/starts_at"),
        ({"kind": "activity_type"}, "/kind"),
        ({"id": 7, "program": 1}, "/program"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(client, spring, change, pointer):
    response = client.post("campaigns", orjson.dumps({**spring, **change}))

    problem = problem_in(response, 400, "invalid")
    if pointer is not None:
        assert pointer in {where for where, _ in pointers_in(problem)}, problem
    assert all(error["detail"] for error in problem["errors"])
    assert Campaign.objects.count() == 0


def test_a_refused_change_changes_nothing(client, spring):
    row = client.post("campaigns", spring).json()

    response = client.patch(f"campaigns/{row['id']}", {"points": 5, "weekdays": [9]})

    problem_in(response, 400, "invalid")
    assert client.get(f"campaigns/{row['id']}").json() == row


def test_a_share_of_the_members_is_held_out_from_creation(program, client, spring):
    builders.make_channel(program, "STORE")
    starts_at = "2026-03-01T00:00:00Z"
    body = {**spring, "starts_at": starts_at, "holdout_percent": "99.99"}

    row = client.post("campaigns", body).json()

    assert row["holdout_percent"] == "99.99"
    members = [builders.make_member(program) for _ in range(3)]
    assert [bonus_of(client, member) for member in members] == [0, 0, 0]


def test_the_context_of_a_campaign_is_fixed(client, spring):
    row = client.post("campaigns", spring).json()

    response = client.patch(f"campaigns/{row['id']}", {"context": "basket"})

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [("/context", "context_is_fixed")]


@pytest.mark.parametrize(
    "name",
    [
        "channels",
        "activity_types",
        "included_segments",
        "excluded_segments",
        "item_list",
    ],
)
def test_rows_of_another_program_cannot_be_named(client, spring, name):
    other = builders.make_program()
    theirs = {
        "channels": lambda: [builders.make_channel(other).pk],
        "activity_types": lambda: [builders.make_type(other).pk],
        "included_segments": lambda: [builders.make_segment(other).pk],
        "excluded_segments": lambda: [builders.make_segment(other).pk],
        "item_list": lambda: builders.make_item_list(other, []).pk,
    }[name]()

    response = client.post("campaigns", {**spring, name: theirs})

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [(f"/{name}", "does_not_exist")]
    assert Campaign.objects.count() == 0


def test_a_campaign_that_has_paid_cannot_be_deleted(program, client, spring):
    row = client.post("campaigns", spring).json()
    member = builders.make_member(program)
    client.post("activities", purchase_body(member))

    paid = client.delete(f"campaigns/{row['id']}")
    unpaid = client.post("campaigns", {**spring, "minimum_value": 1_000}).json()

    problem_in(paid, 409, "in_use")
    assert client.delete(f"campaigns/{unpaid['id']}").status_code == 204
    assert Campaign.objects.count() == 1


def test_usage_tells_what_was_given_of_the_budget(program, client, spring):
    row = client.post("campaigns", {**spring, "points_budget": 15}).json()
    member = builders.make_member(program)
    fresh = client.get(f"campaigns/{row['id']}/usage").json()
    for key in "ab":
        client.post("activities", purchase_body(member, key=key))

    assert fresh == {"points_paid": 0, "awards_paid": 0, "methods": []}
    assert client.get(f"campaigns/{row['id']}/usage").json() == {
        "points_paid": 15,
        "awards_paid": 2,
        "methods": [],
    }


def test_campaigns_are_filtered(program, client, spring):
    unit = builders.make_unit(program)
    segment = builders.make_segment(program)
    spring = {**spring, "enable_anyway": True}
    old = client.post(
        "campaigns", {**spring, "code": "old", "ends_at": "2026-01-01T00:00:00Z"}
    ).json()["id"]
    new = client.post(
        "campaigns",
        {
            **spring,
            "code": "new",
            "business_unit": unit.pk,
            "included_segments": [segment.pk],
        },
    ).json()["id"]

    def found_by(query):
        rows = client.get(f"campaigns?{query}").json()["results"]
        return [row["id"] for row in rows]

    assert found_by("") == [new, old]
    assert found_by("code=old") == [old]
    assert found_by("live_at=2026-01-01T00:00:00Z") == [new]
    assert found_by("live_at=2025-12-31T23:59:59Z") == [new, old]
    assert found_by(f"business_unit={unit.pk}") == [new]
    assert found_by(f"segment={segment.pk}") == [new]
    assert found_by("is_enabled=false") == []


def test_campaigns_of_another_program_are_not_there(client, spring):
    row = client.post("campaigns", spring).json()
    stranger = caller_for(builders.make_program())

    for response in (
        stranger.get(f"campaigns/{row['id']}"),
        stranger.patch(f"campaigns/{row['id']}", {"points": 1}),
        stranger.delete(f"campaigns/{row['id']}"),
        stranger.get(f"campaigns/{row['id']}/usage"),
    ):
        problem_in(response, 404, "not_found")


def test_a_page_of_20_asks_as_often_as_a_page_of_2(program, client):
    for _ in range(20):
        builders.make_campaign(
            program,
            channels=[builders.make_channel(program, f"c-{_}")],
            included_segments=[builders.make_segment(program)],
        )

    counts = []
    for size in (2, 20):
        with CaptureQueriesContext(connection) as captured:
            client.get(f"campaigns?page_size={size}")
        counts.append(len(captured))

    assert counts[0] == counts[1]
