"""Ends as people read and write them: the last day, or minute, that still counts.

Underneath every end is the first instant that does not count any more.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from loyalty.engine.periods import start_of_day

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_TICK = timedelta(microseconds=1)


class Last(NamedTuple):
    """The last day that counts; ``minute`` is None where all of it does."""

    day: date
    minute: time | None = None


def as_last(ends_at: datetime, zone: tzinfo) -> Last:
    """Return the last day, or the last minute, before an exclusive end.

    A minute of which only a part counts is the last minute.

    >>> as_last(datetime(2026, 6, 1, tzinfo=UTC), UTC).day.isoformat()
    '2026-05-31'
    >>> as_last(datetime(2026, 5, 31, 18, tzinfo=UTC), UTC).minute
    datetime.time(17, 59)
    """
    inside = ends_at - _TICK
    local = inside.astimezone(zone)
    day = local.date()
    if day < date.max and start_of_day(day + _DAY, zone) == ends_at:
        return Last(day)
    return Last(day, time(local.hour, local.minute))


def after_last(last: Last, zone: tzinfo) -> datetime:
    """Return the first instant after the last day or minute, in UTC.

    23:59 is the whole day. A minute that comes twice, because clocks are put back,
    counts both times.

    Raises:
        ValueError: the day has no such minute, because clocks are put forward; or it
            is the last day of the calendar.

    >>> after_last(Last(date(2026, 5, 31)), UTC).isoformat()
    '2026-06-01T00:00:00+00:00'
    >>> after_last(Last(date(2026, 5, 31), time(23, 59)), UTC).isoformat()
    '2026-06-01T00:00:00+00:00'
    """
    if last.day == date.max:
        raise ValueError("The last day of the calendar cannot be an end.")
    if last.minute is None or last.minute.replace(second=0, microsecond=0) == time(
        23, 59
    ):
        return start_of_day(last.day + _DAY, zone)
    shown = datetime.combine(last.day, time(last.minute.hour, last.minute.minute))
    moment = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != shown:
        raise ValueError("The clocks are put forward over this time: choose another.")
    return moment + _MINUTE


def last_text(ends_at: datetime, zone: tzinfo) -> str:
    """Return the last day that counts, with the last minute if it ends within it.

    >>> last_text(datetime(2026, 6, 1, tzinfo=UTC), UTC)
    '31 May 2026'
    >>> last_text(datetime(2026, 5, 31, 18, tzinfo=UTC), UTC)
    '31 May 2026, 17:59'
    """
    day, minute = as_last(ends_at, zone)
    text = f"{day.day} {day:%b %Y}"
    return text if minute is None else f"{text}, {minute:%H:%M}"
