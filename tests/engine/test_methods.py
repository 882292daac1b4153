"""Campaigns composed of reward methods: whether each applies and what it gives."""

from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.decisions import Reason
from loyalty.engine.facts import (
    Budget,
    Distribution,
    Item,
    ItemGroup,
    RewardKind,
    Schedule,
    Wallet,
)
from loyalty.engine.rewards import spread
from tests.engine.composing import BASKET, TIERS, decide, paid, reasons
from tests.engine.offers import (
    NOON,
    activity,
    anyone,
    composed,
    method,
)

RESTRICTIONS = [
    pytest.param({"is_enabled": False}, Reason.DISABLED, id="switch"),
    pytest.param(
        {"starts_at": NOON + timedelta(seconds=1)}, Reason.NOT_STARTED, id="start"
    ),
    pytest.param({"ends_at": NOON}, Reason.ENDED, id="end"),
    pytest.param(
        {"schedule": Schedule(frozenset({4}))}, Reason.OUTSIDE_SCHEDULE, id="weekday"
    ),
    pytest.param(
        {"schedule": Schedule(opens_at=time(13), closes_at=time(14))},
        Reason.OUTSIDE_SCHEDULE,
        id="hours",
    ),
    pytest.param(
        {"business_unit_ids": frozenset({2, 3})},
        Reason.OTHER_BUSINESS_UNIT,
        id="units",
    ),
    pytest.param({"business_unit_id": 2}, Reason.OTHER_BUSINESS_UNIT, id="unit"),
    pytest.param({"minimum_units": 125_001}, Reason.VALUE_TOO_LOW, id="lowest value"),
    pytest.param({"maximum_units": 124_999}, Reason.VALUE_TOO_HIGH, id="highest"),
    pytest.param({"currencies": frozenset({"USD"})}, Reason.OTHER_CURRENCY, id="money"),
    pytest.param(
        {"qualify": (ItemGroup(5, 4),)}, Reason.BASKET_WITHOUT_GROUP, id="group"
    ),
    pytest.param(
        {"qualify": (ItemGroup(5, 3), ItemGroup(6, 5))},
        Reason.BASKET_WITHOUT_GROUP,
        id="second group",
    ),
    pytest.param({"segments": frozenset({2})}, Reason.NOT_IN_SEGMENT, id="segment"),
    pytest.param(
        {"excluded_segments": frozenset({1})}, Reason.IN_EXCLUDED_SEGMENT, id="excluded"
    ),
    pytest.param({"minimum_tier_threshold": 0}, Reason.TIER_TOO_LOW, id="tier"),
]
HELD = {
    "starts_at": NOON,
    "ends_at": NOON + timedelta(microseconds=1),
    "schedule": Schedule(frozenset({3}), time(12), time(13)),
    "business_unit_ids": frozenset({1, 2}),
    "business_unit_id": 1,
    "minimum_units": 125_000,
    "maximum_units": 125_000,
    "currencies": frozenset({"EUR", "USD"}),
    "qualify": (ItemGroup(5, 3), ItemGroup(6, 4)),
    "segments": frozenset({1, 2}),
    "excluded_segments": frozenset({3}),
}


def at_a_unit(**fields):
    history = anyone(stays=((1, NOON, NOON + timedelta(hours=1)),))
    happened = activity(
        items=BASKET, line_count=3, currency="EUR", business_unit_id=1, **fields
    )
    return {"history": history, "happened": happened, "rules": TIERS}


@pytest.mark.parametrize(("restriction", "reason"), RESTRICTIONS)
def test_what_restricts_the_campaign_stops_all_its_methods(restriction, reason):
    decision = decide(composed(method(id=8), id=9, **restriction), **at_a_unit())

    assert paid(decision) == {}
    assert reasons(decision) == {9: reason}


@pytest.mark.parametrize(("restriction", "reason"), RESTRICTIONS)
def test_what_restricts_a_method_stops_that_one(restriction, reason):
    campaign = composed(method(id=7, **restriction), method(id=8), id=9)

    decision = decide(campaign, **at_a_unit())

    assert paid(decision) == {8: 10}
    assert reasons(decision) == {7: reason}


def test_restrictions_that_hold_at_both_levels_let_it_pay():
    campaign = composed(method(id=8, **HELD), id=9, **HELD)

    assert paid(decide(campaign, **at_a_unit())) == {8: 10}


