"""Files that no spreadsheet wrote: each ends, with a sentence, in bounded memory."""

import io
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from activities.models import Activity, Upload, UploadRefusal, UploadStatus
from activities.services import uploads
from activities.services.uploads import groups, parquet
from loyalty.services import jobs
from tests.activities.uploads.files import (
    NOW,
    checked,
    finished,
    gzipped,
    json_lines_bytes,
    new_upload,
    parquet_bytes,
    refusals,
    xlsx_bytes,
)

pytestmark = pytest.mark.django_db

NOON = "2026-03-04T12:00:00Z"
ROW = {"key": "A", "member": "ann", "occurred_at": NOON, "type": "PURCHASE"}
MEGABYTE = 1024 * 1024


def workbook_with(change):
    """Return a workbook of two rows whose sheet's XML went through ``change``."""
    parts = io.BytesIO(xlsx_bytes([ROW, {**ROW, "key": "B"}]))
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(parts) as source,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name).decode()
            is_sheet = name == "xl/worksheets/sheet1.xml"
            target.writestr(name, change(content) if is_sheet else content)
    return changed.getvalue()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (' r="1000000000000"', "a row 1,000,000,000,000 after row 2"),
        (' r="1048577"', "rows 1 to 1,048,576"),
        (' r="2"', "a row 2 after row 2"),
        (' r="-5"', "rows 1 to 1,048,576"),
    ],
)
def test_a_row_that_no_sheet_has_ends_the_check_at_once(program, written, expected):
    content = workbook_with(lambda xml: xml.replace('<row r="3"', f"<row{written}"))
    started_at = time.monotonic()

    upload = checked(program, content, "a.xlsx")

    assert time.monotonic() - started_at < 10
    assert upload.status == UploadStatus.FAILED
    assert expected in upload.failure


def test_rows_that_a_sheet_leaves_out_are_not_filled_in(program):
    content = workbook_with(lambda xml: xml.replace('r="3"', 'r="1048576"'))

    upload = checked(program, content, "a.xlsx")

    assert (upload.line_count, upload.activity_count) == (2, 2)


def test_a_column_that_no_sheet_has_ends_the_check(program):
    content = workbook_with(lambda xml: xml.replace('r="D3"', 'r="XFE3"'))

    upload = checked(program, content, "a.xlsx")

    assert "column 16,385" in upload.failure


def parquet_of(**columns: Any) -> bytes:
    """Return a Parquet file of one row; columns may be Arrow arrays."""
    arrays = {
        name: column if isinstance(column, pa.Array) else pa.array([column])
        for name, column in {**ROW, **columns}.items()
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer)
    return buffer.getvalue()


def bad_text() -> pa.Array:
    """Return one text that is not UTF-8, as broken writers leave it."""
    return pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())


UNREADABLE = {
    "a moment in the year 300000": pa.array([2**60], pa.int64()).view(
        pa.timestamp("ms")
    ),
    "a moment out of range in microseconds": pa.array([2**62], pa.int64()).view(
        pa.timestamp("us")
    ),
    "a date out of range": pa.array([2**30], pa.int32()).view(pa.date32()),
    "a duration": pa.array([timedelta(days=1)]),
    "text that is not UTF-8": bad_text(),
    "bytes that are not UTF-8": pa.array([b"\xff\xfe"]),
    "bytes in a list": pa.array([[b"\xff"]]),
}


@pytest.mark.parametrize("column", ["key", "occurred_at", "note"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_values_that_cannot_be_read_fail_with_the_name_of_their_column(
    program, kind, column
):
    upload = checked(program, parquet_of(**{column: UNREADABLE[kind]}), "a.parquet")

    assert upload.status == UploadStatus.FAILED
    assert f"“{column}”" in upload.failure


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([b"b898"]), "b898"),
        (pa.array([b"b898"], pa.large_binary()), "b898"),
        (pa.array([b"b898"], pa.binary(4)), "b898"),
        (pa.array(["käse"], pa.large_string()), "käse"),
        (pa.array(["b898"]).dictionary_encode(), "b898"),
    ],
    ids=["binary", "large binary", "fixed size", "large text", "dictionary"],
)
def test_bytes_that_nobody_marked_as_text_are_the_text_that_they_are(
    program, column, expected
):
    finished(program, parquet_of(key=column, value="1"), "a.parquet")

    assert Activity.objects.get().key == expected


