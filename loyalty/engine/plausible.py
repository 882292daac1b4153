"""What one activity can plausibly be: bounds against typing errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from loyalty.engine.baskets import quantity_of
from loyalty.engine.numbers import UNITS_PER_ONE, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loyalty.engine.decisions import Award


class Limits(NamedTuple):
    """The most that is plausible; None is no limit.

    Values are in 1/10,000 of the program's currency, ``points`` are whole points.
    """

    line_units: int | None = None
    units: int | None = None
    quantity: int | None = None
    points: int | None = None


NO_LIMITS = Limits()


class Doubt(NamedTuple):
    """What is not plausible: the field, and a sentence with the figure."""

    field: str
    sentence: str


def doubt_about(
    units: int | None, lines: Sequence[Sequence[Any]], limits: Limits
) -> Doubt | None:
    """Return what is not plausible about a value and its lines, or None.

    Values below zero are bounded alike.

    >>> doubt_about(90_000, [], Limits(units=80_000)).sentence
    'The value 9 is beyond the highest that the program accepts, 8.'
    """
    most = limits.units
    if units is not None and most is not None and abs(units) > most:
        return Doubt(
            "value",
            f"The value {format_value(units)} is beyond the highest that the program "
            f"accepts, {format_value(most)}.",
        )
    if limits.line_units is None and limits.quantity is None:
        return None
    for place, line in enumerate(lines, start=1):
        doubt = _doubt_about_line(place, line, limits)
        if doubt is not None:
            return doubt
    return None


def _doubt_about_line(place: int, line: Sequence[Any], limits: Limits) -> Doubt | None:
    if limits.line_units is not None and abs(line[1]) > limits.line_units:
        return Doubt(
            "items",
            f"Line {place} (“{line[0][:60]}”) has the value {format_value(line[1])}, "
            "beyond the highest that the program accepts, "
            f"{format_value(limits.line_units)}.",
        )
    most = limits.quantity
    if most is None or line[2] in {"", "1"}:
        return None
    quantity = quantity_of(line[2])
    if abs(quantity) > most * UNITS_PER_ONE:
        return Doubt(
            "items",
            f"Line {place} (“{line[0][:60]}”) has the quantity "
            f"{format_value(quantity)}, beyond the highest that the program accepts, "
            f"{most}.",
        )
    return None


def doubt_about_points(awards: Iterable[Award], limits: Limits) -> Doubt | None:
    """Return that the points of one activity are not plausible, or None."""
    most = limits.points
    if most is None:
        return None
    sums: dict[str, int] = {}
    for award in awards:
        wallet = award.offer.wallet
        sums[wallet.code] = sums.get(wallet.code, 0) + award.points
        scale = 10**wallet.decimals
        if sums[wallet.code] > most * scale:
            points = format_value(sums[wallet.code] * UNITS_PER_ONE // scale)
            return Doubt(
                "value",
                f"It would earn {points} points in the wallet “{wallet.code}”, beyond "
                f"the most that the program gives for one activity, {most}.",
            )
    return None
