"""Cells that could mean two things: counted while a file is read, then asked about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from activities.services.uploads.mapping.spelling import AMBIGUOUS_NUMBER
from activities.services.uploads.refusals import RowRefused
from loyalty.services.tables.workbooks import Typed

if TYPE_CHECKING:
    from activities.services.uploads.groups import Group
    from activities.services.uploads.layout import Layout
    from activities.services.uploads.mapping.values import Mapping

_EXAMPLES = 5
# What Excel makes of long numbers, with a decimal point or comma.
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+\d+", re.ASCII)
_POINT_ZERO = re.compile(r"(\d{4,})[.,]0+", re.ASCII)
_IDS = ("key", "member", "item_id")
_NUMBERS = ("value", "item_value", "item_quantity")


class SpoiledNumber(RowRefused):
    """A number of a card, receipt or product of which digits are lost."""

    code = "spoiled_number"


class Found:
    """How many cells are unsure in one way, with examples."""

    def __init__(self) -> None:
        self.count = 0
        self.columns: list[str] = []
        self.examples: list[dict[str, Any]] = []

    def add(self, line: int, column: str, text: str) -> None:
        """Count a cell."""
        self.count += 1
        if column not in self.columns:
            self.columns.append(column)
        if len(self.examples) < _EXAMPLES:
            self.examples.append({"line": line, "column": column, "text": text[:60]})

    def as_json(self, code: str) -> dict[str, Any]:
        """Return it as a question."""
        return {
            "code": code,
            "count": self.count,
            "columns": self.columns,
            "examples": self.examples,
        }


class Unsure:
    """Looks at every activity of a file before it is normalised.

    What was answered is done at once: digits behind a point are dropped, spoiled
    numbers refused.
    """

    def __init__(self, layout: Layout, mapping: Mapping, *, delimiter: str) -> None:
        """Look at rows of ``layout``; ``mapping`` holds the answers given so far."""
        places = layout.places
        self._ids = [(places[name], name) for name in _IDS if name in places]
        # Mapped files report their numbers themselves, before they are translated.
        is_watched = not mapping.columns and not mapping.decimal_sign
        self._numbers = [
            (places[name], name) for name in _NUMBERS if name in places and is_watched
        ]
        self._answers = mapping.answers
        self._has_semicolons = delimiter == ";"
        self._comma_count = 0
        self._line = 0
        self.columns: dict[str, str] = {}
        self.scientific = Found()
        self.point_zero = Found()
        self.numbers = Found()
        self.mapped_numbers = Found()

    def see(self, group: Group) -> None:
        """Look at one activity."""
        for line, row in zip(group.line_numbers, group.rows, strict=False):
            self._line = line
            for place, name in self._ids:
                text = row[place] if place < len(row) else ""
                if "+" in text or ".0" in text or ",0" in text:
                    self._see_id(group, line, row, place, name)
            for place, name in self._numbers:
                text = row[place] if place < len(row) else ""
                if ("," in text or "." in text) and type(text) is not Typed:
                    self._see_number(line, name, text)

    def see_mapped(self, line: int, column: str, text: str) -> None:
        """Count a number of a mapped file that could be thousands."""
        self.mapped_numbers.add(line, column, text)

    def _see_number(self, line: int, name: str, text: str) -> None:
        if "," in text:
            self._comma_count += 1
        match = AMBIGUOUS_NUMBER.fullmatch(text.strip())
        if match is not None and match[1] == ".":
            self.numbers.add(line, name, text)

    def _see_id(
        self, group: Group, line: int, row: list[Any], place: int, name: str
    ) -> None:
        text = str(row[place]).strip()
        column = self.columns.get(name, name)
        if _SCIENTIFIC.fullmatch(text):
            self.scientific.add(line, column, text)
            if self._answers.get("scientific") == "refuse":
                group.spoil(line, _spoiled(text, name))
            return
        match = _POINT_ZERO.fullmatch(text)
        if match is None:
            return
        self.point_zero.add(line, column, text)
        answer = self._answers.get("point_zero")
        if answer == "drop":
            row[place] = match[1]
        elif answer == "refuse":
            group.spoil(line, _spoiled(text, name))

    def questions(self) -> list[dict[str, Any]]:
        """Return what must be asked once the file is read."""
        asked = []
        if self.mapped_numbers.count:
            asked.append(self.mapped_numbers.as_json("numbers"))
        if self.numbers.count and (self._has_semicolons or self._comma_count):
            asked.append(self.numbers.as_json("numbers"))
        for code, found in (
            ("scientific", self.scientific),
            ("point_zero", self.point_zero),
        ):
            if found.count and code not in self._answers:
                asked.append(found.as_json(code))
        return asked


def _spoiled(text: str, name: str) -> SpoiledNumber:
    return SpoiledNumber(
        f"“{text[:60]}” is a number that a spreadsheet shortened; its digits are lost. "
        "Format the column as text and export it again.",
        field=name,
    )
