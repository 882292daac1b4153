"""Reading the four formats as groups of text cells, in constant memory.

Typed cells of Parquet and Excel become the text that a CSV file would hold, so
one set of rules reads them all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from activities.services.uploads.mapping.guessing import Sample
from activities.services.uploads.mapping.sampling import sample_of
from activities.services.uploads.mapping.translating import Translator
from activities.services.uploads.mapping.values import Mapping, read_mapping
from activities.services.uploads.parquet import Source, parquet_source
from activities.services.uploads.refusals import (
    BrokenFile,
    BrokenLine,
    EmptyFile,
    RaggedRow,
)
from loyalty.services.tables.dialects import Dialect, guess_dialect, has_mark
from loyalty.services.tables.escaping import unescaped
from loyalty.services.tables.files import OpenFile, do_nothing
from loyalty.services.tables.lines import text_lines
from loyalty.services.tables.reading import TextTable, head_of
from loyalty.services.tables.workbooks import Sheet

if TYPE_CHECKING:
    from activities.models import Upload

Rows = Iterator[tuple[int, Cells | BadRow]]

_SURPLUS_CELLS_MAX = 100


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
    translator: Translator | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the header as the file has it."""
        return tuple(self.translator.header) if self.translator else self.layout.columns


@contextmanager
def open_table(
    upload: Upload,
    stream: IO[bytes],
    look: Callable[[], None] = do_nothing,
    mapping: Mapping | None = None,
) -> Iterator[Table]:
    """Open an upload's file for reading activity by activity.

    ``look`` is called whenever some of it was read, however much that yields: it may
    raise to end the reading. ``mapping`` says how a file is read that is not in the
    native format.

    Raises:
        UnusableFile: here for the header, while reading for what comes later.
    """
    mapping = mapping or Mapping()
    if upload.format == UploadFormat.JSON_LINES:
        dialect = _dialect_of(upload, stream, mapping)
        yield _json_table(OpenFile(upload, stream, look), dialect)
        return
    with _open_columns(upload, stream, look, mapping) as columns:
        if mapping.columns:
            yield _mapped_table(columns, Translator(mapping, columns.names))
        else:
            has_default_type = upload.default_activity_type_id is not None
            yield _native_table(columns, has_default_type=has_default_type)


def first_rows(
    upload: Upload,
    stream: IO[bytes],
    look: Callable[[], None] = do_nothing,
    mapping: Mapping | None = None,
) -> Sample:
    """Return the header and the first rows of a file that is not JSON Lines.

    Raises:
        UnusableFile: the header or the first rows cannot be read.
    """
    with _open_columns(upload, stream, look, mapping or Mapping()) as columns:
        sample = sample_of(columns.names, columns.rows_of(None), columns.dialect)
    stream.seek(0)
    return sample


@dataclass(slots=True)
class _Columns:
    """A table before anything is known of its columns.

    ``rows_of`` yields its rows; given the place of the key, a row that cannot be
    read still shows whose it is.
    """

    names: list[str]
    rows_of: Callable[[int | None], Rows]
    fraction_read: Callable[[], float]
    dialect: Dialect = field(default_factory=Dialect)


@contextmanager
def _open_columns(
    upload: Upload, stream: IO[bytes], look: Callable[[], None], mapping: Mapping
) -> Iterator[_Columns]:
    if upload.format == UploadFormat.CSV:
        dialect = _dialect_of(upload, stream, mapping)
        yield _csv_columns(OpenFile(upload, stream, look), dialect)
        return
    with OpenFile(upload, stream, look).seekable() as seekable:
        if upload.format == UploadFormat.PARQUET:
            source = parquet_source(seekable, look)
        else:
            source = _workbook_source(seekable, look)
        width = len(source.names)
        yield _Columns(
            source.names,
            lambda key_at: _fitted(source.rows, width, key_at),
            source.fraction_read,
        )


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
        if len(named) > len(columns) + _SURPLUS_CELLS_MAX:
            break
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


def _native_table(columns: _Columns, *, has_default_type: bool) -> Table:
    layout = layout_of(columns.names, has_default_type=has_default_type)
    rows = columns.rows_of(layout.places["key"])
    return _table(layout, rows, columns.fraction_read)


def _mapped_table(columns: _Columns, translator: Translator) -> Table:
    layout = translator.layout
    rows = translator.rows(columns.rows_of(translator.places["key"]))
    table = _table(layout, rows, columns.fraction_read)
    names, row_at = tuple(translator.header), len(layout.columns) - 1
    table.raw_of = lambda group: [_by_column(names, row[row_at]) for row in group.rows]
    table.translator = translator
    return table


def _csv_columns(file: OpenFile, dialect: Dialect) -> _Columns:
    table = TextTable(file, dialect)
    try:
        header = next(table.reader)
    except csv.Error:
        raise BrokenFile("The quotes of the header do not close.", field="file") from (
            None
        )
    cells: Any = table.reader
    width = len(header)
    if any(known_name(name) in REFUSED_COLUMNS for name in header):
        # It is a file of refused rows, whose formula-like cells were escaped.
        cells = _UnescapedRows(table.reader)
        header = list(map(unescaped, header))
    return _Columns(
        header,
        lambda key_at: _csv_rows(cells, table.skipped_count, width, key_at),
        lambda: _fraction(file.bytes_read, file.size_bytes),
        dialect,
    )


def dialect_of_file(upload: Upload) -> Dialect:
    """Return the encoding of an upload's text file and what separates its cells."""
    with upload.file.open("rb") as stream:
        return _dialect_of(upload, stream, read_mapping(upload.mapping))


def _dialect_of(upload: Upload, stream: IO[bytes], mapping: Mapping) -> Dialect:
    """Return what the mapping says, else a guess; a mark in the file always counts."""
    head = head_of(OpenFile(upload, stream))
    found = guess_dialect(head, _is_known)
    stream.seek(0)
    encoding = "" if has_mark(head) else mapping.encoding
    return Dialect(encoding or found.encoding, mapping.delimiter or found.delimiter)


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


def _csv_rows(reader: Any, blank_count: int, width: int, key_at: int | None) -> Rows:
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


def _workbook_source(stream: IO[bytes], look: Callable[[], None]) -> Source:
    sheet = Sheet(stream, look)
    rows = sheet.rows()
    header = next(rows, None)
    if header is None:
        raise EmptyFile("The first sheet of the workbook is empty.", field="file")
    names = header[1]
    while names and not names[-1]:
        names.pop()
    return Source(names, rows, lambda: _fraction(sheet.done, sheet.row_count))


def _fitted(rows: Iterator[tuple[int, Cells]], width: int, key_at: int | None) -> Rows:
    """Give each row the header's width; only cells beyond it make it ragged."""
    for line, row in rows:
        if len(row) == width:
            yield line, row
        elif any(row[width:]):
            yield line, _ragged(row, width, key_at)
        else:
            yield line, row[:width] + [""] * (width - len(row))