def test_a_campaign_without_a_method_that_applies_says_so_itself():
    campaign = composed(method(id=8, minimum_units=10**9), id=9)

    assert reasons(decide(campaign)) == {
        8: Reason.VALUE_TOO_LOW,
        9: Reason.NO_METHOD_APPLIES,
    }


@pytest.mark.parametrize(
    ("campaign", "happened", "reason"),
    [
        ({"context": "basket"}, {}, Reason.NOT_A_BASKET),
        ({"context": "basket"}, {"line_count": 1}, None),
        ({"activity_type_ids": frozenset({2})}, {}, Reason.OTHER_ACTIVITY_TYPE),
        ({"channel_ids": frozenset({3})}, {}, Reason.OTHER_CHANNEL),
        ({"item_list_id": 7}, {"items": BASKET}, Reason.NO_MATCHING_ITEM),
    ],
    ids=["no basket", "basket", "type", "channel", "list"],
)
def test_what_only_a_campaign_can_ask(campaign, happened, reason):
    decision = decide(
        composed(method(), id=9, **campaign), happened=activity(**happened)
    )

    assert reasons(decision).get(9) == reason


@pytest.mark.parametrize(
    ("group", "required", "found"),
    [
        pytest.param(ItemGroup(5, 3), 3, 3, id="by quantity, over its lines"),
        pytest.param(ItemGroup(5, 4), 4, 3, id="one too few"),
        pytest.param(ItemGroup(6, 4), 4, 4, id="a product of two lists"),
        pytest.param(ItemGroup(5, 7, excludes=True), 7, 7, id="all others"),
        pytest.param(ItemGroup(5, 8, excludes=True), 8, 7, id="too few others"),
        pytest.param(ItemGroup(9, 1), 1, 0, id="none"),
    ],
)
@pytest.mark.parametrize("level", ["campaign", "method"])
def test_a_basket_qualifies_by_the_products_it_holds(group, required, found, level):
    happened = activity(
        items=BASKET, line_count=5, unlisted_units=9_000, unlisted_quantity=4
    )
    asked = {"qualify": (group,)}
    campaign = (
        composed(method(id=8), id=9, **asked)
        if level == "campaign"
        else composed(method(id=8, **asked), id=9)
    )

    decision = decide(campaign, happened=happened)

    assert (paid(decision) == {8: 10}) is (found >= required)
    if found < required:
        told = next(
            one.operands
            for one in decision.rejections
            if one.reason is Reason.BASKET_WITHOUT_GROUP
        )
        assert told == {"required": required, "found": found}


@pytest.mark.parametrize(
    ("fields", "points", "operands"),
    [
        pytest.param({}, 10, None, id="once for the basket"),
        pytest.param(
            {"distribution": Distribution.PER_ITEM, "redeem": ItemGroup(5)},
            30,
            {"each": 10, "count": 3},
            id="for each of a group",
        ),
        pytest.param(
            {"distribution": Distribution.PER_ITEM},
            100,
            {"each": 10, "count": 10},
            id="for each product",
        ),
        pytest.param(
            {
                "distribution": Distribution.PER_ITEM,
                "redeem": ItemGroup(5, excludes=True),
            },
            70,
            {"each": 10, "count": 7},
            id="for each but those of a list",
        ),
        pytest.param(
            {"distribution": Distribution.SPREAD, "redeem": ItemGroup(5)},
            10,
            {"spread": [["tea", 2], ["cup", 8]]},
            id="spread by value",
        ),
        pytest.param(
            {"reward": RewardKind.PER_ITEM_VALUE, "points": 1, "redeem": ItemGroup(6)},
            10,
            {"of": 105_000},
            id="per value of a group",
        ),
        pytest.param(
            {"reward": RewardKind.PER_VALUE, "points": 2}, 25, None, id="per value"
        ),
        pytest.param(
            {"reward": RewardKind.MULTIPLIER, "multiplier": 20_000},
            24,
            None,
            id="times the base",
        ),
        pytest.param(
            {
                "reward": RewardKind.MULTIPLIER,
                "multiplier": 10_000,
                "wallet": Wallet(id=2, code="cents", decimals=2),
            },
            1200,
            None,
            id="times the base, in a finer wallet",
        ),
    ],
)
def test_what_a_method_gives(fields, points, operands):
    happened = activity(
        items=BASKET, line_count=5, unlisted_units=9_000, unlisted_quantity=4
    )

    decision = decide(composed(method(id=8, **fields), id=9), happened=happened)

    award = decision.awards[-1]
    assert (award.offer.id, award.points, award.operands) == (8, points, operands)


