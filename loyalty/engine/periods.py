"""Frequency periods: how time is cut for caps and required attempts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from typing import NamedTuple


class Unit(Enum):
    """The eleven ways to cut time; the values are stored."""

    ROLLING_24_HOURS = "rolling_24_hours"
    CALENDAR_DAY = "calendar_day"
    SEVEN_CALENDAR_DAYS = "seven_calendar_days"
    CALENDAR_WEEK = "calendar_week"
    LIFETIME = "lifetime"
    CALENDAR_MONTH = "calendar_month"
    CALENDAR_YEAR = "calendar_year"
    ROLLING_365_DAYS = "rolling_365_days"
    ROLLING_90_DAYS = "rolling_90_days"
    ROLLING_30_DAYS = "rolling_30_days"
    ROLLING_180_DAYS = "rolling_180_days"


class Window(NamedTuple):
    """A half-open cut of time, ``[start, end)``, in UTC."""

    start: datetime
    end: datetime


_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_LIFETIME = Window(_EVER, _NEVER)
_LAST_ORDINAL = date.max.toordinal()
_LENGTHS = {
    Unit.ROLLING_24_HOURS: _DAY,
    Unit.ROLLING_30_DAYS: 30 * _DAY,
    Unit.ROLLING_90_DAYS: 90 * _DAY,
    Unit.ROLLING_180_DAYS: 180 * _DAY,
    Unit.ROLLING_365_DAYS: 365 * _DAY,
}
ROLLING_UNITS = frozenset(_LENGTHS)
# Each moment has a window of its own, and stands in those of later moments too.
MOVING_UNITS = ROLLING_UNITS | {Unit.SEVEN_CALENDAR_DAYS}


def window_containing(
    unit: Unit, moment: datetime, zone: tzinfo, first_weekday: int = 0
) -> Window:
    """Return the window of ``unit`` that contains ``moment``.

    Args:
        unit: how time is cut.
        moment: aware; any zone; before the last microsecond of year 9999.
        zone: the zone whose midnights start days, weeks, months and years.
        first_weekday: the day on which weeks start; 0 is Monday.

    Returns:
        Calendar windows run from local midnight to local midnight; a day across
        a change of clocks is 23 or 25 hours long, on purpose. Seven calendar days
        are that day and the six before. Rolling windows hold the hours up to and
        including the moment, ``(moment - length, moment]``, so they start and end
        a microsecond later; 30 days are 720 hours there. Years 1 and 9999 are cut
        off where the calendar ends.

    Raises:
        ValueError: ``moment`` is naive.

    >>> from zoneinfo import ZoneInfo
    >>> evening = datetime(2026, 1, 14, 19, 0, tzinfo=UTC)
    >>> kolkata = ZoneInfo("Asia/Kolkata")
    >>> window_containing(Unit.CALENDAR_DAY, evening, kolkata).start.isoformat()
    '2026-01-14T18:30:00+00:00'
    >>> window_containing(Unit.ROLLING_24_HOURS, evening, kolkata).start.isoformat()
    '2026-01-13T19:00:00.000001+00:00'
    """
    if moment.tzinfo is None:
        raise ValueError("A window needs a moment with a zone.")
    if unit is Unit.LIFETIME:
        return _LIFETIME
    length = _LENGTHS.get(unit)
    if length is not None:
        return _rolling(moment.astimezone(UTC), length)
    return _calendar(unit, moment, zone, first_weekday)


def reach_of(
    unit: Unit, moment: datetime, zone: tzinfo, first_weekday: int = 0
) -> Window:
    """Return the time that all windows of ``unit`` with ``moment`` in them cover.

    Of calendar periods that is the one window. Rolling windows reach back from the
    moment and, as windows of later moments, forward from it.

    Raises:
        ValueError: ``moment`` is naive.

    >>> noon = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    >>> reach_of(Unit.ROLLING_24_HOURS, noon, UTC).end.isoformat()
    '2026-03-05T12:00:00+00:00'
    """
    window = window_containing(unit, moment, zone, first_weekday)
    if unit not in MOVING_UNITS:
        return window
    length = _LENGTHS.get(unit)
    if length is not None:
        moment = moment.astimezone(UTC)
        return Window(
            window.start, moment + length if _NEVER - moment > length else _NEVER
        )
    if window.end == _NEVER:
        return window
    following = (window.end - _TICK).astimezone(zone).date().toordinal() + 7
    if following > _LAST_ORDINAL:
        return Window(window.start, _NEVER)
    return Window(window.start, start_of_day(date.fromordinal(following), zone))


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant that shows ``day``, or a later one, in ``zone``; UTC.

    A midnight that comes twice counts the first time. Where clocks are put forward
    over midnight the day starts at that instant, and a day that the zone skipped
    is empty. The first day of year 1 starts where the calendar does.

    >>> from zoneinfo import ZoneInfo
    >>> start_of_day(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")).isoformat()
    '2018-11-04T03:00:00+00:00'
    """
    if day == date.min:
        return _EVER
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    start = midnight.astimezone(UTC)
    before = midnight.replace(fold=1).astimezone(UTC)
    if start <= before:
        return start
    # Midnight was skipped. Read with the offset after the change it lies before
    # that change, read with the offset before it, at the change or after it.
    seconds_low, seconds_high = 0, (start - before) // timedelta(seconds=1)
    while seconds_high - seconds_low > 1:
        middle = (seconds_low + seconds_high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).date() < day:
            seconds_low = middle
        else:
            seconds_high = middle
    return before + timedelta(seconds=seconds_high)


