"""Each bad row is refused by line, field and code; the good ones beside it stand."""

from datetime import UTC, datetime

import pytest

from activities.models import Activity, UploadRefusal, UploadStatus
from tests.activities.uploads.files import (
    checked,
    finished,
    json_lines_bytes,
    parquet_bytes,
    refusals,
    xlsx_bytes,
)
from tests.builders import (
    make_campaign,
    make_channel,
    make_member,
    make_program,
    make_type,
    make_unit,
)
from tests.loyalty.api.test_batches import BAD

pytestmark = pytest.mark.django_db

HEADER = "key,member,occurred_at,type,channel,business_unit,value"
GOOD = {
    "key": "A",
    "member": "ann",
    "occurred_at": "2026-03-04T12:00:00Z",
    "type": "PURCHASE",
    "channel": "",
    "business_unit": "",
    "value": "5",
}


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("key", "", "missing"),
        ("key", "k" * 256, "too_long"),
        ("member", " ", "missing"),
        ("member", "m" * 256, "too_long"),
        ("member", "nobody", "unknown_member"),
        ("member", "stranger", "unknown_member"),
        ("member", "blocked", "blocked_member"),
        ("occurred_at", "", "missing"),
        ("occurred_at", "yesterday", "invalid_moment"),
        ("occurred_at", "04.03.2026 12:00", "invalid_moment"),
        ("occurred_at", "2026-03-04", "invalid_moment"),
        ("occurred_at", "2026-03-04 12", "invalid_moment"),
        ("occurred_at", "2026-03-04 12:0", "invalid_moment"),
        ("occurred_at", "2026-03-04T24:00:00Z", "invalid_moment"),
        ("occurred_at", "2026-02-30T12:00:00Z", "invalid_moment"),
        ("occurred_at", "2026-03-29T02:30:00", "nonexistent_local_time"),
        ("occurred_at", "2025-10-26T02:30:00", "ambiguous_local_time"),
        ("occurred_at", "2026-03-05T10:00:01Z", "occurs_in_the_future"),
        ("occurred_at", "2099-01-01T00:00:00Z", "occurs_in_the_future"),
        ("type", "", "missing"),
        ("type", "NO_SUCH_TYPE", "unknown_activity_type"),
        ("type", "THEIRS", "unknown_activity_type"),
        ("type", "t" * 51, "too_long"),
        ("channel", "NO_SUCH_CHANNEL", "unknown_channel"),
        ("channel", "THEIR_CHANNEL", "unknown_channel"),
        ("channel", "CLOSED", "disabled_channel"),
        ("business_unit", "no_such_unit", "unknown_business_unit"),
        ("business_unit", "their_unit", "unknown_business_unit"),
        ("business_unit", "closed_unit", "disabled_business_unit"),
        ("value", "NaN", "invalid_number"),
        ("value", "Infinity", "invalid_number"),
        ("value", "1e3", "invalid_number"),
        ("value", "12,99", "invalid_number"),
        ("value", "1.23456", "invalid_number"),
        ("value", "+-5", "invalid_number"),
        ("value", "٣", "invalid_number"),
        ("value", "=1+1", "invalid_number"),
        ("value", "9" * 15, "invalid_number"),
        ("value", "-5", "negative_value"),
    ],
)
def test_a_bad_cell_is_refused_with_line_field_and_code(field, text, code):
    program = make_program(time_zone="Europe/Vienna")
    make_type(program, allows_negative_value=False)
    make_member(program, "ann")
    make_member(program, "blocked", is_blocked=True)
    make_channel(program, "CLOSED", is_enabled=False)
    make_unit(program, "closed_unit", is_enabled=False)
    other = make_program()
    make_type(other, "THEIRS")
    make_member(other, "stranger")
    make_channel(other, "THEIR_CHANNEL")
    make_unit(other, "their_unit")
    rows = [GOOD, {**GOOD, "key": "B", field: text}]

    upload = finished(program, rows)

    assert refusals(upload) == [(3, field, code)]
    assert upload.refused_count == 1
    assert list(Activity.objects.values_list("key", flat=True)) == ["A"]


