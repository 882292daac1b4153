"""The refused rows as a file: as they stood, in the upload's format, with reasons.

It can be mended and uploaded as it is: its ``refused_…`` columns are passed over.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import orjson
from django.db import connection

from activities.models import UploadFormat, UploadRefusal
from activities.services.uploads.layout import (
    REFUSED_COLUMNS,
    known_name,
)
from activities.services.uploads.tables import dialect_of_file
from loyalty.services.tables.escaping import escaped
from loyalty.services.tables.files import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from activities.models import Upload

_ROWS_AT_ONCE = 100
_SURPLUS_COLUMNS_MAX = 100
_SURPLUS = re.compile(r"column \d+")
_CELL_CHARACTERS_MAX = 32_767
_UTF8_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file to download: its name, its type and its content, block by block."""

    name: str
    content_type: str
    blocks: Iterator[bytes]


def refused_file(upload: Upload) -> RefusedFile:
    """Return the kept refusals of an upload as a file, in order of their lines.

    Cells that a spreadsheet would take for a formula are written so that it does
    not; reading the file as an upload gives them back as they were.
    """
    content_type, write = _WRITERS[UploadFormat(upload.format)]
    stem = upload.original_name.removesuffix(".gz").rsplit(".", 1)[0]
    name = f"{stem or 'upload'}-refused.{upload.format}"
    return RefusedFile(name, content_type, write(upload))


def _refusals(upload: Upload) -> Iterator[UploadRefusal]:
    rows = UploadRefusal.objects.filter(upload=upload).order_by("line", "pk")
    start = 0
    while some := list(rows[start : start + _ROWS_AT_ONCE]):
        yield from some
        start += len(some)


def _columns(upload: Upload) -> list[str]:
    """Return the file's own columns, and some for cells beyond them."""
    own = [
        name
        for name in dict.fromkeys(map(str, upload.columns))
        if name.strip() and known_name(name) not in REFUSED_COLUMNS
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT name FROM activities_uploadrefusal,"
            " jsonb_array_elements(raw) row, jsonb_object_keys(row) name"
            " WHERE upload_id = %s",
            [upload.pk],
        )
        found = {name for (name,) in cursor.fetchall()}
    surplus = sorted(
        (name for name in found - set(own) if _SURPLUS.fullmatch(name)),
        key=lambda name: int(name.rsplit(" ", 1)[1]),
    )
    return own + surplus[:_SURPLUS_COLUMNS_MAX]


def _table(upload: Upload, columns: list[str]) -> Iterator[list[str]]:
    for refusal in _refusals(upload):
        for row in refusal.raw or [{}]:
            yield [*(_cell(row, column) for column in columns), *_reasons(refusal)]


def _cell(row: dict[str, Any], column: str) -> str:
    # Rows refused after they were read are kept under the names that are known.
    for name in (column, column.strip(), known_name(column)):
        if row.get(name) is not None:
            return str(row[name])
    return ""


def _reasons(refusal: UploadRefusal) -> list[str]:
    return [str(refusal.line), refusal.field, refusal.code, refusal.message]


def _csv_blocks(upload: Upload) -> Iterator[bytes]:
    columns = _columns(upload)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=dialect_of_file(upload).delimiter)
    # Excel takes a file without this mark for one of its own encodings.
    text.write(_UTF8_MARK)
    writer.writerow(map(escaped, (*columns, *REFUSED_COLUMNS)))
    for row in _table(upload, columns):
        writer.writerow(map(escaped, row))
        if text.tell() > BLOCK_BYTES:
            yield text.getvalue().encode(errors="replace")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(errors="replace")


def _json_blocks(upload: Upload) -> Iterator[bytes]:
    for refusal in _refusals(upload):
        reasons = dict(zip(REFUSED_COLUMNS, _reasons(refusal), strict=True))
        for row in refusal.raw or [{}]:
            text = str(row.get("text", ""))
            yield orjson.dumps({**_object_of(text), **reasons}) + b"\n"


def _object_of(text: str) -> dict[str, Any]:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        content = None
    return content if isinstance(content, dict) else {"refused_text": text}


def _workbook_blocks(upload: Upload) -> Iterator[bytes]:
    import xlsxwriter

    columns = _columns(upload)
    with tempfile.TemporaryFile() as spool:
        book = xlsxwriter.Workbook(spool, {"constant_memory": True})
        sheet = book.add_worksheet("Refused")
        rows = chain([[*columns, *REFUSED_COLUMNS]], _table(upload, columns))
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                # As text: no cell of a customer's file becomes a formula or a link.
                sheet.write_string(place, column, cell[:_CELL_CHARACTERS_MAX])
        book.close()
        yield from _blocks_of(spool)


def _parquet_blocks(upload: Upload) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _columns(upload)
    names = [*columns, *REFUSED_COLUMNS]
    schema = pa.schema([(name, pa.string()) for name in names])
    with tempfile.TemporaryFile() as spool:
        with pq.ParquetWriter(spool, schema) as writer:
            rows: list[list[str]] = []
            for row in _table(upload, columns):
                rows.append(row)
                if len(rows) >= _ROWS_AT_ONCE:
                    writer.write_table(_arrow_table(rows, schema))
                    rows.clear()
            writer.write_table(_arrow_table(rows, schema))
        yield from _blocks_of(spool)


def _arrow_table(rows: list[list[str]], schema: Any) -> Any:
    import pyarrow as pa

    columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in schema]
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def _blocks_of(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while block := spool.read(BLOCK_BYTES):
        yield block


_WRITERS: dict[UploadFormat, tuple[str, Callable[[Upload], Iterator[bytes]]]] = {
    UploadFormat.CSV: ("text/csv; charset=utf-8", _csv_blocks),
    UploadFormat.JSON_LINES: ("application/x-ndjson", _json_blocks),
    UploadFormat.PARQUET: ("application/vnd.apache.parquet", _parquet_blocks),
    UploadFormat.XLSX: (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _workbook_blocks,
    ),
}
