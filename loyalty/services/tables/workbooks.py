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
from loyalty.services.tables.files import check_workbook, do_nothing
from loyalty.services.tables.refusals import BrokenFile, UnusableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a sheet of Excel has.
_ROWS_MAX = 1_048_576
_COLUMNS_MAX = 16_384
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
    OverflowError,
    OSError,
)


class Typed(str):
    """The text of a cell that held a number or a date; no spelling to be guessed."""

    __slots__ = ()


class Sheet:
    """The first sheet of a workbook; ``done`` is the number of the last row read."""

    def __init__(
        self, stream: IO[bytes], look: Callable[[], None] = do_nothing
    ) -> None:
        """Open the workbook in ``stream``; ``look`` is called between its rows.

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
        self._look = look

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, with their numbers, as texts.

        A sheet says which rows it holds. Those it leaves out are not filled in,
        however many a wrong number makes them.

        Raises:
            BrokenFile: damaged behind the row that it names.
        """
        rows = _stored_rows(self._sheet)
        while True:
            self._look()
            try:
                found = next(rows, None)
            except UnusableFile:
                raise
            except DAMAGED_WORKBOOK:
                raise BrokenFile(
                    f"The Excel file is damaged after row {self.done}.", field="file"
                ) from None
            if found is None:
                return
            self.done, cells = found
            if any(cells):
                yield self.done, cells


def _stored_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield what stands in the sheet's part of the archive, in its order."""
    from openpyxl.worksheet._reader import WorkSheetParser

    book = sheet.parent
    last = 0
    with sheet._get_source() as part:
        parser = WorkSheetParser(
            part,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            # It would keep the format of every row.
            parser.row_dimensions.clear()
            if not last < number <= _ROWS_MAX:
                raise BrokenFile(
                    f"The sheet numbers a row {number:,} after row {last:,}. A sheet "
                    f"has rows 1 to {_ROWS_MAX:,}, in order.",
                    field="file",
                )
            last = number
            yield number, _texts(cells, number)


def _texts(cells: list[dict[str, Any]], number: int) -> list[str]:
    width = max((cell["column"] for cell in cells), default=0)
    if width > _COLUMNS_MAX:
        raise BrokenFile(
            f"Row {number:,} of the sheet has a cell in column {width:,}. A sheet has "
            f"columns 1 to {_COLUMNS_MAX:,}.",
            field="file",
        )
    texts = [""] * width
    for cell in cells:
        texts[cell["column"] - 1] = text_of(cell["value"])
    return texts


def text_of(value: Any) -> str:
    """Return a typed cell as the text that a CSV file would hold.

    Raises:
        TypeError: bytes, which are no text.
    """
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
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("Bytes are no text.")
    return str(value)


@lru_cache(1 << 16)
def float_text(value: float, bits: int = 64) -> str:
    """Return a float cell as text; ``bits`` is how wide its column's floats are."""
    try:
        return Typed(format_value(parse_float_value(value, bits)))
    except (InvalidNumber, ArithmeticError, ValueError):
        return Typed(repr(value))