def _rolling(moment: datetime, length: timedelta) -> Window:
    start = moment - length + _TICK if moment - _EVER >= length else _EVER
    end = moment + _TICK if moment < _NEVER else _NEVER
    return Window(start, end)


def _calendar(unit: Unit, moment: datetime, zone: tzinfo, first_weekday: int) -> Window:
    try:
        day = moment.astimezone(zone).date()
    except OverflowError:
        day = date.min if moment.year == 1 else date.max
    window = _calendar_window(unit, day, zone, first_weekday)
    # Where clocks are put back over midnight, yesterday's date shows again after
    # today has begun; that hour is part of today, so that days do not overlap.
    while moment >= window.end and day < date.max:
        day += _DAY
        window = _calendar_window(unit, day, zone, first_weekday)
    return window


@lru_cache(maxsize=16_384)
def _calendar_window(unit: Unit, day: date, zone: tzinfo, first_weekday: int) -> Window:
    first, following = _days(unit, day, first_weekday)
    start = _EVER if first <= 1 else start_of_day(date.fromordinal(first), zone)
    if following > _LAST_ORDINAL:
        return Window(start, _NEVER)
    return Window(start, start_of_day(date.fromordinal(following), zone))


def _days(unit: Unit, day: date, first_weekday: int) -> tuple[int, int]:
    """Return the ordinals of the window's first day and of the one that follows."""
    today = day.toordinal()
    if unit is Unit.CALENDAR_DAY:
        return today, today + 1
    if unit is Unit.SEVEN_CALENDAR_DAYS:
        return today - 6, today + 1
    if unit is Unit.CALENDAR_WEEK:
        first = today - (day.weekday() - first_weekday) % 7
        return first, first + 7
    if unit is Unit.CALENDAR_MONTH:
        # Day 28 and four days are in the following month, whatever the length.
        within_next = day.replace(day=28).toordinal() + 4
        if within_next > _LAST_ORDINAL:
            return day.replace(day=1).toordinal(), within_next
        following = date.fromordinal(within_next).replace(day=1)
        return day.replace(day=1).toordinal(), following.toordinal()
    last = day.replace(month=12, day=31).toordinal()
    return day.replace(month=1, day=1).toordinal(), last + 1
