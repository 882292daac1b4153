"""Whether dates and amounts go together; no date is no start or no end."""

from decimal import Decimal
from typing import Any


def overlap(one: Any, other: Any) -> bool:
    """Return whether there is a moment within the dates of both."""
    ends_first = other.starts_at is not None and one.ends_at is not None
    if ends_first and one.ends_at <= other.starts_at:
        return False
    starts_last = one.starts_at is not None and other.ends_at is not None
    return not (starts_last and other.ends_at <= one.starts_at)


def is_payable(cost: Decimal, decimals: int) -> bool:
    """Return whether a wallet of so many decimals can hold the cost exactly."""
    scaled = Decimal(cost).scaleb(decimals)
    return scaled == scaled.to_integral_value()


def fineness(decimals: int) -> str:
    """Return what a wallet of so many decimals counts, in words."""
    if not decimals:
        return "whole points"
    return f"{decimals} decimal{'' if decimals == 1 else 's'}"
