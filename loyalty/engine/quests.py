"""Quests: prizes for what several activities add up to.

How far a member is follows from the activities that count, and from nothing else:
they are put in order of occurrence and cut into runs. A run is over with the
activity that meets its last requirement; the next activity starts the next run.
One more activity can therefore never take a completion away, a reversed one gives
its progress back, and the order of arrival does not matter.

Amounts count 1/10,000, like the values of activities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from loyalty.engine.baskets import Product
from loyalty.engine.codes import item_key
from loyalty.engine.facts import (
    EVER,
    NEVER,
    Contribution,
    Offer,
    OptIn,
    QuestHistory,
)
from loyalty.engine.numbers import UNITS_PER_ONE


class Measure(Enum):
    """What of an activity counts towards a requirement; the values are stored."""

    VALUE = "value"
    WHOLE_VALUE = "whole_value"
    ACTIVITIES = "activities"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What has to be reached, by activities of one type.

    ``restricted_to`` are the products that count; empty lets the activity's value
    count. With ``interval_days`` the threshold has to be reached in every stretch
    of so many days. ``order`` is its place where the quest enforces one.
    """

    id: int
    activity_type_id: int
    threshold: int
    measure: Measure = Measure.VALUE
    restricted_to: frozenset[str] = frozenset()
    interval_days: int | None = None
    order: int = 1
    description: str = ""


@dataclass(frozen=True, slots=True)
class Quest:
    """A quest: ``offer`` has the prize, the dates, the audience and the total cap.

    ``requirements`` are sorted by order and number. No ``completions_per_member``
    is no limit.
    """

    offer: Offer
    requirements: tuple[Requirement, ...]
    is_automatic: bool = False
    minutes_to_complete: int | None = None
    enforces_order: bool = False
    completions_per_member: int | None = 1

    @property
    def id(self) -> int:
        """Return the number of its offer."""
        return self.offer.id