@pytest.mark.parametrize("distribution", [Distribution.PER_ITEM, Distribution.SPREAD])
def test_a_method_for_products_gives_nothing_without_them(distribution):
    decision = decide(
        composed(method(id=8, distribution=distribution), id=9), happened=activity()
    )

    assert reasons(decision)[8] is Reason.NOTHING_TO_PAY


def test_a_group_to_reward_must_be_in_the_basket():
    campaign = composed(method(id=8, redeem=ItemGroup(9)), id=9)

    rejection = decide(campaign).rejections[0]

    assert rejection.reason is Reason.BASKET_WITHOUT_GROUP
    assert rejection.operands == {"required": 1, "found": 0}


items = st.builds(
    Item,
    st.text("abc", min_size=1, max_size=2),
    st.integers(-50_000, 10**9),
    st.just((5,)),
)


@given(points=st.integers(0, 10**9), basket=st.lists(items, min_size=1, max_size=30))
def test_what_is_spread_adds_up_and_is_nobodys_debt(points, basket):
    parts = spread(points, basket)

    assert [item_id for item_id, _ in parts] == [item.item_id for item in basket]
    assert sum(part for _, part in parts) == points
    assert all(part >= 0 for _, part in parts)


@given(points=st.integers(0, 10**6), basket=st.lists(items, min_size=1, max_size=12))
def test_no_part_is_a_point_away_from_its_share(points, basket):
    values = [max(item.units, 0) for item in basket]
    total = sum(values)
    if not total:
        values, total = [1] * len(basket), len(basket)

    for value, (_, part) in zip(values, spread(points, basket), strict=True):
        assert abs(part * total - points * value) < total


def test_independent_methods_are_all_given():
    campaign = composed(
        method(id=7, points=3),
        method(id=8, reward=RewardKind.VOUCHER, voucher_type_id=4),
        id=9,
    )

    decision = decide(campaign)

    assert paid(decision) == {7: 3, 8: 0}
    assert decision.draws == ()


def test_a_draw_gives_one_and_says_which_were_in_it():
    campaign = composed(
        method(id=6, minimum_units=10**9),
        method(id=7, weight=2),
        method(id=8, reward=RewardKind.NOTHING, weight=5),
        id=9,
        draws=True,
    )

    decision = decide(campaign, happened=activity(seed=3))

    (drawn,) = decision.draws
    assert (drawn.campaign_id, drawn.seed) == (9, 3)
    assert drawn.candidates == ((7, 2), (8, 5))
    assert set(paid(decision)) == {drawn.winner_id}
    loser = ({7, 8} - {drawn.winner_id}).pop()
    assert reasons(decision) == {6: Reason.VALUE_TOO_LOW, loser: Reason.NOT_DRAWN}


def test_a_blank_is_an_award_of_nothing_that_counts():
    blank = method(id=8, reward=RewardKind.NOTHING)

    decision = decide(composed(blank, id=9, draws=True, cap=1))

    assert paid(decision) == {8: 0}
    assert {(one.offer_id, one.is_paid) for one in decision.counted} == {
        (8, True),
        (9, True),
    }


@given(seed=st.integers(0, 2**128 - 1))
def test_a_weight_of_zero_never_wins(seed):
    campaign = composed(
        method(id=7, weight=0), method(id=8, weight=1), id=9, draws=True
    )

    decision = decide(campaign, happened=activity(seed=seed))

    assert paid(decision) == {8: 10}
    assert reasons(decision) == {7: Reason.NOT_DRAWN}
    assert decision.draws[0].candidates == ((8, 1),)


def test_where_every_weight_is_zero_nothing_is_drawn():
    campaign = composed(method(id=7, weight=0), id=9, draws=True)

    decision = decide(campaign)

    assert decision.draws == ()
    assert reasons(decision) == {7: Reason.NOT_DRAWN, 9: Reason.NO_METHOD_APPLIES}


def test_the_chance_of_a_method_without_stock_goes_to_the_rest():
    campaign = composed(
        method(id=6, weight=98, awards_budget=1),
        method(id=7, weight=1),
        method(id=8, weight=1, reward=RewardKind.NOTHING),
        id=9,
        draws=True,
    )

    wins = [
        decide(
            campaign,
            happened=activity(seed=seed),
            budgets={6: Budget(awards_left=0)},
        ).draws[0]
        for seed in range(400)
    ]

    assert {one.candidates for one in wins} == {((7, 1), (8, 1))}
    assert 150 < sum(one.winner_id == 7 for one in wins) < 250
