"""Campaigns with reward methods over the API, and the groups they name."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from activities.models import Draw
from campaigns.models import AssignedGroup, Campaign, RewardMethod
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in


@pytest.fixture
def scratch(program):
    wallet = builders.wallet_of(program).pk
    return {
        "name": "Scratch",
        # Nobody has any points yet.
        "enable_anyway": True,
        "wallet": wallet,
        "context": "interaction",
        "reward_method": "methods",
        "handling": "random_draw",
        "point_cost": "450",
        "point_cost_wallet": wallet,
        "methods": [
            {"name": "Jackpot", "points": "5000", "weight": 1, "usage_limit": 10},
            {"name": "No luck", "reward_method": "nothing", "weight": 99},
        ],
    }


def test_a_scratch_card_is_written_and_read(client, scratch):
    created = client.post("campaigns", scratch)

    assert created.status_code == 201, created.content
    row = created.json()
    assert [one["name"] for one in row["methods"]] == ["Jackpot", "No luck"]
    assert row["methods"][0]["wallet"] == scratch["wallet"]
    assert client.get(f"campaigns/{row['id']}").json() == row
    usage = client.get(f"campaigns/{row['id']}/usage").json()["methods"]
    assert [(one["given"], one["left"], one["chance"]) for one in usage] == [
        (0, 10, 0.01),
        (0, None, 0.99),
    ]


def test_methods_that_are_sent_are_the_whole_set(client, scratch):
    row = client.post("campaigns", scratch).json()
    jackpot, blank = (one["id"] for one in row["methods"])
    address = f"campaigns/{row['id']}"

    client.patch(address, {"name": "Scratch more"})
    untouched = client.get(address).json()["methods"]
    changed = client.patch(
        address, {"methods": [{"id": jackpot, "weight": 2}, {"name": "Small"}]}
    )

    assert untouched == row["methods"]
    assert changed.status_code == 200, changed.content
    rows = changed.json()["methods"]
    assert [(one["name"], one["weight"]) for one in rows] == [
        ("Jackpot", 2),
        ("Small", 1),
    ]
    assert rows[0]["id"] == jackpot
    assert rows[0]["points"] == "5000"
    assert not RewardMethod.objects.filter(pk=blank).exists()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"handling": "independent"}, "/methods/1/weight", "chance_without_draw"),
        (
            {"minimum_value": "5"},
            "/minimum_value",
            "not_in_this_context",
        ),
        (
            {"point_cost": None, "context": "basket"},
            "/point_cost",
            "campaign_price_names_its_wallet",
        ),
        ({"context": "basket"}, "/point_cost", "price_without_interaction"),
        ({"methods": [{"points": 1}]}, "/methods/0/name", "required"),
        ({"methods": [{"name": "a", "weight": 0}]}, "/methods", "no_chance"),
        (
            {"methods": [{"name": "a", "reward_method": "per_value"}]},
            "/methods/0/reward_method",
            "reward_without_activity",
        ),
        (
            {"methods": [{"name": "a", "currencies": ["EUR"]}]},
            "/methods/0/currencies",
            "not_in_this_context",
        ),
        (
            {"methods": [{"name": "a", "reward_method": "voucher"}]},
            "/methods/0/reward_method",
            "offer_voucher_goes_with_its_method",
        ),
        ({"methods": [], "is_enabled": True}, "/methods", "methods_missing"),
        (
            {"methods": [{"id": 10**9, "name": "a"}]},
            "/methods/0/id",
            "does_not_exist",
        ),
        ({"reward_method": "fixed"}, "/reward_method", "methods_not_used"),
    ],
)
def test_what_cannot_go_together_points_at_itself(
    client, scratch, change, pointer, code
):
    problem = problem_in(
        client.post("campaigns", {**scratch, **change}), 400, "invalid"
    )

    found = pointers_in(problem)
    assert (pointer, code) in found
    assert len({one["detail"] for one in problem["errors"]}) == len(problem["errors"])
    assert Campaign.objects.count() == 0


def test_a_method_of_another_campaign_cannot_be_named(program, client, scratch):
    other = builders.make_method(builders.make_campaign(program))
    row = client.post("campaigns", scratch).json()

    response = client.patch(
        f"campaigns/{row['id']}", {"methods": [{"id": other.pk, "name": "Mine"}]}
    )

    problem_in(response, 400, "invalid")
    other.refresh_from_db()
    assert other.name != "Mine"


def test_a_method_that_is_named_twice_is_refused(client, scratch):
    row = client.post("campaigns", scratch).json()
    jackpot, blank = ({"id": one["id"]} for one in row["methods"])
    twice = [{**jackpot, "weight": 3}, blank, {**jackpot, "weight": 4}]

    answer = client.patch(f"campaigns/{row['id']}", {"methods": twice})

    problem = problem_in(answer, 400, "invalid")
    assert pointers_in(problem) == [("/methods/2/id", "named_twice")]
    assert client.get(f"campaigns/{row['id']}").json() == row


def test_a_method_that_gave_something_stays(program, client, scratch):
    body = {**scratch, "is_enabled": True, "point_cost": None}
    row = client.post("campaigns", {**body, "point_cost_wallet": None}).json()
    member = builders.make_member(program)
    played = client.post(
        f"campaigns/{row['id']}/interactions", {"member": {"id": member.pk}}
    )
    assert played.status_code == 201, played.content
    winner = Draw.objects.get().winner_id
    others = [{"id": one["id"]} for one in row["methods"] if one["id"] != winner]

    problem_in(
        client.patch(f"campaigns/{row['id']}", {"methods": others}), 409, "in_use"
    )

    assert RewardMethod.objects.filter(pk=winner).exists()
    (drawn,) = client.get(f"draws?campaign={row['id']}").json()["results"]
    assert drawn["winner"] == winner
    assert [one["weight"] for one in drawn["candidates"]] == [1, 99]
    assert client.get(f"draws/{drawn['id']}").json() == drawn
    stranger = builders.make_program()
    builders.make_wallet(stranger)
    assert caller_for(stranger).get("draws").json()["results"] == []


def test_groups_are_made_and_named(program, client, scratch):
    items = builders.make_item_list(program, ["tea"])
    wave = client.post(
        "campaign-groups", {"name": "Spring", "ends_at": "2020-01-01T00:00:00Z"}
    ).json()
    qualify = client.post(
        "assigned-groups", {"name": "Tea", "kind": "qualify", "item_list": items.pk}
    ).json()
    redeem = client.post(
        "assigned-groups", {"name": "Cups", "kind": "redeem", "item_list": items.pk}
    ).json()
    basket = {
        "name": "Tea",
        "wallet": scratch["wallet"],
        "context": "basket",
        "reward_method": "methods",
        "enable_anyway": True,
        "group": wave["id"],
        "qualify_groups": [qualify["id"]],
        "methods": [
            {
                "name": "Each cup",
                "points": 2,
                "distribution": "per_item",
                "redeem_group": redeem["id"],
            }
        ],
    }

    made = client.post("campaigns", basket)
    swapped = client.post("campaigns", {**basket, "qualify_groups": [redeem["id"]]})
    changed = client.patch(f"assigned-groups/{qualify['id']}", {"kind": "redeem"})

    assert (wave["status"], qualify["required_matches"]) == ("completed", 1)
    assert made.status_code == 201, made.content
    assert pointers_in(problem_in(swapped, 400, "invalid")) == [
        ("/qualify_groups", "group_is_for_rewards")
    ]
    assert pointers_in(problem_in(changed, 400, "invalid"))[0][0] == "/kind"
    problem_in(client.delete(f"campaign-groups/{wave['id']}"), 409, "in_use")


def test_the_list_asks_as_much_for_many_as_for_one(client, scratch):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert client.get("campaigns").status_code == 200
        return len(asked)

    client.post("campaigns", scratch)
    queries()
    few = queries()
    for _ in range(3):
        client.post("campaigns", scratch)

    assert queries() == few


def test_the_database_keeps_what_is_fixed(program):
    campaign = builders.make_campaign(
        program, context="basket", reward_method="methods"
    )
    method = builders.make_method(campaign)
    other = builders.make_campaign(program)
    items = builders.make_item_list(program, [])
    redeem = AssignedGroup.objects.create(
        program=program, name="Cups", kind="redeem", item_list=items
    )
    stranger = builders.make_program()
    theirs = builders.make_segment(stranger)
    attempts = [
        lambda: Campaign.objects.filter(pk=campaign.pk).update(context="activity"),
        lambda: RewardMethod.objects.filter(pk=method.pk).update(parent=other),
        lambda: AssignedGroup.objects.filter(pk=redeem.pk).update(kind="qualify"),
        lambda: campaign.qualify_groups.add(redeem),
        lambda: method.included_segments.add(theirs),
    ]

    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
