"""Interactions: which check comes first, what it costs, what never happens."""

from datetime import time, timedelta
from itertools import combinations

import pytest

from loyalty.engine.decisions import Reason
from loyalty.engine.facts import Budget, Codes, RewardKind, Schedule
from loyalty.engine.holdout import Holdout
from loyalty.engine.interactions import Price, Verdict
from tests.engine.interactions import (
    BLANK,
    COST_5,
    COST_30,
    COST_GEMS,
    CREDITS,
    GEMS,
    HAD,
    LISTED,
    NO_CODES,
    OTHERS,
    SPENT,
    VOUCHER,
    decide,
    every,
    given_by,
    scratch_card,
)
from tests.engine.offers import (
    NOON,
    method,
    offer,
)

# Each failing check, in the order in which they are made: how the campaign with the
# one method 8 has to be changed for it, and what is said then.
FAILURES: dict[str, tuple[dict, Verdict, Reason | None]] = {
    "context": ({"context": "activity"}, Verdict.OTHER_CONTEXT, None),
    "switch": ({"is_enabled": False}, Verdict.NOT_ACTIVE, Reason.DISABLED),
    "start": (
        {"starts_at": NOON + timedelta(seconds=1)},
        Verdict.NOT_ACTIVE,
        Reason.NOT_STARTED,
    ),
    "end": ({"ends_at": NOON}, Verdict.NOT_ACTIVE, Reason.ENDED),
    "schedule": (
        {"schedule": Schedule(opens_at=time(13), closes_at=time(11))},
        Verdict.NOT_ACTIVE,
        Reason.OUTSIDE_SCHEDULE,
    ),
    "tier": (
        {"minimum_tier_threshold": 10},
        Verdict.NOT_IN_AUDIENCE,
        Reason.TIER_TOO_LOW,
    ),
    "segment": (
        {"segments": frozenset({1})},
        Verdict.NOT_IN_AUDIENCE,
        Reason.NOT_IN_SEGMENT,
    ),
    "holdout": (
        {"holdout": Holdout("salt", 10_000)},
        Verdict.NOT_IN_AUDIENCE,
        Reason.IN_HOLDOUT,
    ),
    "cap": ({"cap": 1}, Verdict.MEMBER_HAD_ALL, Reason.CAP_REACHED),
    "budget": (
        {"awards_budget": 3},
        Verdict.FULLY_REDEEMED,
        Reason.AWARDS_BUDGET_SPENT,
    ),
    "price": ({"cost": 11, "cost_wallet_id": CREDITS}, Verdict.TOO_FEW_POINTS, None),
}


def failing(*names):
    """Decide about a campaign at which these checks fail."""
    fields: dict = {}
    for name in names:
        fields |= FAILURES[name][0]
    had = [9] if "cap" in names else []
    left = {9: Budget(awards_left=0)} if "budget" in names else {}
    campaign = scratch_card(method(id=8), id=9, **fields)
    return decide(campaign, at_hand={CREDITS: 10}, had=had, left=left)


@pytest.mark.parametrize("name", FAILURES)
def test_each_check_that_fails_is_told(name):
    _, verdict, reason = FAILURES[name]

    outcome = failing(name)

    assert outcome.verdict is verdict
    assert outcome.decision is None
    assert (outcome.rejection and outcome.rejection.reason) == reason


@pytest.mark.parametrize(("earlier", "later"), list(combinations(FAILURES, 2)))
def test_of_two_checks_that_fail_the_earlier_is_told(earlier, later):
    _, verdict, reason = FAILURES[earlier]

    outcome = failing(earlier, later)

    assert outcome.verdict is verdict
    assert (outcome.rejection and outcome.rejection.reason) == reason


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        pytest.param(time(22), Verdict.ACTED, id="opens on Wednesday"),
        pytest.param(time(23, 59), Verdict.ACTED, id="before midnight"),
        pytest.param(time(21, 59), Verdict.NOT_ACTIVE, id="not open yet"),
        pytest.param(time(1), Verdict.NOT_ACTIVE, id="the night from Tuesday"),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_open(at, verdict):
    wednesdays = Schedule(frozenset({3}), time(22), time(2))
    moment = NOON.replace(hour=at.hour, minute=at.minute)
    campaign = scratch_card(method(), schedule=wednesdays)

    assert decide(campaign, at=moment).verdict is verdict


def test_the_night_after_the_open_day_is_open():
    wednesdays = Schedule(frozenset({3}), time(22), time(2))
    campaign = scratch_card(method(), schedule=wednesdays)
    thursday = NOON.replace(hour=1, minute=59) + timedelta(days=1)

    assert decide(campaign, at=thursday).verdict is Verdict.ACTED
    closed = decide(campaign, at=thursday + timedelta(minutes=1))
    assert closed.verdict is Verdict.NOT_ACTIVE