def json_row(**changes):
    return {**GOOD, "key": "B", **changes}


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ("{broken", "", "broken_line"),
        ('"text"', "", "broken_line"),
        ("[1]", "", "broken_line"),
        ('{"value": NaN}', "", "broken_line"),
        ('{"value": -Infinity}', "", "broken_line"),
        ('{"key": "\\ud800"}', "", "broken_line"),
        ("[" * 100_000, "", "broken_line"),
        ("{}", "key", "missing"),
        (json_row(key=["list"]), "key", "invalid_text"),
        (json_row(key=True), "key", "invalid_text"),
        (json_row(member={"id": 1}), "member", "invalid_text"),
        (json_row(member=None), "member", "missing"),
        (json_row(key="nul\0"), "key", "control_character"),
        (json_row(member="nul\0"), "member", "control_character"),
        (json_row(type="nul\0"), "data", "control_character"),
        (json_row(data={"a": "nul\0"}), "data", "control_character"),
        (json_row(data=[]), "data", "invalid_data"),
        (json_row(data={"a": "x" * 70_000}), "data", "invalid_data"),
        (json_row(items={"item_id": "apples"}), "items", "invalid_items"),
        (json_row(items={}), "items", "invalid_items"),
        (json_row(items="apples"), "items", "invalid_items"),
        (json_row(items=["apples"]), "items", "invalid_items"),
        (json_row(items=[{}]), "item_id", "invalid_items"),
        (
            json_row(items=[{"item_id": "a", "value": "x"}]),
            "item_value",
            "invalid_number",
        ),
        (json_row(items=[{"item_id": "a"}] * 10_001), "items", "too_many_items"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_bad_line_of_json_is_refused(program, line, field, code):
    good = json_lines_bytes([GOOD])
    bad = line.encode() if isinstance(line, str) else json_lines_bytes([line])

    upload = checked(program, good + bad, "sales.jsonl")

    [(number, found, why)] = refusals(upload)
    assert (number, found) == (2, field)
    assert why == code
    assert upload.activity_count == 1


def test_a_json_number_that_is_too_large_or_too_fine_is_refused(program):
    line = b'{"key":"B","member":"ann","occurred_at":"2026-03-04T12:00:00Z",'
    line += b'"type":"PURCHASE","value":@}\n'
    lines = line.replace(b"@", b"1e14") + line.replace(b"@", b"1.00001")

    upload = checked(program, json_lines_bytes([GOOD]) + lines, "sales.jsonl")

    assert refusals(upload) == [
        (2, "value", "invalid_number"),
        (3, "value", "invalid_number"),
    ]


@pytest.mark.parametrize(
    "bad",
    [BAD[name] for name in BAD if "UTF-8" not in name and "bytes" not in name],
    ids=[name for name in BAD if "UTF-8" not in name and "bytes" not in name],
)
def test_a_json_line_that_cannot_be_read_leaves_the_others_readable(program, bad):
    good = json_lines_bytes([GOOD, {**GOOD, "key": "C"}]).splitlines()
    whole = json_lines_bytes([{**GOOD, "key": "B", "data": "@"}]).strip()
    lines = [good[0], whole.replace(b'"@"', bad), good[1]]

    upload = finished(program, b"\n".join(lines), "sales.jsonl")

    assert [line for line, _, _ in refusals(upload)] == [2]
    assert sorted(Activity.objects.values_list("key", flat=True)) == ["A", "C"]


def test_an_activity_without_items_is_one_without_items(program):
    content = json_lines_bytes([{**GOOD, "items": []}])

    assert finished(program, content, "sales.jsonl").recorded_count == 1


@pytest.mark.parametrize(
    ("writer", "value"),
    [
        (parquet_bytes, float("nan")),
        (parquet_bytes, float("inf")),
        (parquet_bytes, 1e300),
        (parquet_bytes, 0.123456),
        (xlsx_bytes, 1e300),
        (xlsx_bytes, 0.123456),
        (xlsx_bytes, True),
    ],
)
def test_typed_numbers_that_are_no_amounts_are_refused(program, writer, value):
    rows = [{**GOOD, "value": 5.0}, {**GOOD, "key": "B", "value": value}]
    name = "sales.parquet" if writer is parquet_bytes else "sales.xlsx"

    upload = checked(program, writer(rows), name)

    line = 2 if writer is parquet_bytes else 3
    assert refusals(upload) == [(line, "value", "invalid_number")]


@pytest.mark.parametrize(
    "row",
    ["B,ann,2026-03-04T12:00:00Z", "B,ann,2026-03-04T12:00:00Z,PURCHASE,,,5,more"],
    ids=["too few cells", "too many cells"],
)
def test_a_ragged_row_is_refused_and_tells_its_cells(program, row):
    text = f"{HEADER}\nA,ann,2026-03-04T12:00:00Z,PURCHASE,,,5\n{row}\n"

    upload = checked(program, text)

    assert refusals(upload) == [(3, "", "ragged_row")]
    message = UploadRefusal.objects.get().message
    assert message == (f"The row has {row.count(',') + 1} cells, the header has 7.")
    assert upload.activity_count == 1


def test_quotes_that_never_close_are_refused_with_their_lines(program):
    text = f'{HEADER}\nA,ann,2026-03-04T12:00:00Z,PURCHASE,,,5\n"B,ann\nC,ann\n'

    upload = checked(program, text)

    assert refusals(upload) == [(3, "", "broken_line")]
    assert upload.activity_count == 1


ITEM_HEADER = "key,member,occurred_at,type,item_id,item_value"


def item_line(key, item="apples", value="1", member="ann"):
    return f"{key},{member},2026-03-04T12:00:00Z,PURCHASE,{item},{value}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            [item_line("B"), item_line("B", value="x"), item_line("C")],
            [(3, "item_value", "invalid_number")],
            id="a bad item refuses its whole basket",
        ),
        pytest.param(
            [item_line("B"), item_line("B", member="ben"), item_line("C")],
            [(3, "member", "lines_disagree")],
            id="the lines of a basket must agree on its member",
        ),
        pytest.param(
            [item_line("B"), item_line("C"), item_line("B", "pears")],
            [(2, "key", "lines_not_together"), (4, "key", "lines_not_together")],
            id="a basket torn apart is recorded in no part",
        ),
        pytest.param(
            [item_line("B"), item_line("B", item=""), item_line("C")],
            [(3, "item_id", "missing")],
            id="an item without a number",
        ),
        pytest.param(
            [item_line("B", value="9" * 14)] * 2 + [item_line("C")],
            [(2, "item_value", "invalid_number")],
            id="items that add up beyond a value",
        ),
        pytest.param(
            [item_line("B"), f"{item_line('B')},more", item_line("C")],
            [(3, "", "ragged_row")],
            id="a ragged line refuses its whole basket",
        ),
        pytest.param(
            [item_line("B"), item_line("C"), item_line("B")],
            [(4, "key", "duplicate_key")],
            id="the same basket again is a duplicate",
        ),
    ],
)
def test_a_basket_is_recorded_whole_or_not_at_all(program, lines, expected):
    upload = finished(program, "\n".join([ITEM_HEADER, *lines]))

    assert refusals(upload) == expected
    kept = {"B", "C"} if expected[0][2] == "duplicate_key" else {"C"}
    assert set(Activity.objects.values_list("key", flat=True)) == kept


