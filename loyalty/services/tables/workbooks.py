"""Excel files: the rows of their first sheet as the texts that CSV would hold."""

from __future__ import annotations

import zipfile
import zlib
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import orjson

from loyalty.engine.numbers import InvalidNumber, format_value, parse_float_value
from loyalty.services.tables.files import check_workbook
from loyalty.services.tables.refusals import BrokenFile

if TYPE_CHECKING:
    from collections.abc import Iterator

# What openpyxl raises on damaged workbooks; ElementTree's errors are SyntaxErrors.
DAMAGED_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    SyntaxError,
    OSError,
)


class Typed(str):
    """The text of a cell that held a number or a date; no spelling to be guessed."""

    __slots__ = ()


class Sheet:
    """The first sheet of a workbook; ``done`` is the number of the last row read."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Open the workbook in ``stream``.

        Raises:
            UnusableFile: damaged, no workbook, or packed too tightly.
        """
        import openpyxl

        check_workbook(stream)
        stream.seek(0)
        try:
            # Of formulas the values that Excel computed last are read.
            book = openpyxl.load_workbook(
                stream, read_only=True, data_only=True, keep_links=False
            )
            self._sheet: Any = book.worksheets[0]
            self.row_count = self._sheet.max_row or 0
        except DAMAGED_WORKBOOK:
            raise BrokenFile("The Excel file is damaged.", field="file") from None
        self.done = 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, with their numbers, as texts.

        Raises:
            BrokenFile: damaged behind the row that it names.
        """
        rows = self._sheet.iter_rows(values_only=True)
        while True:
            try:
                row = next(rows, None)
            except DAMAGED_WORKBOOK:
                raise BrokenFile(
                    f"The Excel file is damaged after row {self.done}.", field="file"
                ) from None
            if row is None:
                return
            self.done += 1
            cells = [text_of(value) for value in row]
            if any(cells):
                yield self.done, cells


def text_of(value: Any) -> str:
    """Return a typed cell as the text that a CSV file would hold."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Decimal):
        return Typed(format(value, "f") if value.is_finite() else value)
    if isinstance(value, (datetime, date, time)):
        return Typed(value.isoformat())
    if isinstance(value, int):
        return Typed(value)
    return orjson.dumps(value, default=str).decode()


@lru_cache(1 << 16)
def float_text(value: float, bits: int = 64) -> str:
    """Return a float cell as text; ``bits`` is how wide its column's floats are."""
    try:
        return Typed(format_value(parse_float_value(value, bits)))
    except (InvalidNumber, ArithmeticError, ValueError):
        return Typed(repr(value))
