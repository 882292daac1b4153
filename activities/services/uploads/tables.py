"""Reading the four formats as groups of text cells, in constant memory.

Typed cells of Parquet and Excel become the text that a CSV file would hold, so
one set of rules reads them all.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import orjson

from activities.models import UploadFormat
from activities.services.uploads.escaping import unescaped
from activities.services.uploads.files import OpenFile, check_workbook, refuse_bomb
from activities.services.uploads.groups import (
    BadRow,
    Cells,
    Group,
    rows_by_key,
    single_rows,
)
from activities.services.uploads.json_lines import DATA_AT, LAYOUT, JsonLines
from activities.services.uploads.layout import (
    KNOWN_COLUMNS,
    REFUSED_COLUMNS,
    Layout,
    known_name,
    layout_of,
)
from activities.services.uploads.lines import text_lines
from activities.services.uploads.refusals import (
    BrokenFile,
    BrokenLine,
    EmptyFile,
    RaggedRow,
)
from loyalty.engine.numbers import InvalidNumber, format_value, parse_float_value

if TYPE_CHECKING:
    from activities.models import Upload

Rows = Iterator[tuple[int, Cells | BadRow]]

_DELIMITERS = ",;\t|"
_PARQUET_ROWS = 8_192
# What openpyxl raises on damaged workbooks; ElementTree's errors are SyntaxErrors.
_DAMAGED_WORKBOOK = (
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


@dataclass(slots=True)
class Table:
    """A file being read: its layout, its activities and how far it is.

    ``fraction_read`` is of the whole, 0 to 1. ``data_of`` replaces reading the
    further columns; None where the layout says it all. ``has_lines`` tells, once
    all is read, whether an activity may have stood on several lines.
    """

    layout: Layout
    groups: Iterator[Group]
    fraction_read: Callable[[], float]
    raw_of: Callable[[Group], list[dict[str, Any]]]
    has_lines: Callable[[], bool]
    data_of: Callable[[list[Cells]], dict[str, Any]] | None = None


@contextmanager
def open_table(upload: Upload, stream: IO[bytes]) -> Iterator[Table]:
    """Open an upload's file for reading activity by activity.

    Raises:
        UnusableFile: here for the header, while reading for what comes later.
    """
    file = OpenFile(upload, stream)
    has_default_type = upload.default_activity_type_id is not None
    if upload.format == UploadFormat.CSV:
        yield _csv_table(file, has_default_type=has_default_type)
    elif upload.format == UploadFormat.JSON_LINES:
        yield _json_table(file)
    else:
        with file.seekable() as seekable:
            if upload.format == UploadFormat.PARQUET:
                yield _parquet_table(seekable, has_default_type=has_default_type)
            else:
                yield _workbook_table(seekable, has_default_type=has_default_type)


def _fraction(done: int, total: int) -> float:
    return min(done / total, 1.0) if total else 1.0


def _table(layout: Layout, rows: Rows, fraction_read: Callable[[], float]) -> Table:
    groups = (
        rows_by_key(rows, layout.places["key"])
        if layout.has_items
        else single_rows(rows)
    )
    columns = layout.columns

    def raw_of(group: Group) -> list[dict[str, Any]]:
        return [_by_column(columns, row) for row in group.rows]

    return Table(layout, groups, fraction_read, raw_of, lambda: layout.has_items)


def _by_column(columns: tuple[str, ...], row: Cells) -> dict[str, Any]:
    """Name the cells; what a ragged row has too much gets names of its own."""
    named = dict(zip(columns, row, strict=False))
    for place, cell in enumerate(row[len(columns) :], start=len(columns) + 1):
        if cell:
            named[f"column {place}"] = cell
    return named


def _json_table(file: OpenFile) -> Table:
    reader = JsonLines(text_lines(file.blocks()))

    def raw_of(group: Group) -> list[dict[str, Any]]:
        texts = dict.fromkeys(row[-1] for row in group.rows)
        return [{"text": text} for text in texts]

    return Table(
        LAYOUT,
        reader.groups(),
        lambda: _fraction(file.bytes_read, file.size_bytes),
        raw_of,
        lambda: reader.has_flat_rows,
        lambda rows: rows[0][DATA_AT] or {},
    )


def _csv_table(file: OpenFile, *, has_default_type: bool) -> Table:
    lines = text_lines(file.blocks())
    blank_count = 0
    first = next(lines, None)
    while first is not None and not first.strip():
        blank_count += 1
        first = next(lines, None)
    if first is None:
        raise EmptyFile("The file is empty.", field="file")
    delimiter = _delimiter_of(first)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        header = next(reader)
    except csv.Error:
        raise BrokenFile("The quotes of the header do not close.", field="file") from (
            None
        )
    layout = layout_of(header, has_default_type=has_default_type)
    key_at = layout.places["key"]
    if any(known_name(name) in REFUSED_COLUMNS for name in header):
        # It is a file of refused rows, whose formula-like cells were escaped.
        cells: Any = _UnescapedRows(reader)
        layout = layout_of(
            list(map(unescaped, header)), has_default_type=has_default_type
        )
    else:
        cells = reader
    rows = _csv_rows(cells, blank_count, len(header), key_at)
    return _table(layout, rows, lambda: _fraction(file.bytes_read, file.size_bytes))


def delimiter_of_file(upload: Upload) -> str:
    """Return what separates the cells of an upload's CSV file."""
    with upload.file.open("rb") as stream:
        for line in text_lines(OpenFile(upload, stream).blocks()):
            if line.strip():
                return _delimiter_of(line)
    return ","


