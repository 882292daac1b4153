"""Reading moments as callers write them; never guessing.

RFC 3339, and the same without an offset or without seconds. Week dates, ordinal
dates, the basic format and numbers are refused, although Python's own parser would
read them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from loyalty.engine.numbers import InvalidNumber, parse_seconds

_PATTERN = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)(?:(:\d\d)(?:\.(\d+))?)?"
    r"([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH_SECONDS_MAX = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = timedelta(0)


class InvalidMoment(ValueError):
    """The value is not a date and time that can be read without guessing."""

    code = "invalid_moment"


class NonexistentLocalTime(InvalidMoment):
    """The clocks were put forward over this local time."""

    code = "nonexistent_local_time"


class AmbiguousLocalTime(InvalidMoment):
    """The clocks were put back: this local time came twice."""

    code = "ambiguous_local_time"


class MissingZone(InvalidMoment):
    """The moment names no zone and the program insists on one."""

    code = "missing_zone"


class Moment(NamedTuple):
    """An instant in UTC, and whether its zone had to be assumed."""

    at: datetime
    zone_assumed: bool


def parse_moment(text: object, zone: tzinfo | None) -> Moment:
    """Read an RFC 3339 date and time, or one without an offset.

    Args:
        text: ``2026-01-14T19:00:00+05:30``; ``T`` may be a blank, ``T`` and ``Z``
            lower case, the offset without its colon. Seconds may be left out, as
            Java and spreadsheets leave out zero ones. Fractions are cut to
            microseconds; a leap second counts as ``:59``.
        zone: read local times in it; None refuses them.

    Raises:
        InvalidMoment: no such text, day or time (``24:00`` is refused).
        NonexistentLocalTime: skipped when clocks were put forward in ``zone``.
        AmbiguousLocalTime: happened twice when clocks were put back in ``zone``.
        MissingZone: a local time, and ``zone`` is None.

    >>> parse_moment("2026-01-14T19:00:00+05:30", UTC).at.isoformat()
    '2026-01-14T13:30:00+00:00'
    >>> parse_moment("2026-01-14 19:00:00", UTC).zone_assumed
    True
    """
    if not isinstance(text, str):
        raise InvalidMoment("A timestamp must be text such as 2026-01-14T19:00:00Z.")
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InvalidMoment(
            f"“{text[:60]}” is not a valid timestamp. Write 2026-01-14T19:00:00Z, or"
            " an offset such as +05:30 in place of the Z."
        )
    minute, seconds, fraction, offset = match.groups()
    local = _read_clock(minute + (seconds or ":00"))
    if fraction:
        local = local.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    if offset is None:
        return Moment(_in_zone(local, zone), zone_assumed=True)
    shift = _offset(offset)
    if not shift:
        return Moment(local.replace(tzinfo=UTC), zone_assumed=False)
    try:
        return Moment((local - shift).replace(tzinfo=UTC), zone_assumed=False)
    except OverflowError:
        raise _out_of_range(local) from None


def parse_day(text: object, zone: tzinfo | None) -> Moment:
    """Read a plain date as local midnight, or anything ``parse_moment`` reads.

    Raises:
        InvalidMoment: as ``parse_moment``.

    >>> parse_day("2026-01-14", UTC).at.isoformat()
    '2026-01-14T00:00:00+00:00'
    """
    if isinstance(text, str) and _DATE.fullmatch(text):
        return parse_moment(f"{text}T00:00:00", zone)
    return parse_moment(text, zone)


def parse_local_datetime(local: datetime, zone: tzinfo | None) -> Moment:
    """Read a date and time that a spreadsheet or Parquet file holds as such.

    An aware one is taken as it is; a naive one is read in ``zone``.

    Raises:
        InvalidMoment: as ``parse_moment``.

    >>> parse_local_datetime(datetime(2026, 1, 14, 19, 0), UTC).zone_assumed
    True
    """
    if local.tzinfo is None:
        return Moment(_in_zone(local, zone), zone_assumed=True)
    try:
        return Moment(local.astimezone(UTC), zone_assumed=False)
    except OverflowError:
        raise _out_of_range(local) from None


def from_epoch_seconds(value: object) -> Moment:
    """Read seconds since 1970, as a number or as its decimal text.

    Fractions are cut to microseconds.

    Raises:
        InvalidMoment: not a number, zero or less, or so large that it must be
            milliseconds.

    >>> from_epoch_seconds("1768417200.0").at.isoformat()
    '2026-01-14T19:00:00+00:00'
    """
    try:
        seconds = parse_seconds(value)
    except InvalidNumber:
        raise InvalidMoment("A timestamp must be in seconds since 1970.") from None
    if seconds <= 0:
        raise InvalidMoment("A timestamp must be above zero.")
    if seconds > _EPOCH_SECONDS_MAX:
        raise InvalidMoment("This timestamp is in milliseconds; send seconds.")
    microseconds = seconds * 1_000_000 // 1
    return Moment(_EPOCH + timedelta(microseconds=microseconds), zone_assumed=False)


def _read_clock(clock: str) -> datetime:
    if clock[17:] == "60":
        clock = f"{clock[:17]}59"
    # Checked here because later versions of Python read it as the next day.
    if clock[11:13] == "24":
        raise InvalidMoment(f"“{clock}”: midnight is 00:00:00 of the following day.")
    try:
        return datetime.fromisoformat(clock)
    except ValueError:
        raise InvalidMoment(f"“{clock}” is not a valid date or time.") from None


@lru_cache(maxsize=256)
def _offset(text: str) -> timedelta:
    if text in "Zz":
        return _ZERO
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise InvalidMoment(f"“{text}” is not a valid offset from UTC.")
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if text[0] == "+" else -offset


def _in_zone(local: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise MissingZone(f"“{local}” has no time zone.")
    offset = _steady_offset(local.date(), zone)
    if offset is None:
        return _near_a_change(local, zone)
    return (local - offset).replace(tzinfo=UTC)


@lru_cache(maxsize=16_384)
def _steady_offset(day: date, zone: tzinfo) -> timedelta | None:
    """Return the one offset of a day far from any change of clocks, else None.

    Two changes are never less than six days apart, so two ends of four days that
    agree prove that there is none between them.
    """
    if not 1 < day.year < 9999:
        return None
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    offset = (noon - timedelta(days=2)).utcoffset()
    return offset if offset == (noon + timedelta(days=2)).utcoffset() else None


def _near_a_change(local: datetime, zone: tzinfo) -> datetime:
    try:
        first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except OverflowError:
        raise _out_of_range(local) from None
    if first > second:
        raise NonexistentLocalTime(
            f"“{local}” did not exist in {zone}: clocks were put forward over it."
        )
    if first < second:
        raise AmbiguousLocalTime(
            f"“{local}” came twice in {zone}: clocks were put back. Send an offset."
        )
    return first


def _out_of_range(local: datetime) -> InvalidMoment:
    return InvalidMoment(f"“{local}” lies outside the years 1 to 9999 of UTC.")
