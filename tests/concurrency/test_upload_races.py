"""Steps of an upload taken by many at once: each is taken once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.db import connection, transaction

from activities.models import Activity, UploadStatus
from activities.reports import ledger_mismatches
from activities.services import record_activity, uploads
from activities.services.commands import KeyReused
from activities.services.uploads import running, staging
from loyalty.models import Account, Member, Program
from tests.activities.uploads.files import NOW, checked, confirmed, run
from tests.builders import make_member, make_program, make_type, purchase
from tests.concurrency.test_recording_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 8
MEMBER_COUNT, ROWS_EACH = 24, 3


@pytest.fixture
def program(transactional_db, monkeypatch) -> Program:
    """A program whose uploads have a chunk for every member."""
    monkeypatch.setattr(staging, "CHUNK_ROWS", ROWS_EACH)
    program = make_program()
    make_type(program)
    for number in range(MEMBER_COUNT):
        make_member(program, f"m{number:02}")
    return program


def rows() -> list[dict]:
    return [
        {
            "key": f"K-{number}",
            "member": f"m{number % MEMBER_COUNT:02}",
            "occurred_at": (NOW - timedelta(minutes=number)).isoformat(),
            "type": "PURCHASE",
            "value": "5",
        }
        for number in range(MEMBER_COUNT * ROWS_EACH)
    ]


def later() -> datetime:
    return datetime.now(tz=UTC) + timedelta(minutes=5)


def balances() -> set[int]:
    rows = Account.objects.filter(member__isnull=False)
    return set(rows.values_list("balance", flat=True))


def taken(step, upload):
    try:
        return step(upload, actor="somebody", now=NOW).status
    except uploads.UploadNotReady:
        return "refused"


def test_an_upload_confirmed_by_many_is_confirmed_once(program):
    upload = checked(program, rows())

    answers = at_once([lambda: taken(uploads.confirm_upload, upload)] * PEOPLE)

    assert sorted(answers) == ["refused"] * (PEOPLE - 1) + ["running"]
    assert upload.steps.filter(status=UploadStatus.RUNNING).count() == 1


def test_an_upload_undone_by_many_is_undone_once(program):
    upload = confirmed(program, rows())
    run(upload)

    at_once([lambda: taken(uploads.undo_upload, upload)] * PEOPLE)
    at_once([lambda: uploads.undo_chunks(upload.pk, until=later())] * PEOPLE)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.UNDONE
    assert upload.reversed_count == MEMBER_COUNT * ROWS_EACH
    assert upload.steps.filter(status=UploadStatus.UNDONE).count() == 1
    assert balances() == {0}
    assert list(ledger_mismatches()) == []


def test_an_upload_run_by_many_pays_everybody_once(program):
    upload = confirmed(program, rows())

    at_once([lambda: uploads.run_chunks(upload.pk, until=later())] * PEOPLE)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.FINISHED
    assert upload.recorded_count == MEMBER_COUNT * ROWS_EACH
    assert upload.steps.filter(status=UploadStatus.FINISHED).count() == 1
    assert balances() == {5 * ROWS_EACH}
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("delay_seconds", [0.0, 0.05, 0.15])
def test_an_upload_cancelled_and_undone_while_it_runs_leaves_no_point(
    program, delay_seconds
):
    upload = confirmed(program, rows())

    def stop():
        # Somewhere in the middle of the workers' chunks.
        datetime_to_stop = datetime.now(tz=UTC) + timedelta(seconds=delay_seconds)
        while datetime.now(tz=UTC) < datetime_to_stop:
            pass
        taken(uploads.cancel_upload, upload)
        uploads.clear_ended_upload(upload.pk)
        taken(uploads.undo_upload, upload)
        uploads.undo_chunks(upload.pk, until=later())

    workers = [lambda: uploads.run_chunks(upload.pk, until=later())] * 3
    at_once([*workers, stop])

    upload.refresh_from_db()
    assert upload.status == UploadStatus.UNDONE
    assert upload.reversed_count == upload.recorded_count
    assert balances() <= {0}
    assert list(ledger_mismatches()) == []


def test_a_large_chunk_locks_nobody_while_it_waits_for_a_change_of_configuration(
    program, monkeypatch
):
    monkeypatch.setattr(running, "RECORDED_AT_ONCE", 1)
    upload = confirmed(program, rows())

    def run_and_disconnect():
        try:
            uploads.run_chunks(upload.pk, until=later())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Program.objects.filter(pk=program.pk).update(name="Changing")
            worker = pool.submit(run_and_disconnect)
            sleep(0.5)
            members = Member.objects.select_for_update(no_key=True, skip_locked=True)
            free_count = len(members)
        worker.result()

    assert free_count == MEMBER_COUNT
    assert balances() == {5 * ROWS_EACH}


def test_a_key_that_an_undone_file_gave_back_is_taken_once(program):
    upload = confirmed(program, rows())
    run(upload)
    member = Member.objects.get(identities__value="m00")
    sent = purchase(member, "7", key="K-0", source="api", occurred_at=NOW)
    uploads.undo_upload(upload, actor="somebody", now=NOW)

    def record() -> int | None:
        try:
            return record_activity(program.pk, sent, now=NOW).activity_id
        except KeyReused:
            return None

    undo = [lambda: uploads.undo_chunks(upload.pk, until=later())] * 2
    told = at_once([*undo, *[record] * PEOPLE])
    last = record()

    assert len({*told[2:], last} - {None}) == 1
    assert Activity.objects.filter(key="K-0", holds_key=True).count() == 1
    assert balances() == {0, 7}
    assert list(ledger_mismatches()) == []
