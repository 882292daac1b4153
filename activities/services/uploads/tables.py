"""Reading the four formats as groups of text cells, in constant memory.

Typed cells of Parquet and Excel become the text that a CSV file would hold, so
one set of rules reads them all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from activities.models import UploadFormat
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
from activities.services.uploads.refusals import (
    BrokenFile,
    BrokenLine,
    EmptyFile,
    RaggedRow,
)
from loyalty.services.tables.dialects import Dialect, guess_dialect
from loyalty.services.tables.escaping import unescaped
from loyalty.services.tables.files import OpenFile, refuse_bomb
from loyalty.services.tables.lines import text_lines
from loyalty.services.tables.reading import TextTable, head_of
from loyalty.services.tables.workbooks import Sheet, float_text, text_of

if TYPE_CHECKING:
    from activities.models import Upload

Rows = Iterator[tuple[int, Cells | BadRow]]

_PARQUET_ROWS = 8_192


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
    has_default_type = upload.default_activity_type_id is not None
    if upload.format in (UploadFormat.CSV, UploadFormat.JSON_LINES):
        dialect = _dialect_of(upload, stream)
        file = OpenFile(upload, stream)
        if upload.format == UploadFormat.CSV:
            yield _csv_table(file, dialect, has_default_type=has_default_type)
        else:
            yield _json_table(file, dialect)
        return
    with OpenFile(upload, stream).seekable() as seekable:
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


def _json_table(file: OpenFile, dialect: Dialect) -> Table:
    reader = JsonLines(text_lines(file.blocks(), dialect.encoding))

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


def _csv_table(file: OpenFile, dialect: Dialect, *, has_default_type: bool) -> Table:
    table = TextTable(file, dialect)
    try:
        header = next(table.reader)
    except csv.Error:
        raise BrokenFile("The quotes of the header do not close.", field="file") from (
            None
        )
    layout = layout_of(header, has_default_type=has_default_type)
    key_at = layout.places["key"]
    if any(known_name(name) in REFUSED_COLUMNS for name in header):
        # It is a file of refused rows, whose formula-like cells were escaped.
        cells: Any = _UnescapedRows(table.reader)
        layout = layout_of(
            list(map(unescaped, header)), has_default_type=has_default_type
        )
    else:
        cells = table.reader
    rows = _csv_rows(cells, table.skipped_count, len(header), key_at)
    return _table(layout, rows, lambda: _fraction(file.bytes_read, file.size_bytes))


def dialect_of_file(upload: Upload) -> Dialect:
    """Return the encoding of an upload's text file and what separates its cells."""
    with upload.file.open("rb") as stream:
        return _dialect_of(upload, stream)


def _dialect_of(upload: Upload, stream: IO[bytes]) -> Dialect:
    dialect = guess_dialect(head_of(OpenFile(upload, stream)), _is_known)
    stream.seek(0)
    return dialect


def _is_known(name: str) -> bool:
    return known_name(name) in KNOWN_COLUMNS


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
    for bits, narrow in ((16, pa.float16()), (32, pa.float32())):
        if column.type == narrow:
            wide = column.cast(pa.float64()).to_pylist()
            return ["" if one is None else float_text(one, bits) for one in wide]
    values = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [value or "" for value in values]
    return [text_of(value) for value in values]


def _workbook_table(stream: IO[bytes], *, has_default_type: bool) -> Table:
    sheet = Sheet(stream)
    rows = sheet.rows()
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
        lambda: _fraction(sheet.done, sheet.row_count),
    )


def _fitted(rows: Iterator[tuple[int, Cells]], width: int, key_at: int) -> Rows:
    """Give each row the header's width; only cells beyond it make it ragged."""
    for line, row in rows:
        if any(row[width:]):
            yield line, _ragged(row, width, key_at)
        else:
            yield line, row[:width] + [""] * (width - len(row))
