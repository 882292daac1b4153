"""The file of refused rows: as they stood, with reasons, safe and ready to mend."""

import csv
import io

import orjson
import pytest

from activities.models import Activity
from activities.services import uploads
from tests.activities.uploads.files import (
    WRITERS,
    checked,
    csv_bytes,
    finished,
    json_lines_bytes,
)
from tests.builders import make_member

pytestmark = pytest.mark.django_db

REASONS = ["refused_line", "refused_field", "refused_code", "refused_reason"]
ROWS = [
    {
        "key": f"R-{number}",
        "member": member,
        "occurred_at": "2026-03-04T12:00:00Z",
        "type": "PURCHASE",
        "value": value,
        "Note ": note,
    }
    for number, (member, value, note) in enumerate(
        [
            ("ann", "5", "fine"),
            ("nobody", "6", "unknown"),
            ("ben", "x", '=HYPERLINK("http://evil","click")'),
            ("ben", "-7.50", "fine"),
            ("ben", "-x", "@SUM(A1)"),
        ]
    )
]


def content_of(upload) -> bytes:
    return b"".join(uploads.refused_file(upload).blocks)


def read(suffix: str, content: bytes) -> list[dict]:
    if suffix == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    if suffix == "jsonl":
        return [orjson.loads(line) for line in content.splitlines()]
    if suffix == "parquet":
        import pyarrow.parquet as pq

        return pq.read_table(io.BytesIO(content)).to_pylist()
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [[cell.value or "" for cell in row] for row in book.active.iter_rows()]
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {
        "s",
        "n",
    }
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


@pytest.mark.parametrize("suffix", WRITERS)
def test_it_is_in_the_format_of_the_upload_with_its_columns_and_reasons(
    program, suffix
):
    upload = checked(program, WRITERS[suffix](ROWS), f"sales.{suffix}")

    file = uploads.refused_file(upload)

    assert file.name == f"sales-refused.{suffix}"
    rows = read(suffix, b"".join(file.blocks))
    assert [row["key"] for row in rows] == ["R-1", "R-2", "R-4"]
    assert list(rows[0])[-4:] == REASONS
    assert [row["refused_code"] for row in rows] == [
        "unknown_member",
        "invalid_number",
        "invalid_number",
    ]
    assert rows[0]["refused_reason"]
    # Further members of a JSON object come back as its data, which is the same.
    further = rows[0].get("data", rows[0])
    assert {further.get("Note"), further.get("Note ")} == {"unknown", None}


def test_cells_like_formulas_are_not_formulas_in_the_file(program):
    upload = checked(program, csv_bytes(ROWS))

    cells = [cell for row in read("csv", content_of(upload)) for cell in row.values()]

    assert '\'=HYPERLINK("http://evil","click")' in cells
    assert "'@SUM(A1)" in cells
    assert "'-x" in cells
    assert not any(cell.startswith(("=", "@", "+")) for cell in cells)


@pytest.mark.parametrize("suffix", WRITERS)
def test_it_can_be_mended_and_uploaded_as_it_is(program, suffix):
    upload = finished(program, WRITERS[suffix](ROWS), f"sales.{suffix}")
    make_member(program, "nobody")
    content = content_of(upload)
    if suffix == "csv":
        content = content.replace(b",x,", b",8,").replace(b",'-x,", b",9,")

    again = finished(program, content, f"mended.{suffix}")

    recorded = Activity.objects.filter(upload=again).order_by("key")
    assert [one.key for one in recorded][:1] == ["R-1"]
    assert {name.strip() for one in recorded for name in one.data} == {"Note"}
    if suffix == "csv":
        assert again.refused_count == 0
        assert recorded[1].data["Note"] == '=HYPERLINK("http://evil","click")'


def test_a_semicolon_file_stays_one(program):
    upload = checked(program, csv_bytes(ROWS, ";"))

    assert content_of(upload).startswith("\ufeffkey;member;".encode())


def test_a_ragged_row_keeps_the_cells_it_had_too_many(program):
    text = "key,member,occurred_at,type\nA,ann,2026-03-04T12:00:00Z,PURCHASE,x,=y\n"

    upload = checked(program, text)

    [row] = read("csv", content_of(upload))
    assert (row["column 5"], row["column 6"]) == ("x", "'=y")


def test_a_basket_is_given_back_with_all_its_lines(program):
    row = {**ROWS[0], "member": "nobody"}
    lines = [{**row, "item_id": item, "item_value": "1.5"} for item in "abc"]

    upload = checked(program, csv_bytes(lines))

    rows = read("csv", content_of(upload))
    assert [one["item_id"] for one in rows] == ["a", "b", "c"]
    assert [one["item_value"] for one in rows] == ["1.5"] * 3


def test_a_line_that_is_no_json_is_given_back_as_text(program):
    good = json_lines_bytes([{**ROWS[0], "member": "nobody"}])

    upload = checked(program, good + b"{broken\n", "sales.jsonl")

    rows = read("jsonl", content_of(upload))
    assert rows[0]["key"] == "R-0"
    assert rows[1]["refused_text"] == "{broken"


def test_nothing_refused_is_an_empty_table(program):
    upload = checked(program, csv_bytes(ROWS[:1]))

    assert read("csv", content_of(upload)) == []