def test_the_first_ten_thousand_refusals_are_kept_and_all_are_counted(
    program, monkeypatch
):
    from activities.services.uploads import dry_run, validation

    monkeypatch.setattr(validation, "REFUSALS_KEPT_MAX", 3)
    monkeypatch.setattr(dry_run, "REFUSALS_KEPT_MAX", 3)
    rows = [{**GOOD, "key": f"B-{n}", "value": "x"} for n in range(2)]
    rows += [{**GOOD, "key": f"C-{n}", "member": "nobody"} for n in range(5)]

    upload = checked(program, [*rows, GOOD])

    assert (upload.refused_count, len(refusals(upload))) == (7, 3)
    assert upload.dry_run["refused"] == {"unknown_member": 5, "invalid_number": 2}


def test_a_file_without_a_good_row_cannot_be_confirmed(program):
    upload = checked(program, [{**GOOD, "member": "nobody"}])

    assert (upload.status, upload.activity_count) == (UploadStatus.VALIDATED, 0)


@pytest.mark.parametrize(
    "text", ["2026-03-04 10:00", "2026-03-04T10:00Z", "2026-03-04T15:30+05:30"]
)
def test_seconds_may_be_left_out_as_spreadsheets_do(program, text):
    upload = finished(
        program,
        f"key,member,occurred_at,type,channel,value\nS-1,ann,{text},PURCHASE,STORE,5\n",
    )

    assert upload.recorded_count == 1
    assert Activity.objects.get().occurred_at == datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("blank", ["", "  "], ids=["empty", "blank"])
