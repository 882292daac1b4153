"""Limits of composed campaigns: stock, caps, budgets, codes and groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.decisions import Reason
from loyalty.engine.evaluation import absorb, consume
from loyalty.engine.facts import (
    Budget,
    Codes,
    Distribution,
    ItemGroup,
    OfferKind,
    RewardKind,
)
from loyalty.engine.holdout import PARTS, Holdout
from loyalty.engine.periods import Unit
from tests.engine.composing import decide, paid, reasons
from tests.engine.offers import (
    activity,
    anyone,
    composed,
    method,
    offer,
)


def test_stock_counts_over_all_members_and_activities():
    campaign = composed(method(id=8, awards_budget=2), id=9)
    budgets = {8: Budget(awards_left=2)}

    decisions = []
    for _ in range(3):
        decisions.append(decide(campaign, budgets=budgets))
        consume(decisions[-1], budgets)

    assert [paid(one) for one in decisions] == [{8: 10}, {8: 10}, {}]
    assert reasons(decisions[-1])[8] is Reason.AWARDS_BUDGET_SPENT


def test_what_is_spread_adds_up_when_a_budget_clips_it():
    spread = method(id=8, distribution=Distribution.SPREAD, redeem=ItemGroup(5))
    campaign = composed(spread, id=9, points_budget=7, clips_to_budget=True)

    (award,) = decide(campaign, budgets={9: Budget(points_left=7)}).awards[1:]

    assert (award.points, award.asked) == (7, 10)
    assert award.operands["spread"] == [["tea", 1], ["cup", 6]]


def test_a_limit_per_member_is_the_methods_own():
    campaign = composed(method(id=7, cap=1), method(id=8), id=9)
    history = anyone()
    first = decide(campaign, history=history)
    absorb(first, activity(), history)

    second = decide(campaign, history=history)

    assert paid(first) == {7: 10, 8: 10}
    assert paid(second) == {8: 10}
    assert reasons(second) == {7: Reason.CAP_REACHED}


def test_a_cap_of_the_campaign_counts_activities_not_methods():
    campaign = composed(method(id=7), method(id=8), id=9, cap=2)
    history = anyone()

    decisions = []
    for _ in range(3):
        decisions.append(decide(campaign, history=history))
        absorb(decisions[-1], activity(), history)

    assert [len(paid(one)) for one in decisions] == [2, 2, 0]
    assert reasons(decisions[-1]) == {9: Reason.CAP_REACHED}


def test_attempts_of_the_campaign_come_before_its_methods():
    campaign = composed(
        method(id=8), id=9, required_attempts=2, period=Unit.CALENDAR_DAY
    )
    history = anyone()

    given_out = []
    for _ in range(4):
        decision = decide(campaign, history=history)
        absorb(decision, activity(), history)
        given_out.append(len(paid(decision)))

    assert given_out == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("clips", "first", "second", "reason"),
    [
        pytest.param(True, 10, 5, None, id="clip"),
        pytest.param(False, 10, None, Reason.POINTS_BUDGET_SPENT, id="reject"),
    ],
)
def test_methods_share_the_campaigns_points(clips, first, second, reason):
    campaign = composed(
        method(id=7), method(id=8), id=9, points_budget=15, clips_to_budget=clips
    )
    budgets = {9: Budget(points_left=15)}

    decision = decide(campaign, budgets=budgets)
    consume(decision, budgets)

    assert paid(decision).get(7) == first
    assert paid(decision).get(8) == second
    assert reasons(decision).get(8) == reason
    assert budgets[9].points_left == 15 - first - (second or 0)


def test_methods_share_the_campaigns_awards():
    campaign = composed(method(id=7), method(id=8), id=9, awards_budget=5)
    budgets = {9: Budget(awards_left=1)}

    decision = decide(campaign, budgets=budgets)

    assert paid(decision) == {7: 10}
    assert decision.rejections[0].operands == {"awards_budget": 5}


@pytest.mark.parametrize("left", [0, -5])
def test_what_gives_no_points_goes_on_when_the_points_are_spent(left):
    voucher = method(id=8, reward=RewardKind.VOUCHER, voucher_type_id=4)
    campaign = composed(method(id=7), voucher, id=9, points_budget=10)

    decision = decide(campaign, budgets={9: Budget(points_left=left)})

    assert paid(decision) == {8: 0}
    assert reasons(decision) == {7: Reason.POINTS_BUDGET_SPENT}


def listed_voucher(**fields):
    return {
        "reward": RewardKind.VOUCHER,
        "voucher_type_id": 4,
        "takes_codes": True,
        **fields,
    }


def test_the_last_code_goes_to_one_method():
    campaign = composed(
        method(id=7, **listed_voucher()), method(id=8, **listed_voucher()), id=9
    )
    codes = Codes(1)

    decision = decide(
        campaign, budgets={7: Budget(codes=codes), 8: Budget(codes=codes)}
    )

    assert paid(decision) == {7: 0}
    assert reasons(decision) == {8: Reason.VOUCHER_CODES_SPENT}


def test_the_last_code_goes_to_one_campaign():
    codes = Codes(1)
    budgets = {one: Budget(codes=codes) for one in (7, 8)}

    decision = decide(
        offer(id=7, **listed_voucher()),
        composed(method(id=8, **listed_voucher()), id=9),
        budgets=budgets,
    )
    consume(decision, budgets)

    assert paid(decision) == {7: 0}
    assert reasons(decision)[8] is Reason.VOUCHER_CODES_SPENT
    assert codes.left == 0


def test_a_draw_among_vouchers_of_one_list_needs_one_code():
    campaign = composed(
        method(id=7, **listed_voucher()),
        method(id=8, **listed_voucher()),
        id=9,
        draws=True,
    )
    codes = Codes(1)

    decision = decide(
        campaign, budgets={7: Budget(codes=codes), 8: Budget(codes=codes)}
    )

    assert decision.draws[0].candidates == ((7, 1), (8, 1))


def test_who_pays_through_a_method_wins_its_exclusive_group():
    winner = composed(method(id=7), id=8, exclusive_group="x")
    loser = offer(id=9, exclusive_group="x")

    decision = decide(winner, loser)

    assert paid(decision) == {7: 10}
    assert decision.rejections[-1].operands == {"winner": 8}


def test_a_composed_campaign_that_gives_nothing_does_not_win_its_group():
    empty = composed(method(id=7, minimum_units=10**9), id=8, exclusive_group="x")

    assert paid(decide(empty, offer(id=9, exclusive_group="x"))) == {9: 10}


def test_a_held_out_member_gets_none_of_the_methods():
    campaign = composed(method(id=8), id=9, holdout=Holdout("salt", PARTS))

    assert reasons(decide(campaign)) == {9: Reason.IN_HOLDOUT}


methods = st.builds(
    method,
    id=st.integers(1_000, 9_999),
    points=st.integers(0, 20),
    weight=st.integers(0, 3),
    reward=st.sampled_from([RewardKind.FIXED, RewardKind.NOTHING, RewardKind.VOUCHER]),
    voucher_type_id=st.just(4),
    takes_codes=st.booleans(),
    awards_budget=st.none() | st.integers(1, 4),
    cap=st.none() | st.integers(1, 3),
    minimum_units=st.none() | st.integers(0, 200_000),
)


@st.composite
def campaigns(draw):
    some = draw(st.lists(methods, max_size=5, unique_by=lambda one: one.id))
    return composed(
        *sorted(some, key=lambda one: one.id),
        id=9,
        draws=draw(st.booleans()),
        points_budget=draw(st.none() | st.integers(1, 60)),
        awards_budget=draw(st.none() | st.integers(1, 6)),
        clips_to_budget=draw(st.booleans()),
        cap=draw(st.none() | st.integers(1, 4)),
    )


@given(
    campaign=campaigns(),
    code_count=st.integers(0, 4),
    values=st.lists(st.integers(0, 250_000), max_size=8),
)
def test_no_sequence_of_activities_gets_more_than_any_limit(
    campaign, code_count, values
):
    codes = Codes(code_count)
    budgets = {9: Budget(campaign.points_budget, campaign.awards_budget)} | {
        one.id: Budget(None, one.awards_budget, codes if one.takes_codes else None)
        for one in campaign.methods
    }
    history, given_out = anyone(), []

    for seed, value in enumerate(values):
        happened = activity(units=value, seed=seed)
        decision = decide(campaign, happened=happened, history=history, budgets=budgets)
        absorb(decision, happened, history)
        consume(decision, budgets)
        given_out += [one for one in decision.awards if one.offer.id != 1]

    points = sum(award.points for award in given_out)
    assert points <= (
        points if campaign.points_budget is None else campaign.points_budget
    )
    if campaign.awards_budget is not None:
        assert len(given_out) <= campaign.awards_budget
    with_codes = [one for one in given_out if one.offer.takes_codes]
    assert len([one for one in with_codes if one.offer.gives_no_points]) <= code_count
    for one in campaign.methods:
        uses = sum(award.offer.id == one.id for award in given_out)
        assert one.awards_budget is None or uses <= one.awards_budget
        assert one.cap is None or uses <= one.cap
    assert all(
        left is None or left >= 0
        for budget in budgets.values()
        for left in (budget.points_left, budget.awards_left)
    )


@given(campaign=campaigns(), value=st.integers(0, 250_000), seed=st.integers(0, 99))
def test_every_method_is_decided_once_or_its_campaign_is_refused(campaign, value, seed):
    budgets = {9: Budget(campaign.points_budget, campaign.awards_budget)} | {
        one.id: Budget(None, one.awards_budget, Codes(1)) for one in campaign.methods
    }

    decision = decide(
        campaign, happened=activity(units=value, seed=seed), budgets=budgets
    )

    decided = [
        one.offer.id
        for one in (*decision.awards, *decision.rejections)
        if one.offer.kind is OfferKind.REWARD_METHOD
    ]
    refused = [one for one in decision.rejections if one.offer.id == 9]
    assert sorted(decided) == [one.id for one in campaign.methods]
    assert bool(refused) is (not paid(decision))
    if campaign.draws:
        assert len(paid(decision)) <= 1