class Candidate(NamedTuple):
    """A quest towards which an activity could count, and how much."""

    quest: Quest
    amounts: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Progress:
    """How far one requirement is in one run.

    ``needed`` is None where the requirement can never be met, because the run has
    no end to cut into stretches.
    """

    requirement: Requirement
    needed: int | None
    value: int = 0
    updated_at: datetime | None = None
    fulfilled_at: datetime | None = None
    _stretches: dict[int, int] = field(default_factory=dict)

    def add(self, amount: int, at: datetime, run_start: datetime) -> None:
        """Count ``amount`` of an activity at ``at``."""
        days = self.requirement.interval_days
        if days is None:
            self.value += amount
        else:
            self._add_to_stretch(amount, (at - run_start) // timedelta(days=days))
        self.updated_at = at
        if self.needed is not None and self.value >= self.needed:
            self.fulfilled_at = self.fulfilled_at or at

    def _add_to_stretch(self, amount: int, stretch: int) -> None:
        threshold = self.requirement.threshold
        if self.needed is None or stretch >= self.needed // threshold:
            return
        before = self._stretches.get(stretch, 0)
        after = min(before + amount, threshold)
        self._stretches[stretch] = after
        self.value += after - before


@dataclass(slots=True)
class Run:
    """One way through a quest; ``completed_at`` is None while it is under way."""

    starts_at: datetime
    progress: tuple[Progress, ...]
    completed_at: datetime | None = None

    def count(self, contribution: Contribution, *, in_order: bool) -> None:
        """Let an activity count towards the requirements that are open to it."""
        amounts = dict(contribution.amounts)
        at = contribution.occurred_at
        stage = self._stage() if in_order else None
        for one in self.progress:
            amount = amounts.get(one.requirement.id)
            if amount and stage in (None, one.requirement.order):
                one.add(amount, at, self.starts_at)
        if all(one.fulfilled_at for one in self.progress):
            self.completed_at = at

    def _stage(self) -> int | None:
        waiting = [
            one.requirement.order for one in self.progress if not one.fulfilled_at
        ]
        return min(waiting, default=None)


def amounts_of(
    requirements: Iterable[Requirement],
    activity_type_id: int,
    units: int,
    products: Sequence[Product],
) -> tuple[tuple[int, int], ...]:
    """Return how much an activity adds to each requirement: (number, amount).

    Args:
        requirements: those of one quest.
        activity_type_id: the activity's type.
        units: the activity's value.
        products: those of its basket, netted out.

    Requirements that it adds nothing to are left out, so values of zero or below
    never take progress away.

    >>> coffee = Requirement(1, 7, 30_000, restricted_to=frozenset({"latte"}))
    >>> basket = [Product("latte", 40_000), Product("cake", 50_000)]
    >>> amounts_of([coffee], 7, 90_000, basket)
    ((1, 40000),)
    """
    found = []
    for one in requirements:
        if one.activity_type_id == activity_type_id:
            amount = _amount(one, units, products)
            if amount > 0:
                found.append((one.id, amount))
    return tuple(found)


@lru_cache(maxsize=4_096)
def _keys_of(item_ids: frozenset[str]) -> frozenset[str]:
    return frozenset(map(item_key, item_ids))


def _amount(one: Requirement, units: int, products: Sequence[Product]) -> int:
    counted = _keys_of(one.restricted_to)
    matching = [each for each in products if item_key(each.item_id) in counted]
    if one.restricted_to and not any(each.stays for each in matching):
        return 0
    if one.measure is Measure.ACTIVITIES:
        return UNITS_PER_ONE
    if one.restricted_to and one.measure is Measure.VALUE:
        return sum([each.units for each in matching])
    return units


def automatic_opt_in(quest: Quest, enrolled_at: datetime) -> OptIn:
    """Return how a member takes part in a quest without being asked.

    From the quest's start, or from joining the program if that came later.
    Without a time limit everything within the quest's dates counts.
    """
    since = max(quest.offer.starts_at, enrolled_at)
    return OptIn(None, since, ends_at_of(quest, since), is_automatic=True)


def ends_at_of(quest: Quest, since: datetime) -> datetime:
    """Return when somebody who starts at ``since`` runs out of time."""
    minutes = quest.minutes_to_complete
    if minutes is None or NEVER - since <= timedelta(minutes=minutes):
        return NEVER
    return since + timedelta(minutes=minutes)


def opt_in_at(opt_ins: Sequence[OptIn], moment: datetime) -> OptIn | None:
    """Return the opt-in under which an activity at ``moment`` counts, if any.

    ``opt_ins`` are sorted by start.
    """
    for one in reversed(opt_ins):
        if one.counts_from <= moment:
            return one if moment < one.ends_at else None
    return None


def runs_of(quest: Quest, history: QuestHistory, opt_in: OptIn) -> list[Run]:
    """Return a member's runs under one opt-in, in order; the last may be open.

    By call there is one run for each opt-in. Automatically one follows the other,
    as often as a member may complete the quest.
    """
    most = quest.completions_per_member if opt_in.is_automatic else 1
    until = _counts_until(history, opt_in)
    inside = sorted(
        one
        for one in history.contributions
        if opt_in.counts_from <= one.occurred_at < until
    )
    run = _run(quest, _first_moment(quest, opt_in), opt_in)
    runs = [run]
    for contribution in inside:
        if run.completed_at is not None:
            if len(runs) == most:
                break
            run = _run(quest, run.completed_at, opt_in)
            runs.append(run)
        run.count(contribution, in_order=quest.enforces_order)
    return runs


def _counts_until(history: QuestHistory, opt_in: OptIn) -> datetime:
    later = [
        one.counts_from
        for one in history.opt_ins
        if one.counts_from > opt_in.counts_from
    ]
    return min([opt_in.ends_at, *later])


def _first_moment(quest: Quest, opt_in: OptIn) -> datetime:
    return max(opt_in.counts_from, quest.offer.starts_at)


def _run(quest: Quest, start: datetime, opt_in: OptIn) -> Run:
    end = min(opt_in.ends_at, quest.offer.ends_at)
    return Run(
        start,
        tuple(Progress(one, _needed(one, start, end)) for one in quest.requirements),
    )


def _needed(one: Requirement, start: datetime, end: datetime) -> int | None:
    if one.interval_days is None:
        return one.threshold
    if start == EVER or end == NEVER:
        return None
    stretches = (end - start) // timedelta(days=one.interval_days)
    return one.threshold * max(stretches, 1)


def completions_of(quest: Quest, history: QuestHistory) -> int:
    """Return how often a member has completed a quest, as often as it may be."""
    runs = [run for one in history.opt_ins for run in runs_of(quest, history, one)]
    done = sum(run.completed_at is not None for run in runs)
    most = quest.completions_per_member
    return done if most is None else min(done, most)


def prizes_of(history: QuestHistory, opt_in: OptIn) -> list[datetime]:
    """Return the moments of the prizes that came under one opt-in."""
    until = _counts_until(history, opt_in)
    return [at for at, _ in history.prizes if opt_in.counts_from <= at < until]


def prizes_to_take_back(
    quest: Quest, history: QuestHistory, reversed_ids: frozenset[int]
) -> list[int]:
    """Return the activities whose prize goes when some activities are reversed.

    A prize goes if what counted before covers it and what is left does not; a
    changed rule alone takes nothing back. Prizes that came with a reversed activity
    go first, then the latest.
    """
    left = QuestHistory(
        history.opt_ins,
        [one for one in history.contributions if one.activity_id not in reversed_ids],
    )
    covered = min(len(history.prizes), completions_of(quest, history))
    excess = max(covered - completions_of(quest, left), 0)
    prizes = sorted(
        history.prizes, key=lambda one: (one[1] in reversed_ids, *one), reverse=True
    )
    return [activity_id for _, activity_id in prizes[:excess]]