@pytest.mark.parametrize(
    ("columns", "cells", "field"),
    [
        pytest.param("value", "{}", "value", id="no value and no items"),
        pytest.param("item_id,item_value", "pen,{}", "item_value", id="an item"),
        pytest.param("value,item_id,item_value", "5,pen,{}", "item_value", id="beside"),
    ],
)
def test_an_empty_cell_where_a_number_belongs_is_refused(
    program, columns, cells, field, blank
):
    head = "key,member,occurred_at,type"
    row = "A,ann,2026-03-04T12:00:00Z,PURCHASE"

    upload = checked(program, f"{head},{columns}\n{row},{cells.format(blank)}\n")

    assert refusals(upload) == [(2, field, "missing")]
    assert upload.activity_count == 0


def test_an_empty_cell_of_a_workbook_is_refused(program):
    upload = checked(program, xlsx_bytes([{**GOOD, "value": None}]), "sales.xlsx")

    assert refusals(upload) == [(2, "value", "missing")]


@pytest.mark.parametrize("field", ["value", "item_value"])
def test_empty_text_for_a_number_is_refused_in_json(program, field):
    row = {**GOOD, "value": "5", "item_id": "pen", "item_value": "5"}

    upload = checked(program, json_lines_bytes([{**row, field: ""}]), "sales.jsonl")

    assert refusals(upload) == [(1, field, "missing")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(
            "sales.csv",
            b"key,member,occurred_at,type,value,item_id,item_value\n"
            b"A,ann,2026-03-04T12:00:00Z,PURCHASE,,pen,20\n"
            b"A,ann,2026-03-04T12:00:00Z,PURCHASE,,tea,30\n",
            id="a table",
        ),
        pytest.param(
            "sales.jsonl",
            b'{"key":"A","member":"ann","occurred_at":"2026-03-04T12:00:00Z",'
            b'"type":"PURCHASE","items":[{"item_id":"pen","value":20},'
            b'{"item_id":"tea","value":30}]}',
            id="JSON Lines",
        ),
    ],
)
def test_a_value_that_is_missing_is_the_sum_of_the_items(program, name, content):
    finished(program, content, name)

    assert Activity.objects.get().value == 50


def test_an_activity_of_json_may_have_no_value_at_all(program):
    content = json_lines_bytes([{key: GOOD[key] for key in GOOD if key != "value"}])

    finished(program, content, "sales.jsonl")

    assert Activity.objects.get().value is None


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        pytest.param({"reward_method": "fixed"}, [], id="nothing counts with it"),
        pytest.param({"reward_method": "per_value"}, ["missing"], id="its own rule"),
    ],
)
def test_a_value_may_be_left_empty_only_where_no_rule_counts_with_it(
    program, fields, codes
):
    make_type(program, "VISIT", **fields)

    upload = checked(program, [{**GOOD, "type": "VISIT", "value": ""}])

    assert [code for _, _, code in refusals(upload)] == codes


def test_a_campaign_of_its_type_counts_with_the_value(program):
    visit = make_type(program, "VISIT", reward_method="nothing", points=0)
    make_campaign(program, minimum_value=5, activity_types=[visit])

    upload = checked(program, [{**GOOD, "type": "VISIT", "value": ""}])

    assert refusals(upload) == [(2, "value", "missing")]
