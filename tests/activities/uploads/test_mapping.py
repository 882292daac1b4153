"""Files as tills export them: mapped by header, asked about, read as people write."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest

from activities.models import Activity, Upload, UploadMapping, UploadStatus
from activities.services import uploads
from loyalty.models import Identity, Member
from tests.activities.uploads.files import (
    NOW,
    checked,
    new_upload,
    parquet_bytes,
    refusals,
    run,
    undo,
)
from tests.builders import make_channel, make_member, make_program, make_type

pytestmark = pytest.mark.django_db

GERMAN = (
    "Bon-Nr.;Kundennummer;Datum;Vorgang;Filiale;Betrag;Kassierer\r\n"
    "B-1;0000479;29.11.2026 16:22;Einkauf;STORE;1.234,50;Jürgen\r\n"
    "B-2;0000480;30.11.2026 9:05;Einkauf;STORE;12,50;Zoë\r\n"
)


@pytest.fixture
def program(db):
    program = make_program(time_zone="Europe/Berlin")
    make_type(program)
    make_channel(program)
    make_member(program, "0000479")
    make_member(program, "0000480")
    return program


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    """The rows are of November 2026."""
    monkeypatch.setattr(
        "tests.activities.uploads.files.NOW", datetime(2026, 12, 1, tzinfo=UTC)
    )


def guess_of(upload):
    return uploads.mapping_of(uploads.reading_of(upload))


def read(upload, mapping, **options):
    uploads.read_anew(upload, mapping, actor="marketing", now=NOW, **options)
    uploads.validate_upload(upload)
    upload.refresh_from_db()
    return upload


def answer(upload, **answers):
    uploads.answer_questions(upload, answers, actor="marketing", now=NOW)
    uploads.validate_upload(upload)
    upload.refresh_from_db()
    return upload


def codes_asked(upload):
    return [one["code"] for one in upload.questions]


def record(upload):
    uploads.confirm_upload(upload, actor="marketing", now=NOW)
    run(upload)


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="UTF-8"),
        pytest.param(lambda text: text.encode("windows-1252"), id="Windows-1252"),
        pytest.param(lambda text: b"sep=;\r\n" + text.encode(), id="sep="),
        pytest.param(
            lambda text: text.replace(";", "\t").encode("utf-16"), id="UTF-16, tabs"
        ),
    ],
)
def test_a_german_till_export_is_guessed_shown_and_recorded(program, encode):
    upload = checked(program, encode(GERMAN), "till_november.csv")

    assert upload.status == UploadStatus.QUESTIONS
    assert codes_asked(upload) == ["columns"]
    mapping = guess_of(upload)
    assert mapping.columns == {
        "Bon-Nr.": "key",
        "Kundennummer": "member",
        "Datum": "occurred_at",
        "Vorgang": "type",
        "Filiale": "channel",
        "Betrag": "value",
        "Kassierer": "data",
    }
    assert mapping.translations == {"type": {"Einkauf": "PURCHASE"}}
    assert mapping.date_format == "dmy"
    assert mapping.style.example == "1.234,50"

    read(upload, mapping)
    assert (upload.status, upload.refused_count) == (UploadStatus.VALIDATED, 0)
    record(upload)

    first, second = Activity.objects.order_by("key")
    assert first.occurred_at == datetime(2026, 11, 29, 15, 22, tzinfo=UTC)
    assert (first.value, second.value) == (Decimal("1234.5"), Decimal("12.5"))
    assert first.data == {"Kassierer": "Jürgen"}


def test_a_mapping_saved_under_a_name_is_found_by_the_header(program):
    upload = checked(program, GERMAN)
    read(upload, guess_of(upload), save_as="Till export")

    header, *rows = GERMAN.replace("B-", "C-").splitlines(keepends=True)
    names = ";".join(reversed(header.strip().split(";")))
    turned = [";".join(reversed(row.strip().split(";"))) for row in rows]
    again = checked(program, "\n".join([names, *turned]), "december.csv")

    assert again.status == UploadStatus.VALIDATED
    assert again.saved_mapping == UploadMapping.objects.get(name="Till export")
    assert again.activity_count == 2


def test_another_programs_mapping_is_not_found(program):
    upload = checked(program, GERMAN)
    read(upload, guess_of(upload), save_as="Till export")

    assert checked(make_program(), GERMAN).status == UploadStatus.QUESTIONS


def test_refused_rows_name_line_and_column_of_the_file_and_come_back_as_they_stood(
    program,
):
    content = GERMAN + (
        "B-3;0000479;31.11.2026 10:00;Einkauf;STORE;5,00;x\n"
        "B-4;0000479;30.11.2026 10:00;Einkauf;STORE;12,5o;x\n"
        "B-5;;30.11.2026 10:00;Einkauf;STORE;5,00;x\n"
        "B-6;9999999;30.11.2026 10:00;Einkauf;STORE;1.234,56;x\n"
        "B-7;0000479;29/11;Einkauf;STORE;5,00;x\n"
    )
    upload = checked(program, content)
    read(upload, guess_of(upload), save_as="Tills")

    assert refusals(upload) == [
        (4, "Datum", "invalid_moment"),
        (5, "Betrag", "invalid_number"),
        (6, "Kundennummer", "missing"),
        (7, "Kundennummer", "unknown_member"),
        (8, "Datum", "invalid_moment"),
    ]
    messages = dict(upload.refusals.values_list("line", "message"))
    assert "“12,5o” is not a number like 1.234,50" in messages[5]
    assert "29.11.2026 16:22" in messages[8]
    file = b"".join(uploads.refused_file(upload).blocks).decode("utf-8-sig")
    assert "B-6;9999999;30.11.2026 10:00;Einkauf;STORE;1.234,56;x;7;" in file

    mended = checked(program, file.replace("9999999", "0000480").encode("utf-8-sig"))
    assert mended.saved_mapping.name == "Tills"
    assert (mended.activity_count, mended.refused_count) == (1, 4)


def test_date_and_time_in_two_columns_and_constants(program):
    content = (
        "Ticket,Card,Date,Time,Total\n"
        "T-1,0000479,29/11/2026,4:22 PM,12.50\n"
        "T-2,0000480,13/11/2026,11:05,1.00\n"
    )
    upload = checked(program, content)
    mapping = guess_of(upload)
    assert mapping.columns["Time"] == "time"
    assert mapping.constants == {"type": "PURCHASE"}
    read(upload, mapping)
    record(upload)

    assert list(
        Activity.objects.order_by("key").values_list("occurred_at", flat=True)
    ) == [
        datetime(2026, 11, 29, 15, 22, tzinfo=UTC),
        datetime(2026, 11, 13, 10, 5, tzinfo=UTC),
    ]


def test_dates_without_a_time_are_not_read_as_midnight_in_silence(program):
    content = "Ticket,Card,Date,Total\nT-1,0000479,29/11/2026,12.50\n"
    upload = checked(program, content)

    assert "no time of day" in upload.questions[0]["text"]

    mapping = guess_of(upload)
    mapping.constants["time"] = "12:00"
    read(upload, mapping)
    assert upload.activity_count == 1


def test_real_dates_and_numbers_of_excel_need_no_spelling(program):
    book = openpyxl.Workbook()
    book.active.append(["Bon-Nr.", "Kundennummer", "Datum", "Betrag"])
    book.active.append(["B-1", "0000479", datetime(2026, 11, 29, 16, 22), 1234.5])
    book.active.append(["B-2", 480, datetime(2026, 11, 1, 16, 22), 1.125])
    buffer = io.BytesIO()
    book.save(buffer)

    upload = checked(program, buffer.getvalue(), "till.xlsx")
    mapping = guess_of(upload)
    assert mapping.widths == {"member": 7}
    read(upload, mapping)
    record(upload)

    found = Activity.objects.order_by("key").values_list(
        "value", "member__identities__value"
    )
    assert list(found) == [
        (Decimal("1234.5"), "0000479"),
        (Decimal("1.125"), "0000480"),
    ]


def test_parquet_columns_are_mapped_too(program):
    content = parquet_bytes(
        [
            {
                "ticket": "T-1",
                "card": "0000479",
                "timestamp": datetime(2026, 11, 29, 16, 22),
                "total": 12.5,
            }
        ]
    )
    upload = checked(program, content, "till.parquet")
    read(upload, guess_of(upload))

    assert (upload.status, upload.activity_count) == (UploadStatus.VALIDATED, 1)


def test_lines_of_a_receipt_are_told_from_its_total(program):
    content = (
        "Bon;Karte;Datum;EAN;Betrag;Menge\n"
        "B-1;0000479;29.11.2026 16:22;4006381333931;2,50;1\n"
        "B-1;0000479;29.11.2026 16:22;4006381333932;4,00;2\n"
    )
    upload = checked(program, content)
    mapping = guess_of(upload)
    assert mapping.columns["Betrag"] == "item_value"
    read(upload, mapping)
    record(upload)

    assert Activity.objects.get().value == Decimal("6.5")


def test_a_file_in_the_native_format_is_asked_nothing(program):
    content = (
        "key,member,occurred_at,type,value\n"
        "A,0000479,2026-11-29 16:22:00,PURCHASE,1.000\n"
        "B,0000479,oops,PURCHASE,1\n"
    )
    upload = checked(program, content)

    assert upload.status == UploadStatus.VALIDATED
    assert (upload.mapping, upload.activity_count) == ({}, 1)


NATIVE = "key;member;occurred_at;type;value\n"


def native(*values, member="0000479"):
    return NATIVE + "".join(
        f"K-{place};{member};2026-11-20 12:00:00;PURCHASE;{value}\n"
        for place, value in enumerate(values)
    )


@pytest.mark.parametrize(
    ("content", "answered", "values"),
    [
        pytest.param(native("1.000", "2.500"), "comma", [1000, 2500], id="thousands"),
        pytest.param(native("1.000", "2.500"), "point", [1, Decimal("2.5")], id="ones"),
        pytest.param(
            native("12,50", "1.000"), "comma", [Decimal("12.5"), 1000], id="mix"
        ),
        pytest.param(
            NATIVE.replace(";", ",")
            + 'K-0,0000479,2026-11-20 12:00:00,PURCHASE,"12,50"\n'
            + "K-1,0000479,2026-11-20 12:00:00,PURCHASE,3.000\n",
            "comma",
            [Decimal("12.5"), 3000],
            id="beside commas",
        ),
    ],
)
def test_three_digits_behind_a_point_are_asked_about(
    program, content, answered, values
):
    upload = checked(program, content)

    if codes_asked(upload) == ["columns"]:
        read(upload, guess_of(upload))
    assert (upload.status, codes_asked(upload)) == (UploadStatus.QUESTIONS, ["numbers"])
    assert upload.questions[0]["examples"][0]["line"] in (2, 3)
    assert not upload.refusals.exists()

    answer(upload, numbers=answered)
    record(upload)
    recorded = Activity.objects.order_by("key").values_list("value", flat=True)
    assert list(recorded) == values


def test_a_style_that_somebody_chose_is_not_asked_about(program):
    upload = checked(program, GERMAN.replace("12,50", "1.000"))
    mapping = guess_of(upload)
    assert mapping.style is None

    answered = mapping.answered({"numbers": "comma"})
    read(upload, answered)
    assert upload.status == UploadStatus.VALIDATED
    assert upload.dry_run["points"][0]["points"] == 2234


def test_day_and_month_that_could_be_either_are_asked_about(program):
    content = (
        "Ticket,Card,Date,Total\n"
        "T-1,0000479,01/02/2026 10:00,12.50\n"
        "T-2,0000479,03/02/2026 10:00,12.50\n"
    )
    upload = checked(program, content)
    mapping = guess_of(upload)
    assert mapping.date_format == ""

    read(upload, mapping)
    assert codes_asked(upload) == ["dates"]

    answer(upload, dates="mdy")
    record(upload)
    first = Activity.objects.get(key="T-1")
    assert first.occurred_at == datetime(2026, 1, 2, 9, tzinfo=UTC)


def items(*ids):
    return "key,member,occurred_at,type,item_id,item_value\n" + "".join(
        f"K-{place},0000479,2026-11-20 12:00:00,PURCHASE,{one},5\n"
        for place, one in enumerate(ids)
    )


@pytest.mark.parametrize(
    ("written", "answers", "stored"),
    [
        ("4.00638E+12", {"scientific": "refuse"}, []),
        ("4.00638E+12", {"scientific": "keep"}, ["4.00638E+12"]),
        ("4006381333931.0", {"point_zero": "drop"}, ["4006381333931"]),
        ("4006381333931.0", {"point_zero": "keep"}, ["4006381333931.0"]),
        ("4006381333931.0", {"point_zero": "refuse"}, []),
    ],
)
def test_numbers_that_a_spreadsheet_spoiled_are_asked_about(
    program, written, answers, stored
):
    upload = checked(program, items(written, "4006381333931"))
    assert codes_asked(upload) == list(answers)

    answer(upload, **answers)
    assert upload.activity_count == len(stored) + 1
    record(upload)
    first = Activity.objects.filter(key="K-0")
    assert [one.items[0]["item_id"] for one in first] == stored


def test_spoiled_card_numbers_are_asked_about_with_enrolment(program):
    rows = native("5", member="6.01234E+15")
    upload = checked(program, rows, unknown_members="create")

    assert codes_asked(upload) == ["scientific"]
    answer(upload, scientific="refuse")
    assert upload.activity_count == 0
    assert refusals(upload) == [(2, "member", "spoiled_number")]


@pytest.mark.parametrize(
    ("answered", "earners", "members"),
    [
        ("match", {"0000479"}, 2),
        ("enrol", {"479"}, 3),
        ("refuse", set(), 2),
    ],
)
def test_members_that_exist_but_for_zeros_are_asked_about(
    program, answered, earners, members
):
    upload = checked(program, native("5", member="479"), unknown_members="create")

    (question,) = upload.questions
    assert (question["code"], question["count"]) == ("similar_members", 1)
    assert question["examples"] == [
        {"line": 2, "column": "member", "text": "479", "existing": "0000479"}
    ]

    answer(upload, similar_members=answered)
    if earners:
        record(upload)
    found = Activity.objects.values_list("member__identities__value", flat=True)
    assert set(found) == earners
    assert Member.objects.filter(program=program).count() == members


def test_two_members_that_a_number_could_be_are_never_chosen_between(program):
    make_member(program, "00479")
    upload = checked(program, native("5", member="479"), unknown_members="create")
    answer(upload, similar_members="match")

    assert refusals(upload) == [(2, "member", "similar_member")]
    assert "00479" in upload.refusals.get().message


def test_new_members_without_a_namesake_are_enrolled_without_a_question(program):
    upload = checked(program, native("5", member="481"), unknown_members="create")

    assert upload.status == UploadStatus.VALIDATED
    record(upload)
    assert Identity.objects.filter(value="481").exists()


def test_a_question_without_an_answer_keeps_the_upload_waiting(program):
    upload = checked(program, native("1.000"))

    with pytest.raises(uploads.InvalidMapping, match="Choose an answer"):
        uploads.answer_questions(upload, {}, actor="x", now=NOW)
    with pytest.raises(uploads.InvalidMapping, match="not an answer"):
        uploads.answer_questions(upload, {"numbers": "maybe"}, actor="x", now=NOW)
    assert Upload.objects.get().status == UploadStatus.QUESTIONS
    with pytest.raises(uploads.UploadNotReady):
        uploads.confirm_upload(upload, actor="x", now=NOW)


def test_a_waiting_upload_can_be_cancelled_and_a_running_one_not_read_anew(program):
    upload = checked(program, native("1.000"))
    uploads.cancel_upload(upload, actor="x", now=NOW)
    with pytest.raises(uploads.UploadNotReady):
        uploads.read_anew(upload, uploads.Mapping(), actor="x", now=NOW)


def test_rows_refused_under_one_encoding_can_be_read_in_another(program):
    content = (
        NATIVE.encode("utf-8-sig") + b"K;0000479;2026-11-20 12:00;PURCHASE;5\xe9\n"
    )
    upload = checked(program, content)
    assert upload.status == UploadStatus.FAILED
    assert "Choose another encoding" in upload.failure


def test_the_mapping_of_an_upload_may_come_with_it(program):
    mapping = uploads.mapping_of(
        {
            "columns": {"a": "key", "b": "member", "c": "occurred_at", "d": "value"},
            "constants": {"type": "PURCHASE"},
            "date_format": "dmy",
            "decimal_sign": ",",
            "thousands_sign": ".",
            "widths": {"member": 7},
            "zone": "UTC",
        }
    )
    content = "a;b;c;d\nX;479;01.02.2026 10:00;1.000\n"
    upload = checked(program, content, mapping=mapping)
    record(upload)

    activity = Activity.objects.get()
    assert activity.occurred_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert activity.value == 1000


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"colums": {}}, "colums"),
        ({"columns": []}, "columns"),
        ({"columns": {"a": "keys"}}, "columns/a"),
        ({"columns": {"a": "key", "b": "key"}}, "columns/b"),
        ({"columns": {"a": "type"}, "constants": {"type": "X"}}, "constants/type"),
        ({"constants": {"key": "X"}}, "constants"),
        ({"date_format": "dd.mm"}, "date_format"),
        ({"decimal_sign": ",", "thousands_sign": ","}, "decimal_sign"),
        ({"thousands_sign": "."}, "decimal_sign"),
        ({"zone": "Mars/Phobos"}, "zone"),
        ({"encoding": "ebcdic"}, "encoding"),
        ({"widths": {"member": 99}}, "widths/member"),
        ({"widths": {"key": 3}}, "widths/key"),
        ({"answers": {"scientific": "perhaps"}}, "answers/scientific"),
        ({"translations": {"type": {"a": 1}}}, "translations/type/a"),
        ({"translations": {"key": {}}}, "translations"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(content, field):
    with pytest.raises(uploads.InvalidMapping) as caught:
        uploads.mapping_of(content)

    assert caught.value.field == field


def test_json_lines_are_asked_about_spoiled_numbers_only(program):
    line = (
        '{"key": "K", "member": "0000479", "occurred_at": "2026-11-20T12:00:00Z",'
        ' "type": "PURCHASE", "value": "1.000",'
        ' "items": [{"item_id": "4.00638E+12", "value": "1"}]}\n'
    )
    upload = checked(program, line, "till.jsonl")
    assert codes_asked(upload) == ["scientific"]
    answer(upload, scientific="keep")
    assert upload.status == UploadStatus.VALIDATED


def test_an_upload_of_only_new_uploads_keeps_old_rows(program):
    upload = new_upload(program, native("5"))
    assert (upload.mapping, upload.questions, upload.sample) == ({}, [], {})


def test_after_an_undo_the_corrected_file_is_recorded(program):
    upload = checked(program, GERMAN.replace("1.234,50", "1.234.500,00"))
    read(upload, guess_of(upload), save_as="Tills")
    record(upload)
    undo(upload)

    corrected = checked(program, GERMAN)
    assert corrected.dry_run["already_recorded"] == 0
    record(corrected)

    standing = Activity.objects.filter(reversal=None).order_by("key")
    assert list(standing.values_list("value", flat=True)) == [
        Decimal("1234.5"),
        Decimal("12.5"),
    ]
