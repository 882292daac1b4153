"""Adding up what a replay pays, for a range of members at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from loyalty.engine.decisions import Reason
from loyalty.engine.facts import OfferKind, RewardKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from loyalty.engine.decisions import Award, Decision
    from loyalty.engine.facts import Budget, Clock

WINNERS_KEPT = 1_000
# Points of one member: at least so many, below the next.
STEPS = (1, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_BUDGETS_SPENT = frozenset(
    {
        Reason.POINTS_BUDGET_SPENT,
        Reason.AWARDS_BUDGET_SPENT,
        Reason.VOUCHER_CODES_SPENT,
    }
)
# Points and awards.
Sums = list[int]


def _sums() -> Sums:
    return [0, 0]


class Tally:
    """What was paid: by member and offer, by day and offer, and beside what else.

    ``tried`` are the campaigns under test. Amounts are in the wallet's smallest unit.
    A reward method counts as itself and, towards overlaps, as its campaign.
    """

    def __init__(self, tried: frozenset[int], clock: Clock) -> None:
        """Start from nothing."""
        self._tried = tried
        self._clock = clock
        self.paid: dict[tuple[int, int], Sums] = defaultdict(_sums)
        self.days: dict[tuple[date, int], Sums] = defaultdict(_sums)
        self.overlaps: dict[tuple[int, int], list[int]] = {}
        self.spent: dict[int, date] = {}
        self.activity_count = 0
        self.reversed_count = 0
        self.unknown_count = 0

    def add(self, member_id: int, at: datetime, awards: Sequence[Award]) -> None:
        """Count what an activity of ``at`` was awarded."""
        day = self._clock.local_date(at)
        for award in awards:
            self.book(member_id, day, award, 1)
        if self._tried and len(awards) > 1:
            self._overlap(awards, 1)

    def remove(self, member_id: int, at: datetime, awards: Sequence[Award]) -> None:
        """Count what was awarded as taken back."""
        day = self._clock.local_date(at)
        for award in awards:
            self.book(member_id, day, award, -1)
        if self._tried and len(awards) > 1:
            self._overlap(awards, -1)

    def book(self, member_id: int, day: date, award: Award, sign: int) -> None:
        """Count one award, or with a negative sign its loss; blanks give nothing."""
        offer, points = award.offer, award.points
        if offer.reward is RewardKind.NOTHING:
            return
        for sums in (self.paid[member_id, offer.id], self.days[day, offer.id]):
            sums[0] += sign * points
            sums[1] += sign

    def note_limits(
        self, decision: Decision, at: datetime, budgets: dict[int, Budget]
    ) -> None:
        """Remember the first day on which a limit had nothing left."""
        spent = [
            one.offer.id for one in decision.rejections if one.reason in _BUDGETS_SPENT
        ]
        for award in decision.awards:
            for offer_id in {award.offer.id, award.offer.campaign_id}:
                budget = None if offer_id is None else budgets.get(offer_id)
                if offer_id is not None and budget is not None and is_spent(budget):
                    spent.append(offer_id)
        if spent:
            day = self._clock.local_date(at)
            for offer_id in spent:
                self.spent.setdefault(offer_id, day)

    def _overlap(self, awards: Sequence[Award], sign: int) -> None:
        tried: dict[int, int] = defaultdict(int)
        others: dict[int, int] = defaultdict(int)
        for award in awards:
            offer = award.offer
            owner = offer.campaign_id or offer.id
            if owner in self._tried:
                tried[owner] += award.points
            elif offer.kind is not OfferKind.ACTIVITY_TYPE:
                others[owner] += award.points
        for one, points in tried.items():
            for other, other_points in others.items():
                sums = self.overlaps.setdefault((one, other), [0, 0, 0])
                sums[0] += sign
                sums[1] += sign * points
                sums[2] += sign * other_points


def is_spent(budget: Budget) -> bool:
    """Return whether a budget lets nothing through any more."""
    return (
        (budget.points_left is not None and budget.points_left <= 0)
        or (budget.awards_left is not None and budget.awards_left <= 0)
        or (budget.codes is not None and budget.codes.left <= 0)
    )


class Counted:
    """Which awards people are shown as the cost, and in which unit they compare.

    ``offers`` are the campaigns under test with their reward methods, or everything
    where none is tried. ``decimals`` are of each offer's wallet.
    """

    def __init__(self, offers: frozenset[int], decimals: dict[int, int]) -> None:
        """Count ``offers``."""
        self.offers = offers
        self._scale: dict[int, int] = {
            one: 10 ** (4 - count) for one, count in decimals.items()
        }

    def units(self, offer_id: int, points: int) -> int:
        """Return points in 1/10,000, whatever their wallet's decimals."""
        return points * self._scale[offer_id]


