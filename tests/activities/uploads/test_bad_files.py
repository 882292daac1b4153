"""Files that cannot be used at all: a sentence that says what to do, nothing stored."""

import gzip
import io
import zipfile

import pytest
from django.core.files.base import ContentFile

from activities.models import Upload, UploadRefusal, UploadRow, UploadStatus
from activities.services import uploads
from activities.services.uploads.refusals import InvalidSource
from tests.activities.uploads.files import (
    NOW,
    checked,
    csv_bytes,
    new_upload,
    parquet_bytes,
    xlsx_bytes,
)
from tests.builders import make_channel, make_program, make_type, make_unit

pytestmark = pytest.mark.django_db

ROW = {
    "key": "A",
    "member": "ann",
    "occurred_at": "2026-03-04T12:00:00Z",
    "type": "PURCHASE",
}
MARK = b"\xef\xbb\xbf"
GOOD = csv_bytes([ROW])


def zipped(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b" \r\n\n", "empty_file"),
        ("a.csv", b"\xef\xbb\xbf", "empty_file"),
        ("a.csv.gz", gzip.compress(b""), "empty_file"),
        ("a.csv", b"a,b\0\n1,2\n", "wrong_encoding"),
        ("a.csv", GOOD.decode().encode("utf-32"), "wrong_encoding"),
        ("a.csv.gz", gzip.compress(GOOD)[:20], "broken_file"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "unknown_format"),
        ("a.json", b'[{"key": "A"}]', "unknown_format"),
        ("a.zip", zipped(a=GOOD), "unknown_format"),
        ("a.xlsx", zipped(xl__workbook=b"<"), "unknown_format"),
        ("a.xlsx", b"PK\x03\x04 and no more", "broken_file"),
        ("a.csv", xlsx_bytes([ROW]), "format_mismatch"),
        ("a.xlsx", GOOD, "format_mismatch"),
        ("a.parquet", GOOD, "format_mismatch"),
        ("a.jsonl", GOOD, "format_mismatch"),
    ],
)
def test_it_is_refused_at_the_door(program, name, content, code):
    with pytest.raises(uploads.UnusableFile) as caught:
        new_upload(program, content, name)

    assert caught.value.code == code
    assert caught.value.field == "file"
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "key,member,occurred_at,type,item_value\n", "lacks “item_id”"),
        ("a.csv", "key,member,occurred_at,type,Key\n", "“key” twice"),
        ("a.csv", "key,member,occurred_at,type,a,a\n", "“a” twice"),
        ("a.csv", '"key,member\n', "quotes of the header"),
        (
            "a.csv",
            b"\xef\xbb\xbf" + GOOD + b"B,\xe9ric,x,y\n",
            "Line 3 is not UTF-8 (byte 0xE9)",
        ),
        ("a.csv", GOOD + b"x" * 5000 + b"\0", "Line 3 holds the character NUL"),
        ("a.csv.gz", gzip.compress(GOOD * 900)[:-20], "cut off or damaged"),
        ("a.parquet", b"PAR1 and no more", "Parquet file is damaged"),
        ("a.parquet", parquet_bytes([ROW])[:-30], "Parquet file is damaged"),
        ("a.xlsx.gz", gzip.compress(zipped(a=GOOD)), "not an Excel workbook"),
    ],
)
def test_it_fails_its_check_with_a_sentence(program, name, content, expected):
    upload = checked(program, content, name)

    assert upload.status == UploadStatus.FAILED
    assert expected in upload.failure
    assert not UploadRow.objects.exists()


def test_a_workbook_with_damaged_parts_fails_its_check(program):
    parts = {}
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes([ROW]))) as archive:
        for part in archive.namelist():
            content = archive.read(part)
            is_sheet = part == "xl/worksheets/sheet1.xml"
            parts[part] = content[:200] if is_sheet else content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)

    upload = checked(program, buffer.getvalue(), "a.xlsx")

    assert upload.status == UploadStatus.FAILED
    assert "Excel file is damaged" in upload.failure


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(program):
    zeros = b"key,member,occurred_at,type\n" + (b",,," + b" " * 999_996 + b"\n") * 60

    upload = checked(program, gzip.compress(zeros, 9), "bomb.csv.gz")

    assert upload.status == UploadStatus.FAILED
    assert "unpacks to more than 200 times its size" in upload.failure
    assert UploadRefusal.objects.filter(upload=upload).count() <= 10_000


