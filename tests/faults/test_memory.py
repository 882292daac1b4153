"""A file of any size is checked and recorded in the same memory."""

from pathlib import Path

import pytest
from django.core.files import File

from activities.models import Upload, UploadStatus
from activities.services import uploads
from loyalty.models import Program
from tests.activities.uploads.files import NOW
from tests.builders import make_member, make_program, make_type
from tests.faults.processes import Worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MEMBER_COUNT = 1_000
SMALL, LARGE = 15_000, 300_000
PEAK_MEGABYTES_MAX = 300
# Caches of cells and moments fill up to their limits, which a small file does not.
GROWTH_MEGABYTES_MAX = 60


@pytest.fixture
def program(transactional_db) -> Program:
    program = make_program()
    make_type(program)
    for number in range(MEMBER_COUNT):
        make_member(program, f"m{number}")
    return program


def write_csv(path: Path, count: int) -> None:
    """Write a row for each activity; every tenth of them is refused."""
    with path.open("w") as file:
        file.write("key,member,occurred_at,type,value,note\n")
        for number in range(count):
            value = "x" if number % 10 == 0 else f"{number % 977}.{number % 100:02}"
            second, minute = number % 60, number // 60 % 60
            file.write(
                f"K-{number},m{number * 7919 % MEMBER_COUNT},"
                f"2026-01-{number % 28 + 1:02}T12:{minute:02}:{second:02}Z,"
                f"PURCHASE,{value},note {number}\n"
            )


def upload_of(program: Program, path: Path, count: int) -> Upload:
    write_csv(path, count)
    with path.open("rb") as stream:
        return uploads.create_upload(program, File(stream, name=path.name), now=NOW)


def test_checking_takes_no_more_memory_for_twenty_times_the_rows(program, tmp_path):
    peaks = []
    for count in (SMALL, LARGE):
        upload = upload_of(program, tmp_path / f"{count}.csv", count)

        peaks.append(Worker("validate", upload).begin().peak_megabytes())

        upload.refresh_from_db()
        assert upload.status == UploadStatus.VALIDATED
        assert upload.line_count == count
        assert upload.refused_count == count // 10
    assert peaks[1] < PEAK_MEGABYTES_MAX
    assert peaks[1] - peaks[0] < GROWTH_MEGABYTES_MAX


def test_long_lines_that_are_refused_are_not_held(program, tmp_path):
    path = tmp_path / "long.jsonl"
    line = b'{"key": "A", "note": "' + b"x" * 9_900_000 + b'"}\n'
    with path.open("wb") as file:
        for _ in range(40):
            file.write(line)
    with path.open("rb") as stream:
        upload = uploads.create_upload(program, File(stream, name=path.name), now=NOW)

    peak = Worker("validate", upload).begin().peak_megabytes()

    upload.refresh_from_db()
    assert (upload.status, upload.refused_count) == (UploadStatus.VALIDATED, 40)
    # What operators are told that a worker takes.
    assert peak < 400
