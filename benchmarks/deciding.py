"""Deciding: what the pure engine takes for one activity among 200 live campaigns.

No database: the campaigns that could apply are found in the compiled index, then the
activity is decided. Ordinary campaigns are for a type, a segment, a list of products,
a unit or a channel, so an activity meets a few and five pay it, as in the live
benchmark; in the worst case all of them do.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.measures import Measure, at_most
from loyalty.engine.evaluation import evaluate, segments_at
from loyalty.engine.facts import (
    EVER,
    NEVER,
    ActivityFacts,
    Bucket,
    Budget,
    Clock,
    Distribution,
    Item,
    ItemGroup,
    MemberHistory,
    Offer,
    OfferKind,
    RewardKind,
    Rules,
    Schedule,
    Stay,
    Wallet,
)
from loyalty.engine.programme import Programme, TypeRule
from loyalty.engine.tiers import TierStep

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM_US = 20.0
_NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
_POINTS = Wallet(1, "loyalty")
_TYPES, _SEGMENTS, _LISTS, _UNITS, _CHANNELS = 20, 60, 100, 20, 10


class Size(NamedTuple):
    """How many campaigns and activities; the quickest of the rounds counts."""

    campaigns: int
    activities: int
    rounds: int


FULL = Size(200, 500, rounds=100)
TINY = Size(40, 50, rounds=1)


def run(size: Size) -> list[Measure]:
    """Measure an ordinary mix of campaigns, and one in which nearly all apply."""
    measures = []
    for told, programme in (
        ("an ordinary mix", _ordinary(size.campaigns)),
        ("the worst case: all of them pay", _all_pay(size.campaigns)),
    ):
        met, cost = _measured(programme, size)
        name = f"deciding: {size.campaigns} live campaigns, {told} ({met:.1f} met)"
        if told == "an ordinary mix":
            measures.append(at_most(name, cost, AIM_US, 1.0, "µs"))
        else:
            measures.append(Measure(name, f"{cost:,.3g} µs"))
    return measures


def _measured(programme: Programme, size: Size) -> tuple[float, float]:
    """Return how many campaigns an activity meets, and what it costs in µs."""
    cases = [_case(place) for place in range(size.activities)]
    met = sum(len(_candidates(programme, *case)) for case in cases)
    costs = []
    for _ in range(size.rounds):
        started = time.process_time()
        _decide(programme, cases)
        costs.append(time.process_time() - started)
    return met / len(cases), min(costs) / len(cases) * 1_000_000


def _decide(
    programme: Programme, cases: Sequence[tuple[ActivityFacts, MemberHistory]]
) -> None:
    base, rules = programme.types["PURCHASE"].offer, programme.rules
    budgets = {
        one.id: Budget(one.points_budget, one.awards_budget)
        for one in programme.offers.values()
        if one.has_budget
    }
    for activity, history in cases:
        evaluate(
            activity,
            history,
            base,
            _candidates(programme, activity, history),
            rules,
            budgets,
        )


def _candidates(
    programme: Programme, activity: ActivityFacts, history: MemberHistory
) -> list[Offer]:
    return programme.index.candidates(
        activity.occurred_at,
        activity.activity_type_id,
        activity.business_unit_id,
        activity.channel_id,
        segments_at(history, activity.occurred_at),
        frozenset().union(*[item.list_ids for item in activity.items]),
    )


def _case(place: int) -> tuple[ActivityFacts, MemberHistory]:
    """Return a basket of four products, two of them on lists, of a known member."""
    at = _NOON + timedelta(seconds=place)
    items = (
        Item("a", 45_000, (place % _LISTS + 1,), 2),
        Item("b", 30_000, (place * 7 % _LISTS + 1,)),
    )
    activity = ActivityFacts(
        at,
        1,
        125_000,
        place % _CHANNELS + 1,
        place % _UNITS + 1,
        items,
        line_count=4,
        unlisted_units=50_000,
        unlisted_quantity=2,
        currency="EUR",
        seed=place,
    )
    stays = tuple(Stay((place * step) % _SEGMENTS + 1, EVER, NEVER) for step in (1, 11))
    history = MemberHistory(
        member_id=place,
        score=700,
        tier_timeline=[(_NOON - timedelta(days=90), 2)],
        stays=stays,
    )
    return activity, history


def _ordinary(count: int) -> Programme:
    return _programme([_campaign(place) for place in range(count)])


def _campaign(place: int) -> Offer:
    """Return one of ten kinds of campaigns; their audiences differ within a kind."""
    turn, kind = divmod(place, 10)
    number = 100 + place * 10
    audience: dict[str, Any] = (
        {"segments": frozenset({turn * 3 % _SEGMENTS + 1})},
        {
            "segments": frozenset({(turn * 5 + 2) % _SEGMENTS + 1}),
            "minimum_units": 10**6,
        },
        {"item_list_id": turn % _LISTS + 1, "reward": RewardKind.PER_ITEM_VALUE},
        {"qualify": (ItemGroup((turn + 25) % _LISTS + 1, 2),)},
        {"activity_type_ids": frozenset({turn % (_TYPES - 1) + 2})},
        {"activity_type_ids": frozenset({(turn + 9) % (_TYPES - 1) + 2})},
        {"business_unit_id": turn % _UNITS + 1},
        {"business_unit_ids": frozenset({turn + 1, turn + 2}), **_some_type(turn)},
        {"channel_ids": frozenset({turn % _CHANNELS + 1}), **_some_type(turn)},
        {"segments": frozenset({(turn * 7 + 4) % _SEGMENTS + 1}), **_methods(number)},
    )[kind]
    if turn == 0 and kind < 3:
        # And three that are open to everybody.
        audience = _OPEN[kind]
    return _offer(number, **audience)


_WEEKDAYS = Schedule(frozenset({1, 2, 3, 4, 5}))


def _some_type(turn: int) -> dict[str, Any]:
    return {"schedule": _WEEKDAYS, "activity_type_ids": frozenset({turn % 4 + 1})}


_OPEN: tuple[dict[str, Any], ...] = (
    {"cap": 1, "activity_type_ids": frozenset({1})},
    {"reward": RewardKind.MULTIPLIER, "multiplier": 10_000, "minimum_units": 500_000},
    {"points_budget": 10**12, "minimum_tier_threshold": 500},
)


def _methods(number: int) -> dict[str, Any]:
    per_item = {"distribution": Distribution.PER_ITEM, "redeem": ItemGroup(3)}
    methods = (
        _offer(number + 1, kind=OfferKind.REWARD_METHOD, campaign_id=number),
        _offer(
            number + 2, kind=OfferKind.REWARD_METHOD, campaign_id=number, **per_item
        ),
    )
    return {"reward": RewardKind.METHODS, "methods": methods}


def _all_pay(count: int) -> Programme:
    return _programme([_offer(100 + place * 10) for place in range(count)])


def _offer(number: int, **fields: Any) -> Offer:
    offer = Offer(number, OfferKind.CAMPAIGN, Bucket.BONUS, _POINTS, points=5)
    dates = {"starts_at": _NOON - timedelta(days=9), "ends_at": _NOON.replace(month=9)}
    return replace(offer, **{**dates, **fields})


def _programme(campaigns: list[Offer]) -> Programme:
    base = Offer(
        1, OfferKind.ACTIVITY_TYPE, Bucket.BASE, _POINTS, RewardKind.PER_VALUE, points=1
    )
    tiers = (TierStep(1, 0, 100), TierStep(2, 1, 500), TierStep(3, 2, 5_000))
    return Programme(
        program_id=1,
        revision=1,
        rules=Rules(Clock(UTC), tiers),
        types={"PURCHASE": TypeRule(base, "PURCHASE", allows_negative_value=False)},
        campaigns=tuple(campaigns),
    )
