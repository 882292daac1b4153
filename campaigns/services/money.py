"""A program's money as the engine wants it: rates by moment, limits in units."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from loyalty.engine.money import Rate, scaled_rate
from loyalty.engine.numbers import parse_value
from loyalty.engine.periods import start_of_day
from loyalty.engine.plausible import Limits
from loyalty.models import ExchangeRate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from loyalty.models import Program


def rates_of(program: Program) -> Mapping[str, Sequence[Rate]]:
    """Return the rates by currency, in order of time; days begin in its zone."""
    zone = ZoneInfo(program.time_zone)
    found: dict[str, list[Rate]] = defaultdict(list)
    rows = ExchangeRate.objects.filter(program=program).order_by("valid_from")
    for row in rows:
        start = start_of_day(row.valid_from, zone)
        found[row.currency].append(Rate(start, scaled_rate(row.rate)))
    return dict(found)


def limits_of(program: Program) -> Limits:
    """Return what is plausible in the program."""
    return Limits(
        _units(program.line_value_max),
        _units(program.activity_value_max),
        program.line_quantity_max,
        program.activity_points_max,
    )


def _units(value: Decimal | None) -> int | None:
    return None if value is None else parse_value(str(value))
