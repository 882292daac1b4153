"""The rows of a table, whichever way it was exported."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING

from loyalty.models import FileFormat
from loyalty.services.tables.dialects import (
    SAMPLE_BYTES,
    Dialect,
    guess_dialect,
    separator_of,
)
from loyalty.services.tables.files import OpenFile, detect
from loyalty.services.tables.lines import text_lines
from loyalty.services.tables.refusals import BrokenFile, EmptyFile, UnknownFormat
from loyalty.services.tables.workbooks import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_READABLE = (FileFormat.CSV, FileFormat.XLSX)


@dataclass(slots=True)
class _Stored:
    size_bytes: int
    is_gzipped: bool


def head_of(file: OpenFile) -> bytes:
    """Return the first unpacked bytes, as many as guesses are made from."""
    head = bytearray()
    for block in file.blocks():
        head += block
        if len(head) >= SAMPLE_BYTES:
            break
    return bytes(head[:SAMPLE_BYTES])


class TextTable:
    """The lines of a CSV file from its header on.

    ``skipped_count`` lines came before: blank ones, and Excel's ``sep=``.
    """

    def __init__(self, file: OpenFile, dialect: Dialect) -> None:
        """Read ``file`` as ``dialect`` says.

        Raises:
            EmptyFile: there is nothing in it.
            WrongEncoding: the first lines are not in the encoding.
        """
        lines = text_lines(file.blocks(), dialect.encoding)
        self.skipped_count = 0
        first = next(lines, None)
        while first is not None and not first.strip():
            self.skipped_count += 1
            first = next(lines, None)
        if first is not None and separator_of(first) is not None:
            self.skipped_count += 1
            first = next(lines, None)
        if first is None:
            raise EmptyFile("The file is empty.", field="file")
        self.reader = csv.reader(
            chain([first], lines), delimiter=dialect.delimiter, strict=True
        )


def table_rows(
    stream: IO[bytes], name: str = "", *, is_known: Callable[[str], bool] | None = None
) -> Generator[tuple[int, list[str]], None, None]:
    """Yield the rows of a CSV or Excel file that are not blank, with their lines.

    Encoding and separator are guessed from the first lines. Constant memory.

    Raises:
        UnusableFile: it is neither, or cannot be read; names the line.
    """
    detected = detect(name, stream)
    if detected.format not in _READABLE:
        raise UnknownFormat(
            f"The file is {detected.format.label}. Save it as CSV or Excel (XLSX).",
            field="file",
        )
    size_bytes = stream.seek(0, io.SEEK_END)
    stored = _Stored(size_bytes, detected.is_gzipped)
    stream.seek(0)
    if detected.format is FileFormat.XLSX:
        with OpenFile(stored, stream).seekable() as seekable:
            yield from Sheet(seekable).rows()
        return
    dialect = guess_dialect(head_of(OpenFile(stored, stream)), is_known or _unknown)
    stream.seek(0)
    table = TextTable(OpenFile(stored, stream), dialect)
    yield from _filled_rows(table)


def _filled_rows(table: TextTable) -> Iterator[tuple[int, list[str]]]:
    last = 0
    try:
        for row in table.reader:
            line = last + 1 + table.skipped_count
            last = table.reader.line_num
            if any(row):
                yield line, row
    except csv.Error:
        line = last + 1 + table.skipped_count
        raise BrokenFile(
            f"Line {line} cannot be read: its quotes do not close.",
            field="file",
            line=line,
        ) from None


def _unknown(_: str) -> bool:
    return False
