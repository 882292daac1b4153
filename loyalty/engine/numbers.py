"""Reading values as callers write them: exact, never binary floats.

A value is kept as an integer of 1/10,000 ("units"). Every way in reads its numbers
here, so that the same text means the same number wherever it comes from.

A value has at most 14 digits before the point and 4 after it. Further decimals are
never cut; they are read only where they are noise of a binary float:

* they are zeros (``36.90000``);
* double: the number lies within 0.000000001 of one with 4 decimals
  (``36.900000000000006``); above 8 million, where a double is coarser than that,
  within four steps of a double, but always nearer than 0.00001;
* float32 that was widened: the number has 7 decimals or more and is exactly what
  32 bits hold, and the shortest text of those has at most 4 decimals
  (``3.299999952316284`` is 3.3);
* float32 as it is: the number is the shortest text of a float32 that is next to that
  of a number with 4 decimals, and nearer than 0.00001 (``36.899998`` is 36.9).

Anything else (``12.3456789``, ``1.00001``) is refused.
"""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

UNITS_PER_ONE = 10_000
_DECIMALS = 4
_WHOLE_DIGITS = 14
_CHARACTERS_MAX = 120
_WHOLE_END = 10**_WHOLE_DIGITS
_PLAIN = re.compile(r"(-?)(\d{1,14})(?:\.(\d{1,4}))?", re.ASCII)
_LITERAL = re.compile(
    r"([+\-\N{MINUS SIGN}]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,4}))?",
    re.ASCII,
)
_DOUBLE_NOISE = Fraction(1, 10**9)
_NOISE_END = Fraction(1, 10**5)
_WIDENED_DECIMALS_MIN = 7


class InvalidNumber(ValueError):
    """The value is not a number that can be read exactly."""

    code = "invalid_number"


class NumberText(str):
    """A JSON number as it was written; not a text."""

    __slots__ = ()


class _Literal(NamedTuple):
    """A number as ``digits / 10**decimals``; ``decimals`` is 0 or more."""

    is_negative: bool
    digits: int
    decimals: int


