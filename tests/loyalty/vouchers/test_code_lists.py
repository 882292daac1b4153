"""Lists of codes: made in advance or read from a file, in steps that can stop."""

import io
import secrets
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from loyalty.models import Voucher, VoucherCodeJob, VoucherStock
from loyalty.services import vouchers
from loyalty.services.vouchers import code_jobs
from loyalty.services.vouchers.code_jobs import CodeCountOutOfRange, TypeHasNoList
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(code_jobs, "STEP", 10)


def listed_type(**fields):
    return make_voucher_type(make_program(), codes="listed", **fields)


def ask(voucher_type, count):
    return vouchers.ask_for_codes(voucher_type, count, user=None, now=NOON)


def upload(voucher_type, content, name="codes.csv", *, has_heading=False):
    return vouchers.upload_codes(
        voucher_type,
        ContentFile(content, name),
        has_heading=has_heading,
        user=None,
        now=NOON,
    )


def outcome(job):
    job.refresh_from_db()
    codes = Voucher.objects.filter(voucher_type=job.voucher_type_id).order_by("pk")
    stock = VoucherStock.objects.get(voucher_type=job.voucher_type_id).codes_left
    assert stock == len(codes)
    return job, list(codes.values_list("code", flat=True))


def test_as_many_codes_are_made_as_were_asked_for():
    voucher_type = listed_type(prefix="X-")
    job = ask(voucher_type, 25)

    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert (job.status, job.added_count, len(set(codes))) == ("finished", 25, 25)
    assert all(code.startswith("X-") for code in codes)


def test_a_job_that_broke_off_goes_on_where_it_stood(monkeypatch):
    job = ask(listed_type(), 25)
    real, calls = secrets.token_bytes, []

    def break_off(size):
        calls.append(size)
        if len(calls) == 2:
            raise SystemExit
        return real(size)

    monkeypatch.setattr(secrets, "token_bytes", break_off)
    with pytest.raises(SystemExit):
        vouchers.run_code_job(job.pk)
    assert outcome(job)[0].added_count == 10
    vouchers.run_code_job(job.pk)
    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert (job.status, job.added_count, len(codes)) == ("finished", 25, 25)


def test_a_file_is_read_in_its_order_and_doubles_are_counted():
    voucher_type = listed_type()
    make_voucher(
        make_voucher_type(voucher_type.program),
        make_member(voucher_type.program),
        code="C-7",
    )
    lines = [f"C-{number}" for number in range(24, -1, -1)]
    job = upload(voucher_type, "\n".join([*lines, "C-3", "", "C-4"]).encode())
    path = job.file.name

    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert codes == [code for code in lines if code != "C-7"]
    assert (job.status, job.asked_count, job.read_count) == ("finished", 27, 27)
    assert (job.added_count, job.duplicate_count) == (24, 3)
    assert not default_storage.exists(path)


def test_reading_that_broke_off_goes_on_where_it_stood(monkeypatch):
    job = upload(listed_type(), "\n".join(f"C-{n}" for n in range(25)).encode())
    real, calls = code_jobs._add, []

    def break_off(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise SystemExit
        return real(*arguments)

    monkeypatch.setattr(code_jobs, "_add", break_off)
    with pytest.raises(SystemExit):
        vouchers.run_code_job(job.pk)
    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert codes == [f"C-{n}" for n in range(25)]
    assert (job.status, job.duplicate_count) == ("finished", 0)


def test_a_workbook_is_read_by_its_first_column():
    book = openpyxl.Workbook()
    for row in (["Code", "Note"], ["AB-1", "x"], [12345, None], [None, "y"]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    job = upload(listed_type(), content.getvalue(), "codes.xlsx", has_heading=True)

    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert (job.status, codes) == ("finished", ["AB-1", "12345"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"GOOD\nNOT GOOD", "The 2nd code, “NOT GOOD”", id="a blank"),
        pytest.param(b"A/B", "no slashes", id="a slash"),
        pytest.param(b"..", "is none", id="no letter"),
        pytest.param(b"\xef\xbb\xbfA\n\xff", "not UTF-8", id="encoding"),
        pytest.param(b"A" * 101, "is none", id="too long"),
        pytest.param(b"PK\x03\x04broken", "Excel file is damaged", id="workbook"),
    ],
)
def test_a_file_that_cannot_be_read_adds_nothing_and_says_why(content, words):
    job = upload(listed_type(), b"\n".join(b"X-%d" % n for n in range(20)) + b"\n")
    job.file.save("codes.csv", ContentFile(content))

    vouchers.run_code_job(job.pk)

    job, codes = outcome(job)
    assert (job.status, codes) == ("failed", [])
    assert words in job.error


def test_only_lists_are_filled_and_within_bounds():
    made = make_voucher_type(make_program())
    with pytest.raises(TypeHasNoList):
        ask(made, 5)
    for count in (0, vouchers.CODES_MAX + 1):
        with pytest.raises(CodeCountOutOfRange):
            ask(listed_type(), count)


def test_jobs_that_stand_still_are_found():
    stalled, fresh, done = (ask(listed_type(), 1) for _ in range(3))
    VoucherCodeJob.objects.filter(pk=fresh.pk).update(touched_at=NOON)
    VoucherCodeJob.objects.filter(pk=stalled.pk).update(
        touched_at=NOON - timedelta(minutes=2, microseconds=1)
    )
    VoucherCodeJob.objects.filter(pk=done.pk).update(
        status="finished", touched_at=NOON - timedelta(days=1)
    )

    found = vouchers.stalled_code_jobs(now=NOON, after=timedelta(minutes=2))

    assert found == [stalled.pk]


def test_pictures_are_what_they_say():
    assert vouchers.svg_of("ABCD-EFGH-JKLM").startswith(b"<svg")
    assert vouchers.png_of("ABCD-EFGH-JKLM").startswith(b"\x89PNG")
