"""Writing points: JSON numbers in the wallet's own unit, exact."""

from __future__ import annotations

from decimal import Decimal

import orjson


def points_of(amount: int, decimals: int) -> int | orjson.Fragment:
    """Return an amount of the wallet's smallest unit as a JSON number.

    >>> points_of(12, 0)
    12
    """
    if not decimals:
        return amount
    whole, fraction = divmod(abs(amount), 10**decimals)
    sign = "-" if amount < 0 else ""
    return orjson.Fragment(f"{sign}{whole}.{fraction:0{decimals}d}".encode())


def score_of(points: Decimal | int | str) -> int | orjson.Fragment:
    """Return a score, or a threshold, in points as a JSON number.

    >>> score_of(Decimal("100.0000"))
    100
    """
    exact = Decimal(points)
    if exact == exact.to_integral_value():
        return int(exact)
    return orjson.Fragment(f"{exact.normalize():f}".encode())