def summary_of(tally: Tally, counted: Counted, member_count: int) -> dict[str, Any]:
    """Return what a range of members adds up to, as JSON can hold it.

    Members of one range are in no other, so they can be counted here for good.
    """
    offers: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    members: dict[int, Sums] = defaultdict(_sums)
    for (member_id, offer_id), (points, awards) in tally.paid.items():
        if not awards:
            continue
        sums = offers[offer_id]
        sums[0] += points
        sums[1] += awards
        sums[2] += 1
        if offer_id in counted.offers:
            own = members[member_id]
            own[0] += counted.units(offer_id, points)
            own[1] += awards
    days: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (day, offer_id), sums in tally.days.items():
        if sums[1]:
            days[day.isoformat()][str(offer_id)] = sums
    return {
        "activities": tally.activity_count,
        "reversed": tally.reversed_count,
        "unknown": tally.unknown_count,
        "members": member_count,
        "reached": len(members),
        "offers": {str(one): sums for one, sums in offers.items()},
        "days": dict(days),
        "overlaps": {
            f"{one}:{other}": sums
            for (one, other), sums in tally.overlaps.items()
            if sums[0]
        },
        "spent": {str(one): day.isoformat() for one, day in tally.spent.items()},
        "winners": _best([[one, *sums] for one, sums in members.items()]),
        "steps": _stepped(members),
    }


def _best(winners: list[list[int]]) -> list[list[int]]:
    """Return the members with most points: number, points in 1/10,000, awards."""
    return sorted(winners, key=lambda one: (-one[1], -one[2], one[0]))[:WINNERS_KEPT]


def _stepped(members: dict[int, Sums]) -> dict[str, int]:
    steps: dict[str, int] = defaultdict(int)
    for units, _ in members.values():
        place = bisect_right(STEPS, units // 10_000)
        steps[str(STEPS[place - 1] if place else 0)] += 1
    return dict(steps)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return two ranges of members as one; an empty one changes nothing."""
    if not one:
        return other
    together = {
        name: one[name] + other[name]
        for name in ("activities", "reversed", "unknown", "members", "reached")
    }
    days = dict(one["days"])
    for day, sums in other["days"].items():
        days[day] = _added(days.get(day, {}), sums)
    spent = dict(one["spent"])
    for offer_id, day in other["spent"].items():
        spent[offer_id] = min(day, spent.get(offer_id, day))
    return {
        **together,
        "offers": _added(one["offers"], other["offers"]),
        "recorded": _added(one.get("recorded", {}), other.get("recorded", {})),
        "days": days,
        "overlaps": _added(one["overlaps"], other["overlaps"]),
        "spent": spent,
        "winners": _best([*one["winners"], *other["winners"]]),
        "steps": {
            step: one["steps"].get(step, 0) + other["steps"].get(step, 0)
            for step in one["steps"] | other["steps"]
        },
    }


def _added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    added = dict(one)
    for key, sums in other.items():
        before = added.get(key)
        added[key] = (
            sums
            if before is None
            else [a + b for a, b in zip(before, sums, strict=True)]
        )
    return added
