"""Telling the same activity from another one under the same key.

What counts is what was meant: the member and not by which identity it was named, the
moment and not its zone, numbers and lines and not how they were written. Of two
reports that came by different ways (a till's call and the night's file, say) one may
contain less than the other: what it leaves out is not a difference, and free data,
which each way in fills in its own manner, is not compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from loyalty.engine.codes import item_key
from loyalty.engine.numbers import InvalidNumber, format_value, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# Item, value in 1/10,000, quantity and group.
MeantLine = tuple[str, int, str, str]


class Meaning(NamedTuple):
    """What an activity says, however it was spelled; fields are named as callers do.

    ``way`` is how it came: its source, and whether in a file. ``actor`` is the
    member's number, or minus that of the anonymous profile while nobody is known.
    """

    way: tuple[str, bool]
    actor: int
    profile: int | None
    type: int
    channel: int | None
    business_unit: int | None
    occurred_at: datetime
    units: int | None
    lines: tuple[MeantLine, ...]
    data: dict[str, Any]
    points: int | None
    currency: str

    @property
    def is_from_file(self) -> bool:
        """Whether it stood in an uploaded file: its free data are further columns."""
        return self.way[1]

    @property
    def value(self) -> int | None:
        """Return the value; the sum of the lines where none was given."""
        if self.units is None and self.lines:
            return sum(units for _, units, _, _ in self.lines)
        return self.units


def differences(one: Meaning, other: Meaning) -> list[str]:
    """Return the names of the fields in which two activities differ; none: the same."""
    found = {
        "member": not _is_same_actor(one, other),
        "type": one.type != other.type,
        "points": one.points != other.points,
    }
    if one.way == other.way:
        found |= {
            "value": one.value != other.value,
            "channel": one.channel != other.channel,
            "business_unit": one.business_unit != other.business_unit,
            "occurred_at": one.occurred_at != other.occurred_at,
            "items": one.lines != other.lines,
            "data": not one.is_from_file and one.data != other.data,
            "currency": one.currency != other.currency,
        }
    else:
        found |= {
            "channel": _contradict(one.channel, other.channel),
            "business_unit": _contradict(one.business_unit, other.business_unit),
            "occurred_at": not _is_same_moment(one.occurred_at, other.occurred_at),
            "value": None not in {one.value, other.value} and one.value != other.value,
            "items": _contradict(_bare(one.lines), _bare(other.lines)),
            "currency": _contradict(one.currency, other.currency),
        }
    return [name for name in _NAMES if found.get(name)]


_NAMES = (
    "member",
    "type",
    "channel",
    "business_unit",
    "occurred_at",
    "value",
    "items",
    "data",
    "points",
    "currency",
)


def actor_of(member_id: int | None, profile_id: int | None) -> int:
    """Return the number under which an actor is compared."""
    return member_id if member_id is not None else -(profile_id or 0)


def _is_same_actor(one: Meaning, other: Meaning) -> bool:
    """Return whether both name one actor; a profile stays who it was when merged."""
    if one.actor == other.actor:
        return True
    is_one_profile = one.profile is not None and one.profile == other.profile
    return is_one_profile and min(one.actor, other.actor) < 0


def _contradict(one: Any, other: Any) -> bool:
    """Return whether both say something, and not the same."""
    return bool(one) and bool(other) and one != other


def _is_same_moment(one: datetime, other: datetime) -> bool:
    """Return whether two moments are one; files often leave out parts of a second."""
    if one.microsecond and other.microsecond:
        return one == other
    return one.replace(microsecond=0) == other.replace(microsecond=0)


def lines_of(lines: Iterable[MeantLine]) -> tuple[MeantLine, ...]:
    """Return lines in one order, quantities in one spelling."""
    return tuple(
        sorted(
            (item_key(item_id), units, _quantity(quantity), group)
            for item_id, units, quantity, group in lines
        )
    )


def _quantity(text: str) -> str:
    if not text:
        return "1"
    try:
        return format_value(parse_value(text))
    except InvalidNumber:
        return text


def _bare(lines: tuple[MeantLine, ...]) -> tuple[tuple[str, int, str], ...]:
    """Return lines without their groups, which not every way in has."""
    return tuple(sorted(line[:3] for line in lines))