def _delimiter_of(header: str) -> str:
    return max(_DELIMITERS, key=lambda one: _known_names(header, one))


def _known_names(header: str, delimiter: str) -> int:
    names = (name.strip('" \r\n\t') for name in header.split(delimiter))
    return sum(known_name(name) in KNOWN_COLUMNS for name in names)


class _UnescapedRows:
    """A CSV reader that gives escaped cells back as they were."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    @property
    def line_num(self) -> int:
        return int(self._reader.line_num)

    def __iter__(self) -> Iterator[list[str]]:
        return (list(map(unescaped, row)) for row in self._reader)


def _csv_rows(reader: Any, blank_count: int, width: int, key_at: int) -> Rows:
    """Yield the rows with the number of the line on which each starts."""
    last = reader.line_num
    while True:
        try:
            for row in reader:
                line = last + 1 + blank_count
                last = reader.line_num
                if len(row) == width:
                    yield line, row
                elif row and any(row):
                    is_one_line = last + blank_count == line
                    yield line, _ragged(row, width, key_at if is_one_line else None)
        except csv.Error:
            line, last = last + 1 + blank_count, reader.line_num
            error = BrokenLine(
                "The quotes on this line do not close as they should (read up to line "
                f"{last + blank_count})."
            )
            yield line, BadRow(error, [])
        else:
            return


def _ragged(row: Cells, width: int, key_at: int | None) -> BadRow:
    error = RaggedRow(f"The row has {len(row)} cells, the header has {width}.")
    key = row[key_at] if key_at is not None and key_at < len(row) else None
    return BadRow(error, row, key)


def _parquet_table(stream: IO[bytes], *, has_default_type: bool) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Buffered and unthreaded: a page at a time, not a row group at a time.
        file = pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError):
        raise BrokenFile("The Parquet file is damaged.", field="file") from None
    layout = layout_of(file.schema_arrow.names, has_default_type=has_default_type)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        packed = sum(
            group.column(place).total_compressed_size
            for place in range(group.num_columns)
        )
        refuse_bomb(group.total_byte_size, packed)
    total = file.metadata.num_rows
    done = [0]
    rows = _parquet_rows(file, done)
    return _table(layout, rows, lambda: _fraction(done[0], total))


def _parquet_rows(file: Any, done: list[int]) -> Rows:
    import pyarrow as pa

    try:
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
            columns = [_texts(column) for column in batch.columns]
            yield from enumerate(map(list, zip(*columns, strict=True)), done[0] + 1)
            done[0] += batch.num_rows
    except (pa.ArrowException, OSError):
        raise BrokenFile(
            f"The Parquet file is damaged after row {done[0]}.", field="file"
        ) from None


def _texts(column: Any) -> list[str]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [value or "" for value in values]
    return [text_of(value) for value in values]


def _workbook_table(stream: IO[bytes], *, has_default_type: bool) -> Table:
    import openpyxl

    check_workbook(stream)
    stream.seek(0)
    try:
        # Of formulas the values that Excel computed last are read.
        book = openpyxl.load_workbook(
            stream, read_only=True, data_only=True, keep_links=False
        )
        sheet = book.worksheets[0]
        rows_in_all = sheet.max_row or 0
    except _DAMAGED_WORKBOOK:
        raise BrokenFile("The Excel file is damaged.", field="file") from None
    done = [0]
    rows = _sheet_rows(sheet, done)
    header = next(rows, None)
    if header is None:
        raise EmptyFile("The first sheet of the workbook is empty.", field="file")
    names = header[1]
    while names and not names[-1]:
        names.pop()
    layout = layout_of(names, has_default_type=has_default_type)
    return _table(
        layout,
        _fitted(rows, len(names), layout.places["key"]),
        lambda: _fraction(done[0], rows_in_all),
    )


def _sheet_rows(sheet: Any, done: list[int]) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a sheet that are not blank, as texts."""
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            row = next(rows, None)
        except _DAMAGED_WORKBOOK:
            raise BrokenFile(
                f"The Excel file is damaged after row {done[0]}.", field="file"
            ) from None
        if row is None:
            return
        done[0] += 1
        cells = [text_of(value) for value in row]
        if any(cells):
            yield done[0], cells


def _fitted(rows: Iterator[tuple[int, Cells]], width: int, key_at: int) -> Rows:
    """Give each row the header's width; only cells beyond it make it ragged."""
    for line, row in rows:
        if any(row[width:]):
            yield line, _ragged(row, width, key_at)
        else:
            yield line, row[:width] + [""] * (width - len(row))


def text_of(value: Any) -> str:
    """Return a typed cell as the text that a CSV file would hold."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    return orjson.dumps(value, default=str).decode()


@lru_cache(1 << 16)
def _float_text(value: float) -> str:
    try:
        return format_value(parse_float_value(value))
    except (InvalidNumber, ArithmeticError, ValueError):
        return repr(value)
