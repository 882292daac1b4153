"""Hours of a week, so that two schedules can be compared with each other and dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from loyalty.engine.facts import EVER, NEVER
from loyalty.engine.periods import start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import time

    from loyalty.engine.facts import Clock, Offer, Schedule

_DAY = 24 * 60 * 60
_WEEK = 7 * _DAY
# Within so many days every weekday comes.
_EVERY_WEEKDAY = timedelta(days=9)


def open_seconds(schedule: Schedule | None) -> set[tuple[int, int]]:
    """Return when a schedule is open as ``[start, end)`` seconds of the week.

    >>> from datetime import time
    >>> from loyalty.engine.facts import Schedule
    >>> sorted(open_seconds(Schedule(frozenset({7}), time(23), time(1))))
    [(0, 3600), (601200, 604800)]
    """
    if schedule is None:
        return {(0, _WEEK)}
    first, last = 0, _DAY
    if schedule.opens_at is not None and schedule.closes_at is not None:
        first, last = _second(schedule.opens_at), _second(schedule.closes_at)
        last += _DAY if last < first else 0
    found = set()
    for weekday in schedule.weekdays:
        start = (weekday - 1) * _DAY + first
        end = (weekday - 1) * _DAY + last
        found.add((start, min(end, _WEEK)))
        if end > _WEEK:
            found.add((0, end - _WEEK))
    return found


def ever_open_together(one: Schedule | None, other: Schedule | None) -> bool:
    """Return whether there is a time of the week at which both are open."""
    return any(
        max(first[0], second[0]) < min(first[1], second[1])
        for first in open_seconds(one)
        for second in open_seconds(other)
    )


def opens_within_dates(offer: Offer, clock: Clock) -> bool:
    """Return whether the offer's weekdays and hours come between its dates."""
    schedule = offer.schedule
    if schedule is None or offer.starts_at <= EVER or offer.ends_at >= NEVER:
        return True
    if offer.ends_at - offer.starts_at > _EVERY_WEEKDAY:
        return True
    return any(
        max(start, offer.starts_at) < min(end, offer.ends_at)
        for start, end in _openings(offer, schedule, clock)
    )


def _openings(
    offer: Offer, schedule: Schedule, clock: Clock
) -> Iterable[tuple[datetime, datetime]]:
    day = clock.local_date(offer.starts_at) - timedelta(days=1)
    while day <= clock.local_date(offer.ends_at):
        if day.isoweekday() in schedule.weekdays:
            yield _opening(day, schedule, clock)
        day += timedelta(days=1)


def _opening(day: date, schedule: Schedule, clock: Clock) -> tuple[datetime, datetime]:
    following = day + timedelta(days=1)
    opens_at, closes_at = schedule.opens_at, schedule.closes_at
    if opens_at is None or closes_at is None:
        return start_of_day(day, clock.zone), start_of_day(following, clock.zone)
    last = day if opens_at < closes_at else following
    return (
        datetime.combine(day, opens_at, clock.zone),
        datetime.combine(last, closes_at, clock.zone),
    )


def _second(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