def parse_value(value: object) -> int:
    """Return a value in units.

    Args:
        value: a decimal text (``-12.50``; with a plus, a bare point or blanks around
            it as well: ``+5``, ``.5``, ``5.``, `` 36 ``), an integer, a ``Decimal``,
            or a ``NumberText``, which may have an exponent (``1e2``). Noise of binary
            floats is read as the number that was meant; see the module.

    Raises:
        InvalidNumber: more than 14 digits before the point or 4 after it, texts with
            an exponent, other scripts' digits, NaN, infinities, floats, booleans.

    >>> parse_value("12.5"), parse_value(" +.5 "), parse_value(NumberText("1e2"))
    (125000, 5000, 1000000)
    >>> parse_value("36.900000000000006"), parse_value("3.299999952316284")
    (369000, 33000)
    """
    if isinstance(value, str):
        match = _PLAIN.fullmatch(value)
        if match is None:
            return _parse_long(value)
        sign, whole, fraction = match.groups()
        units = int(whole) * UNITS_PER_ONE
        if fraction:
            units += int(fraction.ljust(_DECIMALS, "0"))
        return -units if sign else units
    if isinstance(value, Decimal):
        return _parse_long(NumberText(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidNumber("A value must be a number such as 12.50.")
    if not -_WHOLE_END < value < _WHOLE_END:
        raise _too_large()
    return value * UNITS_PER_ONE


def parse_float_value(value: float, bits: int = 64) -> int:
    """Return the value of a spreadsheet's or Parquet file's float cell in units.

    Args:
        value: the cell.
        bits: how wide the column's floats are: 16, 32 or 64. The shortest decimal
            text that denotes the float among those of its width counts.

    Raises:
        InvalidNumber: not a float, not finite, more than 4 decimals that are not
            noise, or more than 14 digits before the point.

    >>> parse_float_value(0.1), parse_float_value(0.1 + 0.2)
    (1000, 3000)
    >>> parse_float_value(131072.09375, bits=32)
    1310721000
    """
    if not isinstance(value, float):
        raise InvalidNumber("This cell must hold a decimal number.")
    # Subclasses of other libraries write themselves differently.
    text = float.__repr__(value) if bits == 64 else _shortest(float(value), bits)
    return parse_value(NumberText(text))


def parse_whole(value: object) -> int:
    """Return a whole number that JSON holds as a number.

    Args:
        value: an integer, or a ``NumberText`` that denotes one: ``5.0``, ``1e2``.

    Raises:
        InvalidNumber: a fraction, texts, booleans, more than 14 digits other than
            those of an ``int``.

    >>> parse_whole(5), parse_whole(NumberText("1e2"))
    (5, 100)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, NumberText):
        raise InvalidNumber("Must be a whole number.")
    whole, rest = divmod(parse_value(value), UNITS_PER_ONE)
    if rest:
        raise InvalidNumber("Must be a whole number.")
    return whole


def parse_seconds(value: object) -> Fraction:
    """Return a number of seconds, however many decimals it has.

    Args:
        value: an integer, a ``NumberText`` or a decimal text.

    Raises:
        InvalidNumber: as ``parse_value``, but for the number of decimals.

    >>> parse_seconds("1.25")
    Fraction(5, 4)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if not isinstance(value, str):
        raise InvalidNumber("Must be a number of seconds.")
    literal = _literal(value)
    seconds = Fraction(literal.digits, 10**literal.decimals)
    return -seconds if literal.is_negative else seconds


def format_value(units: int) -> str:
    """Return the shortest decimal text of a value in units.

    >>> format_value(125000), format_value(-5), format_value(30000)
    ('12.5', '-0.0005', '3')
    """
    whole, fraction = divmod(abs(units), UNITS_PER_ONE)
    text = f"{whole}.{fraction:04d}".rstrip("0") if fraction else str(whole)
    return f"-{text}" if units < 0 else text


def _parse_long(text: str) -> int:
    literal = _literal(text)
    units = _units_of(literal)
    if abs(units) >= _WHOLE_END * UNITS_PER_ONE:
        raise _too_large()
    return units


def _literal(text: str) -> _Literal:
    """Take a text apart; exponents are for what is a number in its own format."""
    match = _LITERAL.fullmatch(text.strip()) if len(text) <= _CHARACTERS_MAX else None
    if match is None:
        raise InvalidNumber(
            f"“{text[:40]}” is not a valid value. Write digits with at most 4 decimals,"
            " such as 12.50."
        )
    sign, whole, fraction, bare, exponent = match.groups()
    if exponent and not isinstance(text, NumberText):
        raise InvalidNumber(
            f"“{text[:40]}” is not a valid value. Write it without an exponent,"
            " such as 12.50."
        )
    fraction = fraction or bare or ""
    digits = int((whole or "") + fraction)
    decimals = len(fraction) - int(exponent or 0)
    if not digits:
        decimals = 0
    elif decimals < 0:
        if len(str(digits)) - decimals > 2 * _WHOLE_DIGITS:
            raise _too_large()
        digits, decimals = digits * _ten_to(-decimals), 0
    return _Literal(sign not in ("", "+"), digits, decimals)


def _units_of(literal: _Literal) -> int:
    """Return the units of a number whose further decimals are none, or noise."""
    excess = literal.decimals - _DECIMALS
    if excess <= 0:
        units = literal.digits * _ten_to(-excess)
    elif len(str(literal.digits)) + 20 < literal.decimals:
        units = 0
    else:
        units = _without_noise(literal, excess)
    return -units if literal.is_negative else units


def _without_noise(literal: _Literal, excess: int) -> int:
    step = _ten_to(excess)
    units, rest = divmod(literal.digits, step)
    if not rest:
        return units
    if 2 * rest > step:
        units, rest = units + 1, rest - step
    distance = Fraction(abs(rest), 10**literal.decimals)
    exact = Fraction(literal.digits, 10**literal.decimals)
    if exact >= _WHOLE_END:
        raise _too_large()
    found = float(exact)
    if distance <= _DOUBLE_NOISE or distance <= Fraction(4 * math.ulp(found)):
        if distance < _NOISE_END:
            return units
    elif (narrow := _of_float32(literal, exact)) is not None:
        return narrow
    text = f"{literal.digits:0{literal.decimals + 1}d}"
    text = f"{text[: -literal.decimals]}.{text[-literal.decimals :]}"
    sign = "-" if literal.is_negative else ""
    raise InvalidNumber(f"“{sign}{text[:40]}” has more than 4 decimals.")


def _of_float32(literal: _Literal, exact: Fraction) -> int | None:
    """Return the units of a number that is a float32, wide or narrow; else None."""
    held = _narrowed(float(exact), 32)
    shortest = _literal(NumberText(_shortest(held, 32)))
    if literal.decimals >= _WIDENED_DECIMALS_MIN and float(exact) == held:
        if shortest.decimals <= _DECIMALS:
            return shortest.digits * _ten_to(_DECIMALS - shortest.decimals)
        exact = Fraction(shortest.digits, 10**shortest.decimals)
    elif Fraction(shortest.digits, 10**shortest.decimals) != exact:
        return None
    units = round(exact * UNITS_PER_ONE)
    meant = Fraction(units, UNITS_PER_ONE)
    is_next = _place(_narrowed(float(meant), 32)) - _place(held) in (-1, 0, 1)
    return units if is_next and abs(meant - exact) < _NOISE_END else None


_FORMATS = {16: "<e", 32: "<f"}


def _narrowed(value: float, bits: int) -> float:
    """Return the float of that width that is nearest."""
    found: float = struct.unpack(_FORMATS[bits], struct.pack(_FORMATS[bits], value))[0]
    return found


def _shortest(value: float, bits: int) -> str:
    """Return the shortest text that only this float of its width is nearest to."""
    if not math.isfinite(value):
        return repr(value)
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        try:
            if _narrowed(float(text), bits) == value:
                return text
        except OverflowError:
            continue
    return repr(value)


def _place(value: float) -> int:
    """Return which of the non-negative float32 a value is, in order."""
    found: int = struct.unpack("<i", struct.pack("<f", value))[0]
    return found


def _ten_to(power: int) -> int:
    return int(10**power)


def _too_large() -> InvalidNumber:
    return InvalidNumber("A value must have at most 14 digits before the point.")