def test_a_workbook_bomb_is_refused_by_its_directory(program):
    bomb = zipped(**{"xl__workbook.xml": b"<a/>", "xl__worksheets": b"0" * 50_000_000})

    with pytest.raises(uploads.UnusableFile) as caught:
        new_upload(program, bomb, "bomb.xlsx")

    assert caught.value.code == "unpacks_too_large"


def test_a_workbook_bomb_packed_again_is_refused_by_its_directory(program):
    bomb = zipped(**{"xl__workbook.xml": b"<a/>", "xl__worksheets": b"0" * 50_000_000})

    upload = checked(program, gzip.compress(bomb), "bomb.xlsx.gz")

    assert upload.status == UploadStatus.FAILED
    assert "unpacks to more" in upload.failure


def test_a_workbook_that_declares_entities_is_not_expanded(program):
    entities = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
    <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">
    <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;">
    <!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;">
    ]><workbook>&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;</workbook>"""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_bytes([ROW]))) as good,
        zipfile.ZipFile(buffer, "w") as bad,
    ):
        for part in good.namelist():
            content = entities if part == "xl/workbook.xml" else good.read(part)
            bad.writestr(part, content)

    upload = checked(program, buffer.getvalue(), "a.xlsx")

    assert upload.status == UploadStatus.FAILED


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\sales.csv", "sales.csv"),
        ("/sales.csv", "sales.csv"),
        ("a\nb\x00c.csv", "abc.csv"),
        ("\u202evsc.exe.csv", "vsc.exe.csv"),
        ("ü" * 300 + ".csv", "ü" * 251 + ".csv"),
        ("..", "upload"),
    ],
)
def test_a_name_is_no_path(program, name, kept):
    file = ContentFile(GOOD)
    file.name = name

    upload = uploads.create_upload(program, file, now=NOW)

    assert upload.original_name == kept
    assert str(upload.file).startswith("uploads/")
    assert "passwd" not in str(upload.file)


def test_a_file_over_the_limit_is_refused(program, settings):
    settings.UPLOAD_BYTES_MAX = 100

    with pytest.raises(uploads.UnusableFile) as caught:
        new_upload(program, GOOD * 10)

    assert caught.value.code == "file_too_large"
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("default_activity_type", make_type),
        ("default_channel", make_channel),
        ("default_business_unit", make_unit),
    ],
)
def test_a_default_of_another_program_is_refused(program, field, make):
    theirs = make(make_program())

    with pytest.raises(uploads.OtherProgram) as caught:
        new_upload(program, GOOD, **{field: theirs})

    assert caught.value.field == field
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"source": ""},
        {"source": "s" * 21},
        {"source": "nul\0"},
        {"identity_kind": " "},
        {"identity_kind": "k" * 41},
        {"unknown_members": "ignore"},
    ],
)
def test_options_out_of_bounds_are_refused(program, options):
    with pytest.raises(InvalidSource) as caught:
        new_upload(program, GOOD, **options)

    assert caught.value.field == next(iter(options))


def test_the_very_same_file_is_pointed_out_within_its_program(program):
    first = new_upload(program, GOOD)

    again = new_upload(program, GOOD, "renamed.csv")
    elsewhere = new_upload(make_program(), GOOD)

    assert again.same_file_as == first
    assert elsewhere.same_file_as is None


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("key,member\nA,ann\n", "date and time (“occurred_at”)"),
        ("hello\nworld\n", "receipt number (“key”), member (“member”)"),
        ("key,member\n", "date and time (“occurred_at”)"),
    ],
)
def test_a_header_that_lacks_columns_is_asked_about(program, content, names):
    upload = checked(program, content)

    assert (upload.status, upload.failure) == (UploadStatus.QUESTIONS, "")
    (question,) = upload.questions
    assert question["code"] == "columns"
    assert names in question["text"]
