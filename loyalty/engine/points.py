"""Points from values: exact integer arithmetic, one rounding an award."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum

from loyalty.engine.periods import start_of_day

_ONE = 10_000


class Rounding(Enum):
    """What happens to a fraction of a point; the values are stored."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


class ExpiryModel(Enum):
    """How long points live; the values are stored."""

    NEVER = "never"
    DAYS = "days"
    MONTHS = "months"
    END_OF_MONTH = "end_of_month"
    END_OF_YEAR = "end_of_year"
    INACTIVITY = "inactivity"


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """A model and its number of days, months or years."""

    model: ExpiryModel
    count: int


def points_per_unit(
    value_units: int, points: int, per_units: int, rounding: Rounding
) -> int:
    """Return ``points`` for every ``per_units`` of a value, rounded once.

    Args:
        value_units: in 1/10,000; zero or below earns nothing.
        points: in the wallet's smallest unit; zero or more.
        per_units: in 1/10,000; above zero.
        rounding: what happens to the fraction that is left.

    Raises:
        ValueError: ``points`` is below zero or ``per_units`` not above it.

    >>> points_per_unit(125_000, 1, 10_000, Rounding.DOWN)
    12
    """
    if value_units <= 0:
        return 0
    return divided(value_units * points, per_units, rounding)


def times_in_words(extra_ten_thousandths: int) -> str:
    """Return what a multiple of the base makes of it in all, and what comes on top.

    >>> times_in_words(10_000), times_in_words(20_000)
    ('double points (base once more)', 'triple points (base twice more)')
    >>> times_in_words(5_000)
    '1.5 × the points (0.5 × the base on top)'
    """
    known = {_ONE: "double points (base once more)"}
    known[2 * _ONE] = "triple points (base twice more)"
    if extra_ten_thousandths in known:
        return known[extra_ten_thousandths]
    extra = Decimal(extra_ten_thousandths).scaleb(-4).normalize()
    return f"{1 + extra:f} × the points ({extra:f} × the base on top)"


def units_of_points(amount: int, decimals: int) -> int:
    """Return an amount of a wallet's smallest unit in 1/10,000 point.

    >>> units_of_points(19, 1)
    19000
    """
    units: int = amount * 10 ** (4 - decimals)
    return units


def multiplied(
    base_units: int,
    multiplier_ten_thousandths: int,
    rounding: Rounding,
    decimals: int = 0,
) -> int:
    """Return base points times a multiplier in 1/10,000, rounded once.

    Args:
        base_units: in 1/10,000 point, whatever wallet the base is in; zero or below
            earns nothing.
        multiplier_ten_thousandths: zero or more.
        rounding: what happens to the fraction that is left.
        decimals: of the wallet that is paid into; the result is in its smallest unit.

    Raises:
        ValueError: the multiplier is below zero.

    >>> multiplied(50_000, 15_000, Rounding.HALF_UP)
    8
    >>> multiplied(units_of_points(19, 1), 10_000, Rounding.HALF_UP)
    2
    """
    if base_units <= 0:
        return 0
    divisor = _ONE * units_of_points(1, decimals)
    return divided(base_units * multiplier_ten_thousandths, divisor, rounding)


def divided(dividend: int, divisor: int, rounding: Rounding) -> int:
    """Return the rounded quotient of two integers.

    Raises:
        ValueError: ``dividend`` is below zero or ``divisor`` not above it.

    >>> [divided(5, 2, rounding) for rounding in Rounding]
    [2, 3, 3]
    """
    if dividend < 0 or divisor <= 0:
        raise ValueError("Points come from amounts above zero.")
    if rounding is Rounding.DOWN:
        return dividend // divisor
    if rounding is Rounding.UP:
        return -(-dividend // divisor)
    return (2 * dividend + divisor) // (2 * divisor)


def expiry_moment(
    rule: ExpiryRule, earned_at: datetime, zone: tzinfo
) -> datetime | None:
    """Return the first instant at which points earned at ``earned_at`` are gone.

    Args:
        rule: days and months lead to the same local time of day; months clamp to
            the last day of a shorter month. Ends of months and years are local
            midnights: the first month after earning is the one that follows the
            month of earning. Inactivity counts months from ``earned_at``, which
            is then the last activity.
        earned_at: aware; any zone.
        zone: the program's zone. A local time that its clocks skip moves on by as
            much, one that comes twice counts the first time.

    Returns:
        UTC; None if the points never expire or no calendar reaches that far.

    Raises:
        ValueError: ``earned_at`` is naive.

    >>> earned_at = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    >>> expiry_moment(ExpiryRule(ExpiryModel.MONTHS, 1), earned_at, UTC).isoformat()
    '2026-02-28T12:00:00+00:00'
    >>> rule = ExpiryRule(ExpiryModel.END_OF_MONTH, 1)
    >>> expiry_moment(rule, earned_at, UTC).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    if earned_at.tzinfo is None:
        raise ValueError("An expiry needs a moment with a zone.")
    if rule.model is ExpiryModel.NEVER:
        return None
    try:
        local = earned_at.astimezone(zone)
        if rule.model is ExpiryModel.DAYS:
            return (local + timedelta(days=rule.count)).astimezone(UTC)
        if rule.model is ExpiryModel.END_OF_MONTH:
            return start_of_day(_months_on(local, rule.count + 1, 1), zone)
        if rule.model is ExpiryModel.END_OF_YEAR:
            return start_of_day(date(local.year + rule.count + 1, 1, 1), zone)
        day = _months_on(local, rule.count, local.day)
        clock = local.time().replace(fold=0)
        return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        # Beyond year 9999.
        return None


def _months_on(local: datetime, months: int, day: int) -> date:
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    if day > 28:
        day = min(day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day)
