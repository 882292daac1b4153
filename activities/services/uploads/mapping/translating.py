"""Rows of a mapped file, turned into rows of the native format.

The original row stays in the last cell of the translated one, so that what is refused
is shown and given back as it stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.services.uploads.groups import BadRow, Cells
from activities.services.uploads.layout import KNOWN_COLUMNS, Layout
from activities.services.uploads.mapping.spelling import (
    AMBIGUOUS_NUMBER,
    NumberStyle,
    canonical_moment,
    canonical_number,
    joined_moment,
)
from activities.services.uploads.mapping.values import KEEP, TIME
from activities.services.uploads.refusals import MissingValue, RowRefused
from loyalty.engine.moments import InvalidMoment
from loyalty.engine.numbers import InvalidNumber
from loyalty.services.tables.workbooks import Typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from activities.services.uploads.mapping.values import Mapping

_NUMBERS = ("value", "item_value", "item_quantity")
_NEEDED = ("key", "member", "occurred_at")


class UnreadableCell(RowRefused):
    """A cell is not written as the mapping says; ``code`` is that of the reader."""

    def __init__(self, message: str, *, field: str, code: str) -> None:
        """Take the reader's code for this one refusal."""
        super().__init__(message, field=field)
        self.code = code  # type: ignore[misc]


def distinct(header: Sequence[str]) -> list[str]:
    """Return the names of columns, trimmed; a repeated one gets its place behind it.

    >>> distinct(["Summe", " Datum", "Summe"])
    ['Summe', 'Datum', 'Summe (column 3)']
    """
    names: list[str] = []
    for place, written in enumerate(header, start=1):
        name = written.strip()
        names.append(f"{name} (column {place})" if name in names and name else name)
    return names


class Translator:
    """Reads the rows of one file as a mapping says."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        """Translate rows under ``header``; the mapping's names must be in it."""
        self.mapping = mapping
        self.header = distinct(header)
        self.style = mapping.style or NumberStyle()
        self.date_format = mapping.date_format or "iso"
        fields = {
            mapping.columns.get(name, ""): place
            for place, name in enumerate(self.header)
            if name
        }
        self.places = {
            name: place for name, place in fields.items() if name not in ("", KEEP)
        }
        self.known = [
            name
            for name in KNOWN_COLUMNS
            if name in self.places or name in mapping.constants
        ]
        self._extras = [
            (place, name)
            for place, name in enumerate(self.header)
            if name and mapping.columns.get(name) == KEEP
        ]
        self._readers: list[Callable[[Cells], str]] = list(
            map(self._reader, self.known)
        )
        self.line = 0
        # Called with texts of which nobody knows whether they are thousands.
        self.on_ambiguous: Callable[[str, str], None] | None = None

    @property
    def layout(self) -> Layout:
        """Return the layout of the translated rows."""
        width = len(self.known)
        columns = (*self.known, *(name for _, name in self._extras), "row")
        return Layout(
            columns,
            {name: place for place, name in enumerate(self.known)},
            tuple(
                (width + place, name) for place, (_, name) in enumerate(self._extras)
            ),
        )

    def column_of(self, name: str) -> str:
        """Return what the file calls a field."""
        place = self.places.get(name)
        return name if place is None else self.header[place]

    def rows(
        self, rows: Iterator[tuple[int, Cells | BadRow]]
    ) -> Iterator[tuple[int, Cells | BadRow]]:
        """Yield the rows translated, those that cannot be with the reason."""
        for line, row in rows:
            self.line = line
            if type(row) is BadRow:
                yield line, BadRow(row.error, [*self._blank(), row.cells], row.key)
            else:
                yield line, self.translated(row)  # type: ignore[arg-type]

    def translated(self, row: Cells) -> Cells | BadRow:
        """Return one row of the native format."""
        try:
            cells: Cells = [read(row) for read in self._readers]
        except RowRefused as error:
            key_at = self.places.get("key")
            key = row[key_at].strip() if key_at is not None else None
            return BadRow(error, [*self._blank(), row], key)
        cells.extend(row[place] for place, _ in self._extras)
        cells.append(row)
        return cells

    def _blank(self) -> Cells:
        return [""] * (len(self.known) + len(self._extras))

    def cell(self, name: str, row: Cells) -> str:
        """Return what one field of a row becomes.

        Raises:
            RowRefused: it cannot be read.
        """
        return self._readers[self.known.index(name)](row)

    def _reader(self, name: str) -> Callable[[Cells], str]:
        place = self.places.get(name)
        if place is None:
            constant = self.mapping.constants[name]
            return lambda _: constant
        if name == "occurred_at":
            return self._moment_reader(place)
        if name in _NUMBERS:
            return self._number_reader(name, place)
        return self._text_reader(name, place)

    def _text_reader(self, name: str, place: int) -> Callable[[Cells], str]:
        codes = self.mapping.translations.get(name, {})
        width = self.mapping.widths.get(name, 0)
        is_needed = name in _NEEDED

        def read(row: Cells) -> str:
            text: str = row[place].strip()
            if width and text.isdigit():
                return text.zfill(width)
            if is_needed and not text:
                raise self._empty(name)
            return codes.get(text, text)

        return read

    def _moment_reader(self, place: int) -> Callable[[Cells], str]:
        time_at = self.places.get(TIME)
        time = self.mapping.constants.get(TIME, "")

        def read(row: Cells) -> str:
            text: str = row[place]
            if not text.strip():
                raise self._empty("occurred_at")
            if time_at is not None:
                text = joined_moment(text, row[time_at])
            elif time:
                text = joined_moment(text, time)
            try:
                return canonical_moment(text, self.date_format)
            except InvalidMoment as error:
                raise self._unreadable(error, "occurred_at") from None

        return read

    def _number_reader(self, name: str, place: int) -> Callable[[Cells], str]:
        def read(row: Cells) -> str:
            text: str = row[place]
            if not text.strip():
                return ""
            if self.on_ambiguous is not None and _is_ambiguous(text):
                self.on_ambiguous(self.column_of(name), text)
            try:
                return canonical_number(text, self.style)
            except InvalidNumber as error:
                raise self._unreadable(error, name) from None

        return read

    def _empty(self, name: str) -> RowRefused:
        return MissingValue(f"“{self.column_of(name)}” is empty.", field=name)

    def _unreadable(self, error: Any, name: str) -> RowRefused:
        return UnreadableCell(str(error), field=name, code=error.code)


def _is_ambiguous(text: str) -> bool:
    is_typed = isinstance(text, Typed)
    return not is_typed and AMBIGUOUS_NUMBER.fullmatch(text.strip()) is not None
