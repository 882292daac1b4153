"""Reading values as callers write them: exact, never binary floats.

A value is kept as an integer of 1/10,000 ("units").
"""

from __future__ import annotations

import re
from decimal import Decimal

UNITS_PER_ONE = 10_000
_PATTERN = re.compile(r"(-?)(\d{1,14})(?:\.(\d{1,4}))?", re.ASCII)
_WHOLE_END = 10**14


class InvalidNumber(ValueError):
    """The value is no number that can be read exactly."""

    code = "invalid_number"


def parse_value(value: object) -> int:
    """Return a value in units.

    Args:
        value: decimal text (``-12.50``), an integer or a ``Decimal``; at most 14
            digits before the point and 4 after it.

    Raises:
        InvalidNumber: exponents, signs other than minus, blanks, other scripts'
            digits, NaN, infinities, floats and booleans.

    >>> parse_value("12.5")
    125000
    """
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, Decimal):
        return _parse_text(str(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidNumber("A value is a number such as 12.50.")
    if not -_WHOLE_END < value < _WHOLE_END:
        raise InvalidNumber("A value has at most 14 digits before the point.")
    return value * UNITS_PER_ONE


def parse_float_value(value: float) -> int:
    """Return the value of a spreadsheet's or Parquet file's float cell in units.

    The shortest decimal text that denotes the float counts.

    Raises:
        InvalidNumber: not a float, not finite, more than 4 decimals or more than
            14 digits before the point.

    >>> parse_float_value(0.1)
    1000
    """
    if not isinstance(value, float):
        raise InvalidNumber("This cell holds no decimal number.")
    # Subclasses of other libraries write themselves differently.
    return _parse_text(float.__repr__(value))


def format_value(units: int) -> str:
    """Return the shortest decimal text of a value in units.

    >>> format_value(125000), format_value(-5), format_value(30000)
    ('12.5', '-0.0005', '3')
    """
    whole, fraction = divmod(abs(units), UNITS_PER_ONE)
    text = f"{whole}.{fraction:04d}".rstrip("0") if fraction else str(whole)
    return f"-{text}" if units < 0 else text


def _parse_text(text: str) -> int:
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InvalidNumber(
            f"“{text[:40]}” is no value. Write digits and at most 4 decimals: 12.50."
        )
    sign, whole, fraction = match.groups()
    units = int(whole) * UNITS_PER_ONE
    if fraction:
        units += int(fraction.ljust(4, "0"))
    return -units if sign else units
