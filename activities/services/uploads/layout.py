"""The header of a table: which column means what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activities.services.uploads.refusals import DuplicateColumns, MissingColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_COLUMNS = (
    "key",
    "member",
    "occurred_at",
    "type",
    "channel",
    "business_unit",
    "value",
    "currency",
)
ITEM_COLUMNS = ("item_id", "item_value", "item_quantity", "item_group")
KNOWN_COLUMNS = (*HEAD_COLUMNS, *ITEM_COLUMNS)
REQUIRED_COLUMNS = ("key", "member", "occurred_at")
# A file of refused rows can be mended and uploaded as it is.
REFUSED_COLUMNS = ("refused_line", "refused_field", "refused_code", "refused_reason")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand; ``extras`` are the further ones, kept as data.

    ``has_blanks`` says that an empty cell may be one that nobody wrote.
    """

    columns: tuple[str, ...]
    places: dict[str, int]
    extras: tuple[tuple[int, str], ...] = field(default=())
    has_blanks: bool = False

    @property
    def has_items(self) -> bool:
        """Whether consecutive rows with the same key are lines of one activity."""
        return "item_id" in self.places

    def needs(self, column: str) -> bool:
        """Return whether a cell of ``column`` must not be left empty."""
        return column in self.places and not self.has_blanks


def known_name(written: str) -> str:
    """Return a column's name as it would be known: case and blanks do not matter."""
    return written.strip().lower().replace(" ", "_")


def layout_of(header: Sequence[str], *, has_default_type: bool) -> Layout:
    """Read a header; case and blanks around the known names do not matter.

    Raises:
        MissingColumns: a column that every activity needs.
        DuplicateColumns: a column twice.
    """
    places: dict[str, int] = {}
    extras: list[tuple[int, str]] = []
    seen: set[str] = set()
    for place, written in enumerate(header):
        name = written.strip()
        known = known_name(written)
        if known in KNOWN_COLUMNS:
            name = known
            places[known] = places.get(known, place)
        elif name and known not in REFUSED_COLUMNS:
            extras.append((place, name))
        if name and name in seen:
            raise DuplicateColumns(
                f"The header names the column “{name}” twice.", field=name
            )
        seen.add(name)
    _refuse_missing(places, has_default_type=has_default_type)
    return Layout(tuple(header), places, tuple(extras))


def _refuse_missing(places: dict[str, int], *, has_default_type: bool) -> None:
    missing = [name for name in REQUIRED_COLUMNS if name not in places]
    if "type" not in places and not has_default_type:
        missing.append("type")
    if "item_id" not in places and any(name in places for name in ITEM_COLUMNS):
        missing.append("item_id")
    if missing:
        names = ", ".join(f"“{name}”" for name in missing)
        hint = " or choose a type for the whole upload" if "type" in missing else ""
        raise MissingColumns(
            f"The header lacks {names}. Name the columns in the first line{hint}.",
            field=missing[0],
        )
