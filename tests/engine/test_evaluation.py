"""Deciding an activity: awards, buckets, groups, budgets and tiers."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.conditions import first_failure
from loyalty.engine.decisions import Reason
from loyalty.engine.evaluation import absorb, consume, evaluate
from loyalty.engine.facts import (
    Budget,
    Clock,
    Codes,
    Item,
    MemberHistory,
    OfferKind,
    RewardKind,
    Rules,
    Wallet,
)
from loyalty.engine.points import Rounding
from loyalty.engine.tiers import TierStep
from tests.engine.offers import NOON, RULES, activity, anyone, base, offer


def decide(
    *candidates, happened=None, history=None, rules=RULES, budgets=None, rule=None
):
    return evaluate(
        happened or activity(),
        history or anyone(),
        rule or base(),
        candidates,
        rules,
        budgets or {},
    )


def paid(decision) -> dict[int, int]:
    return {award.offer.id: award.points for award in decision.awards}


@pytest.mark.parametrize(
    ("reward", "points"),
    [
        pytest.param({"reward": RewardKind.FIXED, "points": 7}, 7, id="fixed"),
        pytest.param({"reward": RewardKind.PER_VALUE, "points": 2}, 25, id="value"),
        pytest.param(
            {"reward": RewardKind.PER_VALUE, "points": 5, "per_units": 25_000},
            25,
            id="5 points per 2.50",
        ),
        pytest.param(
            {"reward": RewardKind.PER_ITEM_VALUE, "points": 1, "item_list_id": 5},
            3,
            id="matching items, rounded once",
        ),
        pytest.param(
            {"reward": RewardKind.MULTIPLIER, "multiplier": 5_000}, 6, id="half"
        ),
    ],
)
def test_rewards(reward, points):
    items = (Item("a", 16_000, (5,)), Item("b", 16_000, (5,)), Item("c", 90_000))

    decision = decide(offer(id=9, **reward), happened=activity(items=items))

    assert paid(decision)[9] == points


@pytest.mark.parametrize(
    ("rounding", "points"), [("down", 12), ("half_up", 13), ("up", 13)]
)
def test_the_wallet_rounds_each_award_once(rounding, points):
    wallet = Wallet(id=2, code="w", rounding=Rounding(rounding))

    assert paid(decide(rule=base(wallet=wallet))) == {1: points}


def test_a_value_below_zero_earns_nothing_and_still_counts_as_a_visit():
    decision = decide(offer(id=9), happened=activity(units=-50_000))

    assert paid(decision) == {9: 10}
    assert [one.reason for one in decision.rejections] == [Reason.NOTHING_TO_PAY]


def test_nobody_known_earns_nothing():
    decision = decide(offer(), history=MemberHistory(is_known=False))

    assert not decision.awards
    assert {one.reason for one in decision.rejections} == {Reason.MEMBER_UNKNOWN}


def test_a_capped_base_lets_campaigns_pay():
    rule = base(cap=1)
    history = anyone()
    absorb(decide(rule=rule, history=history), activity(), history)

    decision = decide(offer(id=9), rule=rule, history=history)

    assert paid(decision) == {9: 10}
    assert decision.rejections[0].reason is Reason.CAP_REACHED


def test_deciding_changes_nothing():
    history = anyone()
    budgets = {9: Budget(points_left=15)}
    limited = offer(id=9, points_budget=15, cap=1)

    first = decide(limited, history=history, budgets=budgets)
    second = decide(limited, history=history, budgets=budgets)

    assert first == second


def test_a_budget_is_clipped_and_says_what_was_asked():
    limited = offer(id=9, points_budget=15)
    budgets = {9: Budget(points_left=4)}

    decision = decide(limited, budgets=budgets)
    consume(decision, budgets)

    award = decision.awards[-1]
    assert (award.points, award.asked) == (4, 10)
    assert budgets[9].points_left == 0
    assert decide(limited, budgets=budgets).rejections[-1].reason is (
        Reason.POINTS_BUDGET_SPENT
    )


def test_a_loser_of_an_exclusive_group_takes_nothing_from_its_budget():
    winner = offer(id=8, exclusive_group="x")
    loser = offer(id=9, exclusive_group="x", awards_budget=1)
    budgets = {9: Budget(awards_left=1)}

    decision = decide(winner, loser, budgets=budgets)
    consume(decision, budgets)

    assert budgets[9].awards_left == 1
    assert decision.rejections[-1].operands == {"winner": 8}


def test_who_cannot_pay_does_not_win_an_exclusive_group():
    spent = offer(id=8, exclusive_group="x", awards_budget=1)
    second = offer(id=9, exclusive_group="x")

    decision = decide(spent, second, budgets={8: Budget(awards_left=0)})

    assert paid(decision) == {1: 12, 9: 10}


def test_a_tier_is_reached_by_the_activity_that_crosses_its_threshold():
    rules = Rules(Clock(RULES.clock.zone), (TierStep(7, 0, 12),))
    history = anyone()

    decision = decide(history=history, rules=rules)
    absorb(decision, activity(), history)

    assert decision.tier_id is None
    assert (decision.tier_change.tier_id, decision.tier_change.since) == (7, NOON)
    later = activity(occurred_at=NOON + timedelta(seconds=1))
    assert decide(history=history, rules=rules, happened=later).tier_id == 7


def test_wallets_that_do_not_count_leave_the_tier():
    rules = Rules(Clock(RULES.clock.zone), (TierStep(7, 0, 12),))
    wallet = Wallet(id=2, code="w", counts_for_tier=False)

    assert decide(rule=base(wallet=wallet), rules=rules).tier_change is None


offers = st.builds(
    offer,
    id=st.integers(100, 10_000),
    is_enabled=st.booleans(),
    cap=st.none() | st.integers(1, 3),
    required_attempts=st.integers(1, 3),
    points=st.integers(0, 20),
    exclusive_group=st.sampled_from(["", "x"]),
    minimum_units=st.none() | st.integers(0, 200_000),
)


@given(
    candidates=st.lists(offers, max_size=6, unique_by=lambda one: one.id),
    units=st.integers(-10_000, 300_000),
)
def test_every_offer_is_decided_exactly_once(candidates, units):
    decision = decide(*candidates, happened=activity(units=units))

    decided = [one.offer.id for one in (*decision.awards, *decision.rejections)]
    assert sorted(decided) == sorted([1, *(one.id for one in candidates)])
    assert all(award.points > 0 for award in decision.awards)


def test_points_given_by_the_caller_stand_in_place_of_the_types_rule():
    decision = decide(happened=activity(given_points=150))

    (award,) = decision.awards
    assert (award.points, award.asked) == (150, 150)
    assert award.operands == {"by_rule": 12}
    assert decision.given_points == 150


def test_points_given_by_the_caller_are_what_a_multiple_of_the_base_multiplies():
    double = offer(id=9, reward=RewardKind.MULTIPLIER, multiplier=10_000)

    decision = decide(double, happened=activity(given_points=150))

    assert paid(decision) == {1: 150, 9: 150}


def test_points_given_by_the_caller_do_not_change_what_a_campaign_pays():
    decision = decide(offer(id=9, points=7), happened=activity(given_points=150))

    assert paid(decision) == {1: 150, 9: 7}


def test_given_points_of_zero_pay_nothing_and_say_so():
    decision = decide(happened=activity(given_points=0))

    (rejection,) = decision.rejections
    assert rejection.reason is Reason.NOTHING_TO_PAY
    assert rejection.operands == {"by_rule": 12}


def test_a_type_that_pays_nothing_pays_what_the_caller_gives():
    nothing = base(reward=RewardKind.NOTHING)

    assert paid(decide(rule=nothing, happened=activity(given_points=5))) == {1: 5}


def test_given_points_use_up_the_cap_like_any_award():
    history = anyone()
    capped = base(cap=1)
    first = decide(rule=capped, happened=activity(given_points=150), history=history)
    absorb(first, activity(), history)

    second = decide(rule=capped, happened=activity(given_points=150), history=history)

    assert paid(first) == {1: 150}
    assert [one.reason for one in second.rejections] == [Reason.CAP_REACHED]


def test_given_points_do_not_open_a_type_that_is_closed_to_the_member():
    closed = base(minimum_tier_threshold=100)

    decision = decide(rule=closed, happened=activity(given_points=150))

    assert [one.reason for one in decision.rejections] == [Reason.TIER_TOO_LOW]


def test_vouchers_of_one_list_are_given_while_codes_last():
    voucher = {
        "reward": RewardKind.VOUCHER,
        "voucher_type_id": 4,
        "takes_codes": True,
    }
    first, second = offer(id=8, **voucher), offer(id=9, **voucher)
    codes = Codes(3)
    budgets = {8: Budget(codes=codes), 9: Budget(codes=codes)}

    given_out = []
    for _ in range(3):
        decision = decide(first, second, budgets=budgets)
        consume(decision, budgets)
        given_out.append(sorted(set(paid(decision)) - {1}))

    assert given_out == [[8, 9], [8], []]
    assert codes.left == 0


@given(
    candidates=st.lists(offers, max_size=5, unique_by=lambda one: one.id),
    units=st.integers(0, 300_000),
)
def test_what_pays_meets_all_of_its_conditions(candidates, units):
    happened = activity(units=units)

    for award in decide(*candidates, happened=happened).awards:
        failure = first_failure(award.offer, happened, frozenset(), None, RULES)
        assert failure is None


limited = st.builds(
    offer,
    id=st.integers(100, 10_000),
    points=st.integers(1, 20),
    points_budget=st.none() | st.integers(1, 50),
    awards_budget=st.none() | st.integers(1, 4),
    clips_to_budget=st.booleans(),
)


@given(
    candidates=st.lists(limited, max_size=4, unique_by=lambda one: one.id),
    times=st.integers(0, 8),
)
def test_no_budget_is_ever_overdrawn_and_each_is_used_up(candidates, times):
    budgets = {
        one.id: Budget(one.points_budget, one.awards_budget) for one in candidates
    }
    given_out: dict[int, list[int]] = {one.id: [] for one in candidates}

    for _ in range(times):
        decision = decide(*candidates, budgets=budgets)
        consume(decision, budgets)
        for offer_id, points in paid(decision).items():
            given_out.get(offer_id, []).append(points)

    for one in candidates:
        points, awards = sum(given_out[one.id]), len(given_out[one.id])
        asked = min(times, one.awards_budget or times)
        assert awards <= asked
        if one.points_budget is None:
            assert awards == asked
        elif one.clips_to_budget:
            assert points == min(asked * one.points, one.points_budget)
        else:
            assert awards == min(asked, one.points_budget // one.points)


@given(
    takes=st.lists(st.integers(1, 10), max_size=10),
    gives_back=st.lists(st.booleans(), max_size=10),
)
def test_what_is_given_back_can_be_given_again(takes, gives_back):
    one = offer(id=9, points_budget=30, awards_budget=6)
    left = Budget(30, 6)
    budgets, standing = {9: left}, []

    for place, _ in enumerate(takes):
        decision = decide(one, budgets=budgets)
        consume(decision, budgets)
        standing += [award for award in decision.awards if award.offer.id == 9]
        if standing and place < len(gives_back) and gives_back[place]:
            undone = standing.pop()
            left.points_left = (left.points_left or 0) + undone.points
            left.awards_left = (left.awards_left or 0) + 1

    spent = sum(award.points for award in standing)
    assert (left.points_left, left.awards_left) == (30 - spent, 6 - len(standing))
    assert spent <= 30


@pytest.mark.parametrize(
    ("units", "rounding", "points"),
    [
        pytest.param(19_000, Rounding.HALF_UP, 2, id="1.9 half up"),
        pytest.param(19_000, Rounding.DOWN, 1, id="1.9 down"),
        pytest.param(11_000, Rounding.UP, 2, id="1.1 up"),
        pytest.param(4_000, Rounding.HALF_UP, None, id="0.4 half up is nothing"),
    ],
)
@pytest.mark.parametrize("by_method", [False, True], ids=["campaign", "method"])
def test_a_multiple_of_the_base_is_rounded_once_into_a_coarser_wallet(
    units, rounding, points, by_method
):
    tenths, whole = Wallet(1, "t", decimals=1), Wallet(2, "w", rounding=rounding)
    rule = base(wallet=tenths, reward=RewardKind.PER_VALUE, points=10, per_units=10_000)
    once = {"wallet": whole, "reward": RewardKind.MULTIPLIER, "multiplier": 10_000}
    campaign = offer(id=8, **once)
    if by_method:
        method = offer(id=9, kind=OfferKind.REWARD_METHOD, campaign_id=8, **once)
        campaign = offer(id=8, reward=RewardKind.METHODS, methods=(method,))

    decision = decide(campaign, rule=rule, happened=activity(units=units))

    assert [one.points for one in decision.awards if one.offer.id != 1] == (
        [] if points is None else [points]
    )