@pytest.mark.parametrize(
    "moment",
    [
        pa.array([datetime(2026, 3, 4, 12, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
        pa.array([datetime(2026, 3, 4, 12, tzinfo=UTC)], pa.timestamp("s", "UTC")),
        pa.array([datetime(2026, 3, 4, 12)], pa.timestamp("ms")),
        pa.array([date(2026, 3, 4)]).cast(pa.timestamp("us")),
    ],
)
def test_moments_of_every_unit_are_read(program, moment):
    upload = checked(program, parquet_of(occurred_at=moment), "a.parquet")

    assert upload.activity_count == 1


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_of_a_parquet_file_end_the_check_with_a_sentence(program, seed):
    import random

    content = bytearray(parquet_bytes([{**ROW, "key": f"K-{n}"} for n in range(200)]))
    generator = random.Random(seed)
    for _ in range(8):
        content[generator.randrange(4, len(content) - 4)] = generator.randrange(256)

    upload = checked(program, bytes(content), "a.parquet")

    assert upload.status in (UploadStatus.FAILED, UploadStatus.VALIDATED)
    assert jobs.UNFORESEEN not in upload.failure


def test_more_rows_than_a_file_of_its_size_can_hold_are_refused(program, monkeypatch):
    monkeypatch.setattr(parquet, "_ROWS_COUNT_FROM", 1_000)
    monkeypatch.setattr(parquet, "_ROWS_PER_BYTE_MAX", 1)

    upload = checked(program, parquet_bytes([ROW] * 20_000), "a.parquet")

    assert upload.status == UploadStatus.FAILED
    assert "20,000 rows" in upload.failure


def test_a_file_that_is_gone_from_the_data_folder_fails_the_check(program):
    upload = new_upload(program, [ROW])
    upload.file.storage.delete(str(upload.file.name))

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert "not in the data folder" in upload.failure


def test_a_name_that_stands_twice_in_an_object_refuses_the_line(program):
    good = orjson.dumps(ROW)
    bad = b'{"key": "B", "member": "ann", "key": "C", "occurred_at": "x"}\n'

    upload = checked(program, bad + good, "a.jsonl")

    assert refusals(upload) == [(1, "", "broken_line")]
    assert "“key” stands twice" in UploadRefusal.objects.get().message
    assert upload.activity_count == 1


def test_a_name_that_stands_twice_among_a_million_is_found_quickly(program):
    names = ",".join(f'"n{number}":1' for number in range(700_000))
    content = f'{{{names},"n699999":1}}'.encode()
    started_at = time.monotonic()

    upload = checked(program, content, "a.jsonl")

    assert time.monotonic() - started_at < 30
    assert upload.refused_count == 1


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("jsonl", json_lines_bytes([{**ROW, "value": "x" * 2 * MEGABYTE}])),
        (
            "csv",
            "key,member,occurred_at,type\nA,ann,x,y," + ",".join(["z"] * 500_000),
        ),
    ],
)
def test_of_a_long_line_that_is_refused_the_beginning_is_kept(program, suffix, content):
    checked(program, content, f"a.{suffix}")

    (raw,) = UploadRefusal.objects.get().raw
    assert 100 < len(orjson.dumps(raw)) < 20_000
    assert "ann" in str(raw)


def test_the_lines_of_one_activity_are_held_up_to_a_size(program, monkeypatch):
    monkeypatch.setattr(groups, "_GROUP_CHARACTERS_MAX", 100_000)
    line = f"B-1,ann,{NOON},PURCHASE,apples,1,{'x' * 5_000}\n"
    content = (
        "key,member,occurred_at,type,item_id,item_value,note\n"
        + line * 50
        + f"B-2,ann,{NOON},PURCHASE,apples,1,\n"
    )

    upload = checked(program, content)

    assert refusals(upload) == [(22, "item_id", "too_many_items")]
    assert upload.activity_count == 1


def test_whoever_reads_keeps_the_lease_and_stops_when_called_off(program, monkeypatch):
    monkeypatch.setattr(jobs, "_LOOK_EVERY_SECONDS", 0.0)
    upload = new_upload(program, gzipped(b"key,member\n" * 300_000), "a.csv.gz")
    touched: list[Any] = []
    look = jobs.Lease.look

    def noted(lease):
        look(lease)
        row = Upload.objects.get(pk=upload.pk)
        touched.append(row.touched_at)
        if len(touched) == 3:
            uploads.cancel_upload(row, actor="marketer", now=NOW)

    monkeypatch.setattr(jobs.Lease, "look", noted)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.CANCELLED
    assert len(touched) == 3
    assert touched == sorted(set(touched))