@pytest.mark.parametrize(
    ("campaign", "verdict", "reason"),
    [
        pytest.param(
            scratch_card(method(id=8, **SPENT)),
            Verdict.FULLY_REDEEMED,
            Reason.AWARDS_BUDGET_SPENT,
            id="no stock",
        ),
        pytest.param(
            scratch_card(method(id=7, **LISTED)),
            Verdict.FULLY_REDEEMED,
            Reason.VOUCHER_CODES_SPENT,
            id="no codes",
        ),
        pytest.param(
            scratch_card(method(id=6, **HAD)),
            Verdict.MEMBER_HAD_ALL,
            Reason.CAP_REACHED,
            id="had it",
        ),
        pytest.param(
            scratch_card(method(id=6, **HAD), method(id=8, **SPENT)),
            Verdict.MEMBER_HAD_ALL,
            Reason.CAP_REACHED,
            id="had the one, the other is gone",
        ),
        pytest.param(
            scratch_card(method(**OTHERS), method(id=8, **SPENT)),
            Verdict.FULLY_REDEEMED,
            Reason.AWARDS_BUDGET_SPENT,
            id="for others, and gone",
        ),
        pytest.param(
            scratch_card(method(**OTHERS)),
            Verdict.NOT_IN_AUDIENCE,
            Reason.NOT_IN_SEGMENT,
            id="for others",
        ),
        pytest.param(
            scratch_card(method(weight=0)),
            Verdict.NOT_IN_AUDIENCE,
            Reason.NOT_DRAWN,
            id="no chance",
        ),
        pytest.param(
            scratch_card(), Verdict.NOT_IN_AUDIENCE, None, id="without methods"
        ),
        pytest.param(
            scratch_card(method(id=8, **SPENT), method(**BLANK)),
            Verdict.ACTED,
            None,
            id="a draw can end on the blank alone",
        ),
        pytest.param(
            every(method(id=8, **SPENT), method(**BLANK)),
            Verdict.FULLY_REDEEMED,
            Reason.AWARDS_BUDGET_SPENT,
            id="a blank for certain is nothing to pay for",
        ),
        pytest.param(
            every(method(**OTHERS), method(**BLANK)),
            Verdict.ACTED,
            None,
            id="unless nothing was kept back by a limit",
        ),
        pytest.param(
            every(method(id=8, **SPENT), method(**VOUCHER)),
            Verdict.ACTED,
            None,
            id="something is left",
        ),
        pytest.param(
            offer(context="interaction", points=0, reward=RewardKind.NOTHING),
            Verdict.ACTED,
            None,
            id="interacting is all",
        ),
    ],
)
def test_what_can_be_given_decides_whether_it_happens(campaign, verdict, reason):
    left = {8: Budget(awards_left=0), 7: NO_CODES}

    outcome = decide(campaign, had=[6], left=left)

    assert outcome.verdict is verdict
    assert (outcome.rejection and outcome.rejection.reason) == reason


@pytest.mark.parametrize(
    ("campaign", "prices"),
    [
        pytest.param(scratch_card(method()), [], id="free"),
        pytest.param(
            scratch_card(method(), **COST_5), [(CREDITS, 5)], id="the campaign's own"
        ),
        pytest.param(
            scratch_card(method(**COST_30), **COST_5),
            [(CREDITS, 5)],
            id="of a draw its own stands for those of its methods",
        ),
        pytest.param(
            scratch_card(method(**COST_5), method(**COST_30)),
            [(CREDITS, 30)],
            id="of a draw without one the highest",
        ),
        pytest.param(
            scratch_card(method(**COST_5), method(**COST_30, **OTHERS)),
            [(CREDITS, 5)],
            id="of those that can be drawn",
        ),
        pytest.param(
            scratch_card(method(**COST_5), method(**COST_30, weight=0)),
            [(CREDITS, 5)],
            id="a chance of nothing costs nothing",
        ),
        pytest.param(
            scratch_card(method(**COST_5), method(**COST_GEMS), method(**COST_30)),
            [(CREDITS, 30), (GEMS, 2)],
            id="the highest of each wallet",
        ),
        pytest.param(
            every(method(**COST_5), method(**COST_30)), [(CREDITS, 35)], id="a sum"
        ),
        pytest.param(
            every(method(**COST_5), method(**COST_30), **COST_5),
            [(CREDITS, 40)],
            id="a sum and the campaign's own",
        ),
        pytest.param(
            every(method(**COST_5), method(**COST_30, **OTHERS), **COST_GEMS),
            [(CREDITS, 5), (GEMS, 2)],
            id="of what is given, in two wallets",
        ),
        pytest.param(
            offer(context="interaction", **COST_5),
            [(CREDITS, 5)],
            id="a campaign without methods",
        ),
    ],
)
def test_what_it_costs(campaign, prices):
    enough = dict(prices)

    acted = decide(campaign, at_hand=enough)

    assert acted.verdict is Verdict.ACTED
    assert acted.prices == tuple(Price(*one) for one in prices)
    for wallet_id, points in prices:
        refused = decide(campaign, at_hand={**enough, wallet_id: points - 1})
        assert refused.verdict is Verdict.TOO_FEW_POINTS
        assert refused.missing == Price(wallet_id, points)
        overdrawn = decide(campaign, at_hand={**enough, wallet_id: None})
        assert overdrawn.verdict is Verdict.ACTED


def test_a_wallet_that_the_member_does_not_have_is_empty():
    refused = decide(scratch_card(method(), **COST_5), at_hand={GEMS: 100})

    assert refused.verdict is Verdict.TOO_FEW_POINTS


def test_codes_of_one_list_are_given_as_far_as_they_reach():
    codes = Codes(2)
    campaign = every(*(method(id=one, **LISTED) for one in (1, 2, 3)))

    outcome = decide(campaign, left={one: Budget(codes=codes) for one in (1, 2, 3)})

    assert given_by(outcome) == [1, 2]
    assert [one.reason for one in outcome.decision.rejections] == [
        Reason.VOUCHER_CODES_SPENT
    ]


@pytest.mark.parametrize(("clips", "points"), [(True, 3), (False, 2)])
def test_a_points_budget_cuts_or_takes_out_of_the_draw(clips, points):
    campaign = scratch_card(
        method(points=10), method(points=2), points_budget=9, clips_to_budget=clips
    )
    left = {campaign.id: Budget(points_left=3)}

    paid = [
        decide(campaign, left=left, seed=seed).decision.awards[0].points
        for seed in range(20)
    ]

    assert max(paid) == points
    assert min(paid) == 2
