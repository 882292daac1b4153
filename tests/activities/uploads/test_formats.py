"""Every format says the same: one set of rules reads them all."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from activities.models import Activity, UploadStatus
from tests.activities.uploads.files import (
    WRITERS,
    checked,
    csv_bytes,
    finished,
    gzipped,
    json_lines_bytes,
    parquet_bytes,
    refusals,
    xlsx_bytes,
)
from tests.builders import make_campaign, make_item_list, make_program, make_type

pytestmark = pytest.mark.django_db

FORMATS = pytest.mark.parametrize("suffix", WRITERS)

ONE_ROW_EACH = [
    {
        "key": "R-1",
        "member": "ann",
        "occurred_at": "2026-03-04T12:00:00Z",
        "type": "PURCHASE",
        "channel": "STORE",
        "value": "12.99",
        "till": "7",
    },
    {
        "key": "R-2",
        "member": "ben",
        "occurred_at": "2026-03-04T13:00:00+01:00",
        "type": "PURCHASE",
        "channel": "",
        "value": "40",
        "till": "8",
    },
]


def line_row(key, item, value, member="ann", **more):
    return {
        "key": key,
        "member": member,
        "occurred_at": "2026-03-04T12:00:00Z",
        "type": "PURCHASE",
        "item_id": item,
        "item_value": value,
        "item_quantity": "2",
    } | more


ONE_ROW_FOR_EACH_ITEM = [
    line_row("B-1", "apples", "3.30"),
    line_row("B-1", "pears", "4.40"),
    line_row("B-2", "apples", "1.00", member="ben"),
]


def recorded():
    rows = Activity.objects.order_by("key")
    names = ("key", "member__identities__value", "occurred_at", "value", "data")
    return list(rows.values_list(*names))


@FORMATS
@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzipped"])
def test_one_row_for_each_activity(program, suffix, is_gzipped):
    content = WRITERS[suffix](ONE_ROW_EACH)
    if is_gzipped:
        content, suffix = gzipped(content), f"{suffix}.gz"

    upload = finished(program, content, f"sales.{suffix}")

    assert (upload.is_gzipped, upload.status) == (is_gzipped, UploadStatus.FINISHED)
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert recorded() == [
        ("R-1", "ann", noon, Decimal("12.9900"), {"till": "7"}),
        ("R-2", "ben", noon, Decimal("40.0000"), {"till": "8"}),
    ]
    assert upload.dry_run["points"][0]["points"] == 52


@FORMATS
@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzipped"])
def test_one_row_for_each_item_makes_one_activity_of_each_key(
    program, suffix, is_gzipped
):
    fruit = make_item_list(program, ["pears"])
    make_campaign(
        program,
        name="Pears",
        reward_method="per_item_value",
        points=10,
        item_list=fruit,
    )
    content = WRITERS[suffix](ONE_ROW_FOR_EACH_ITEM)
    if is_gzipped:
        content, suffix = gzipped(content), f"{suffix}.gz"

    upload = finished(program, content, f"baskets.{suffix}")

    assert (upload.line_count, upload.recorded_count) == (3, 2)
    first, second = Activity.objects.order_by("key")
    assert [one["item_id"] for one in first.items] == ["apples", "pears"]
    assert (first.value, second.value) == (Decimal("7.7"), Decimal(1))
    assert {one["bucket"]: one["points"] for one in upload.dry_run["points"]} == {
        "base": 8,
        "bonus": 44,
    }


def test_json_lines_carry_items_and_data_inside_the_activity(program):
    content = json_lines_bytes(
        [
            {
                "key": "J-1",
                "member": "ann",
                "occurred_at": "2026-03-04T12:00:00Z",
                "type": "PURCHASE",
                "items": [
                    {"item_id": "apples", "value": "3.3", "quantity": 2},
                    {"item_id": "pears", "value": "4.4"},
                ],
                "data": {"till": 7, "tags": ["a", {"b": 1.5}]},
            }
        ]
    )

    upload = finished(program, content, "baskets.jsonl")

    assert upload.recorded_count == 1
    activity = Activity.objects.get()
    assert activity.value == Decimal("7.7")
    assert activity.data == {"till": 7, "tags": ["a", {"b": 1.5}]}


@pytest.mark.parametrize("writer", [parquet_bytes, xlsx_bytes])
def test_typed_cells_are_read_as_what_they_show(program, writer):
    row = {
        "key": 4711,
        "member": "ann",
        "occurred_at": datetime(2026, 3, 4, 12),
        "type": "PURCHASE",
        "value": 0.1 + 0.2 if writer is xlsx_bytes else Decimal("0.30"),
    }
    if writer is xlsx_bytes:
        row["value"] = 12.3

    upload = finished(program, writer([row]), f"typed.{writer.__name__[:-6]}")

    activity = Activity.objects.get()
    assert (activity.key, upload.recorded_count) == ("4711", 1)
    assert activity.zone_assumed
    assert activity.value == Decimal("12.3" if writer is xlsx_bytes else "0.3")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_may_use_the_delimiter_of_its_country(program, delimiter):
    upload = checked(program, csv_bytes(ONE_ROW_EACH, delimiter))

    assert upload.activity_count == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(program, end):
    text = "key,member,occurred_at,type\nA,ann,2026-03-04T12:00:00Z,PURCHASE\n"

    upload = checked(program, text.replace("\n", end))

    assert upload.activity_count == 1


def test_a_byte_order_mark_is_fine(program):
    upload = checked(program, b"\xef\xbb\xbf" + csv_bytes(ONE_ROW_EACH))

    assert upload.activity_count == 2
    assert upload.columns[0] == "key"


def test_names_of_columns_may_be_written_like_a_heading(program):
    content = " Key ,MEMBER,Occurred at,Type\nA,ann,2026-03-04T12:00:00Z,PURCHASE\n\n\n"

    upload = checked(program, content)

    assert (upload.line_count, upload.activity_count) == (1, 1)


def test_quoted_cells_may_hold_line_breaks_and_the_lines_are_counted_still(program):
    content = (
        "key,member,occurred_at,type,note\n"
        'A,ann,2026-03-04T12:00:00Z,PURCHASE,"two\nlines"\n'
        "B,nobody,2026-03-04T12:00:00Z,PURCHASE,\n"
    )

    upload = checked(program, content)

    assert refusals(upload) == [(4, "member", "unknown_member")]


def test_rows_that_name_nothing_get_what_was_chosen_for_the_upload(program):
    channel = program.channel_set.get()
    visit = make_type(program, "VISIT", reward_method="fixed", points=5)
    content = "key,member,occurred_at\nA,ann,2026-03-04T12:00:00Z\n"

    upload = finished(
        program, content, default_activity_type=visit, default_channel=channel
    )

    activity = Activity.objects.get()
    assert (activity.activity_type, activity.channel) == (visit, channel)
    assert upload.dry_run["points"][0]["points"] == 5


def test_members_whom_nobody_knows_can_be_enrolled(program):
    content = [ONE_ROW_EACH[0], {**ONE_ROW_EACH[1], "member": "cleo"}]

    upload = finished(program, content, unknown_members="create")

    assert upload.dry_run["new_members"] == 1
    assert upload.recorded_count == 2
    assert program.member_set.count() == 3


def test_moments_without_zone_are_read_as_the_program_says():
    program = make_program(time_zone="Asia/Kolkata")
    make_type(program)
    content = "key,member,occurred_at,type\nA,ann,2026-03-04 12:00:00,PURCHASE\n"

    finished(program, content, unknown_members="create")

    activity = Activity.objects.get()
    assert activity.occurred_at == datetime(2026, 3, 4, 6, 30, tzinfo=UTC)


@FORMATS
def test_a_currency_is_read_from_every_format(program, suffix):
    rows = [{**ONE_ROW_EACH[0], "currency": "EUR"}, {**ONE_ROW_EACH[1], "currency": ""}]

    finished(program, WRITERS[suffix](rows), f"sales.{suffix}")

    stored = Activity.objects.order_by("key").values_list("currency", flat=True)
    assert list(stored) == ["EUR", ""]


def test_a_currency_in_words_is_refused(program):
    upload = checked(program, csv_bytes([{**ONE_ROW_EACH[0], "currency": "Euro"}]))

    assert [one[1:] for one in refusals(upload)] == [("currency", "invalid_currency")]


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: b"sep=;\r\n" + text.encode(), id="sep="),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.encode("windows-1252"), id="Windows-1252"),
        pytest.param(
            lambda text: text.replace(";", "\t").encode("utf-16-le"), id="tabs"
        ),
    ],
)
def test_a_file_as_excel_writes_it_is_read(program, encode):
    text = (
        "key;member;occurred_at;type;value;clerk\r\n"
        "R-1;ann;2026-03-04T12:00:00Z;PURCHASE;12.99;Jürgen\r\n"
    )

    upload = finished(program, encode(text))

    assert (upload.failure, upload.recorded_count) == ("", 1)
    assert Activity.objects.get().data == {"clerk": "Jürgen"}
