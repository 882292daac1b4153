"""Files and uploads for tests, in every format from the same rows."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.core.files.base import ContentFile

from activities.models import Upload, UploadRefusal
from activities.services import uploads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loyalty.models import Program

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)

Row = dict[str, Any]


def csv_bytes(rows: Iterable[Row], delimiter: str = ",") -> bytes:
    """Return a CSV file with the columns of the first row."""
    rows = list(rows)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_lines_bytes(rows: Iterable[Any]) -> bytes:
    """Return a JSON Lines file."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def parquet_bytes(rows: Iterable[Row], **options: Any) -> bytes:
    """Return a Parquet file; columns are typed by their values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), buffer, **options)
    return buffer.getvalue()


def xlsx_bytes(rows: Iterable[Row]) -> bytes:
    """Return a workbook with one sheet; cells are typed by their values."""
    import openpyxl

    rows = list(rows)
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


WRITERS = {
    "csv": csv_bytes,
    "jsonl": json_lines_bytes,
    "parquet": parquet_bytes,
    "xlsx": xlsx_bytes,
}


def gzipped(content: bytes) -> bytes:
    """Return the content packed with gzip."""
    return gzip.compress(content)


def new_upload(
    program: Program,
    content: bytes | str | list[Row],
    name: str = "sales.csv",
    **options: Any,
) -> Upload:
    """Return an upload that nobody has checked; rows are written as CSV."""
    if isinstance(content, list):
        content = csv_bytes(content)
    if isinstance(content, str):
        content = content.encode()
    file: Any = ContentFile(content, name=name)
    return uploads.create_upload(
        program, file, now=NOW, options=uploads.UploadOptions(**options)
    )


def checked(program: Program, content: Any, name: str = "sales.csv", **options: Any):
    """Return a checked upload."""
    upload = new_upload(program, content, name, **options)
    uploads.validate_upload(upload)
    upload.refresh_from_db()
    return upload


def confirmed(program: Program, content: Any, name: str = "sales.csv", **options: Any):
    """Return an upload whose recording may begin."""
    upload = checked(program, content, name, **options)
    return uploads.confirm_upload(upload, actor="marketer", now=NOW)


def finished(program: Program, content: Any, name: str = "sales.csv", **options: Any):
    """Return an upload that was recorded."""
    upload = confirmed(program, content, name, **options)
    run(upload)
    return upload


def run(upload: Upload) -> None:
    """Record all of a confirmed upload."""
    uploads.run_chunks(upload.pk, until=_later())
    upload.refresh_from_db()


def undo(upload: Upload) -> None:
    """Undo all of an upload."""
    uploads.undo_upload(upload, actor="operator", now=NOW)
    uploads.undo_chunks(upload.pk, until=_later())
    upload.refresh_from_db()


def refusals(upload: Upload) -> list[tuple[int, str, str]]:
    """Return line, field and code of what was refused."""
    rows = UploadRefusal.objects.filter(upload=upload).order_by("line", "pk")
    return list(rows.values_list("line", "field", "code"))


def _later() -> datetime:
    return datetime.now(tz=UTC) + timedelta(minutes=10)
