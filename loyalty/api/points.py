"""Writing points: JSON numbers in the wallet's own unit, exact."""

from __future__ import annotations

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
