"""Money of one currency in another: dated rates, and the one place that rounds."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

RATE_DECIMALS = 10
_ONE = 10**RATE_DECIMALS


class Rate(NamedTuple):
    """What one unit of a currency is worth from a moment on, in 10**-10."""

    valid_from: datetime
    scaled: int


class Converted(NamedTuple):
    """That an activity counts in another currency than it was told in.

    ``units`` is its value in ``into``, in 1/10,000; ``scaled`` the rate, in 10**-10.
    """

    currency: str
    into: str
    scaled: int
    units: int


def rate_at(
    rates: Mapping[str, Sequence[Rate]], currency: str, moment: datetime
) -> int | None:
    """Return the rate of a currency that holds at ``moment``, in 10**-10.

    Args:
        rates: by currency, in order of time.
        currency: an ISO code.
        moment: aware. A rate holds from its first moment on, that one included.

    None if no rate holds then.
    """
    own = rates.get(currency, ())
    place = bisect_right(own, moment, key=attrgetter("valid_from"))
    return own[place - 1].scaled if place else None


def converted(units: int, scaled: int | None) -> int:
    """Return a value in another currency, rounded half away from zero; once.

    >>> converted(16_000_000, scaled_rate(Decimal("0.0062")))
    99200
    >>> converted(-5, scaled_rate(Decimal("0.5"))), converted(7, None)
    (-3, 7)
    """
    if scaled is None:
        return units
    amount: int = (2 * abs(units) * scaled + _ONE) // (2 * _ONE)
    return -amount if units < 0 else amount


def converted_lines(
    lines: Iterable[Sequence[Any]], scaled: int | None
) -> Iterable[Sequence[Any]]:
    """Return line items with their values in another currency, each rounded once."""
    if scaled is None:
        return lines
    return [(line[0], converted(line[1], scaled), *line[2:]) for line in lines]


def scaled_rate(rate: Decimal) -> int:
    """Return a rate in 10**-10; further decimals are cut."""
    return int(rate.scaleb(RATE_DECIMALS))


def rate_text(scaled: int) -> str:
    """Return the shortest decimal text of a rate.

    >>> rate_text(62_000_000)
    '0.0062'
    """
    whole, fraction = divmod(scaled, _ONE)
    return f"{whole}.{fraction:0{RATE_DECIMALS}d}".rstrip("0").rstrip(".")
