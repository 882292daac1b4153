"""Background jobs: every attempt counts, one is the last, and it says why."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from activities.models import Backtest, Upload, UploadChunk, UploadStatus
from activities.services import backtesting, segments, uploads
from activities.services.backtesting import NewBacktest, Span
from activities.services.segments import refreshing
from activities.services.uploads import running, undoing, validation
from loyalty.models import SegmentState, VoucherCodeJob
from loyalty.services import jobs, vouchers
from loyalty.services.vouchers import code_jobs
from tests.activities.uploads.files import NOW, checked, confirmed, finished, new_upload
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_segment,
    make_type,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db

ROWS = [
    {
        "key": f"R-{number}",
        "member": "ann",
        "occurred_at": "2026-03-04T12:00:00Z",
        "type": "PURCHASE",
        "value": "10",
    }
    for number in range(3)
]
PAST = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(9999, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """What a test raises where a process would be killed: nothing catches it."""


def die(*_, **__):
    raise Killed


def break_down(*_, **__):
    raise ZeroDivisionError("a bug")


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    make_member(program, "ann")
    return program


def check_again_and_again(upload):
    """Let workers begin the check until nobody may; return how often."""
    for count in range(20):
        Upload.objects.filter(pk=upload.pk).update(touched_at=PAST)
        try:
            uploads.validate_upload(upload)
        except Killed:
            continue
        return count
    raise AssertionError("It never ends.")


def test_a_check_that_kills_its_worker_fails_after_its_last_attempt(
    program, monkeypatch
):
    upload = new_upload(program, ROWS)
    monkeypatch.setattr(validation, "open_table", die)

    count = check_again_and_again(upload)

    upload.refresh_from_db()
    assert count == jobs.ATTEMPTS_MAX
    assert upload.status == UploadStatus.FAILED
    assert "was begun 5 times and never came to an end" in upload.failure


def test_a_person_lets_a_failed_check_begin_anew(program, monkeypatch):
    upload = new_upload(program, ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(validation, "open_table", die)
        check_again_and_again(upload)

    again = uploads.check_again(upload, actor="marketer", now=NOW)
    uploads.validate_upload(again)

    upload.refresh_from_db()
    assert (upload.status, upload.failure) == (UploadStatus.VALIDATED, "")
    with pytest.raises(uploads.UploadNotReady):
        uploads.check_again(upload, actor="marketer", now=NOW)


def test_what_nobody_foresaw_fails_at_once_in_general_words_and_is_logged(
    program, monkeypatch, caplog
):
    upload = new_upload(program, ROWS)
    monkeypatch.setattr(validation, "open_table", break_down)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert upload.failure == jobs.UNFORESEEN
    assert "ZeroDivisionError" in caplog.text
    assert not uploads.stalled_uploads()


def test_trouble_with_the_database_leaves_a_check_for_the_sweep(program, monkeypatch):
    upload = new_upload(program, ROWS)

    def gone(*_, **__):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(validation, "open_table", gone)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATING
    Upload.objects.update(touched_at=PAST)
    assert [one.upload_id for one in uploads.stalled_uploads()] == [upload.pk]


def test_out_of_memory_is_said_so(program, monkeypatch):
    upload = new_upload(program, ROWS)

    def too_large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(validation, "open_table", too_large)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert (upload.status, upload.failure) == (UploadStatus.FAILED, jobs.OUT_OF_MEMORY)


def test_a_worker_that_is_asked_to_stop_puts_a_check_back_uncounted(
    program, monkeypatch
):
    upload = new_upload(program, ROWS)
    monkeypatch.setattr(jobs, "_LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "is_stopping", lambda: True)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert (upload.status, upload.tries) == (UploadStatus.UPLOADED, 0)


def run_again_and_again(work):
    """Let workers begin until no chunk is to be begun; return how often one died."""
    for count in range(20):
        UploadChunk.objects.update(claimed_at=PAST)
        try:
            work()
        except Killed:
            continue
        return count
    raise AssertionError("It never ends.")


def test_a_chunk_that_kills_its_worker_pauses_the_upload_after_its_last_attempt(
    program, monkeypatch
):
    upload = confirmed(program, ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(running, "_record", die)
        count = run_again_and_again(lambda: uploads.run_chunks(upload.pk, until=LATER))

    upload.refresh_from_db()
    assert count == jobs.ATTEMPTS_MAX
    assert upload.status == UploadStatus.PAUSED
    assert "begun 5 times" in upload.failure

    uploads.resume_upload(upload, actor="operator", now=NOW)
    uploads.run_chunks(upload.pk, until=LATER)

    upload.refresh_from_db()
    assert (upload.status, upload.recorded_count) == (UploadStatus.FINISHED, 3)
    assert upload.failure == ""


def test_a_bug_while_recording_pauses_the_upload_and_says_so(program, monkeypatch):
    upload = confirmed(program, ROWS)
    monkeypatch.setattr(running, "_record", break_down)

    assert not uploads.run_chunks(upload.pk, until=LATER)

    upload.refresh_from_db()
    assert (upload.status, upload.failure) == (UploadStatus.PAUSED, jobs.UNFORESEEN)


@pytest.mark.parametrize("trouble", [die, break_down])
def test_an_undoing_that_cannot_go_on_stops_and_may_be_begun_again(
    program, monkeypatch, trouble
):
    upload = finished(program, ROWS)
    uploads.undo_upload(upload, actor="operator", now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(undoing, "_reverse", trouble)
        run_again_and_again(lambda: uploads.undo_chunks(upload.pk, until=LATER))

    upload.refresh_from_db()
    assert upload.status == UploadStatus.CANCELLED
    assert upload.failure.startswith("Undoing stopped.")

    uploads.undo_upload(upload, actor="operator", now=NOW)
    uploads.undo_chunks(upload.pk, until=LATER)

    upload.refresh_from_db()
    assert (upload.status, upload.reversed_count) == (UploadStatus.UNDONE, 3)


def test_a_good_check_counts_no_attempt_against_the_recording(program):
    upload = checked(program, ROWS)

    uploads.confirm_upload(upload, actor="marketer", now=NOW)
    uploads.run_chunks(upload.pk, until=LATER)

    assert set(UploadChunk.objects.values_list("tries", flat=True)) == {0}


@pytest.fixture
def backtest(program):
    finished(program, ROWS)
    span = Span(NOON - timedelta(days=900), NOON + timedelta(days=900))
    return backtesting.create_backtest(program, NewBacktest(span), now=NOON)


def test_a_backtest_that_kills_its_worker_fails_and_may_be_started_again(
    backtest, monkeypatch
):
    from activities.services.backtesting import running as backtest_running

    with monkeypatch.context() as patch:
        patch.setattr(backtest_running, "replayed", die)
        for _ in range(jobs.ATTEMPTS_MAX):
            Backtest.objects.update(touched_at=PAST)
            with pytest.raises(Killed):
                backtesting.run_backtest(backtest.pk)
        Backtest.objects.update(touched_at=PAST)
        assert not backtesting.run_backtest(backtest.pk)

    backtest.refresh_from_db()
    assert backtest.status == "failed"
    assert "This backtest was begun 5 times" in backtest.failure

    backtesting.restart_backtest(backtest)
    backtesting.run_backtest(backtest.pk)

    backtest.refresh_from_db()
    assert (backtest.status, backtest.failure) == ("finished", "")


def test_a_bug_in_a_backtest_fails_it_with_a_sentence(backtest, monkeypatch):
    from activities.services.backtesting import running as backtest_running

    monkeypatch.setattr(backtest_running, "replayed", break_down)

    backtesting.run_backtest(backtest.pk)

    backtest.refresh_from_db()
    assert (backtest.status, backtest.failure) == ("failed", jobs.UNFORESEEN)


@pytest.mark.parametrize("trouble", [die, break_down])
def test_a_list_of_codes_that_cannot_be_filled_fails_and_may_be_started_again(
    program, monkeypatch, trouble
):
    voucher_type = make_voucher_type(program, codes="listed")
    job = vouchers.ask_for_codes(voucher_type, 10, user=None, now=NOON)
    with monkeypatch.context() as patch:
        patch.setattr(code_jobs, "make_codes", trouble)
        for _ in range(jobs.ATTEMPTS_MAX + 1):
            try:
                vouchers.run_code_job(job.pk)
            except Killed:
                continue

    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error

    vouchers.restart_code_job(job)
    vouchers.run_code_job(job.pk)

    job = VoucherCodeJob.objects.get()
    assert (job.status, job.added_count, job.error) == ("finished", 10, "")


def test_progress_of_a_list_of_codes_counts_attempts_anew(program, monkeypatch):
    monkeypatch.setattr(code_jobs, "STEP", 4)
    voucher_type = make_voucher_type(program, codes="listed")
    job = vouchers.ask_for_codes(voucher_type, 10, user=None, now=NOON)
    VoucherCodeJob.objects.update(tries=4)

    vouchers.run_code_job(job.pk)

    assert VoucherCodeJob.objects.get().tries == 0


@pytest.mark.parametrize("trouble", [die, break_down])
def test_a_segment_that_cannot_be_refreshed_stops_alone(program, monkeypatch, trouble):
    good, bad = (make_segment(program, kind="rules") for _ in range(2))
    move = refreshing._move

    def broken(segment, scope):
        return trouble() if segment.pk == bad.pk else move(segment, scope)

    with monkeypatch.context() as patch:
        patch.setattr(refreshing, "_move", broken)
        for _ in range(jobs.ATTEMPTS_MAX + 1):
            try:
                segments.refresh_segments(now=NOON)
            except Killed:
                continue

    assert SegmentState.objects.get(segment=good).refreshed_at == NOON
    assert SegmentState.objects.get(segment=good).failure == ""
    assert SegmentState.objects.get(segment=bad).failure

    segments.refresh_segment(bad, now=NOON)
    state = SegmentState.objects.get(segment=bad)
    assert (state.tries, state.failure) == (0, "")


def test_a_segment_that_fails_does_not_hold_up_members_of_others(program, monkeypatch):
    good, bad = (make_segment(program, kind="rules") for _ in range(2))
    move, moved = refreshing._move, []

    def broken(segment, scope):
        if segment.pk == bad.pk:
            raise ZeroDivisionError
        moved.append(segment.pk)
        return move(segment, scope)

    monkeypatch.setattr(refreshing, "_move", broken)

    segments.refresh_members(program.pk, [1], now=NOON)

    assert moved == [good.pk]
    assert SegmentState.objects.get(segment=bad).failure == jobs.UNFORESEEN
