"""Background work of uploads and people; every task is safe to run twice.

Regular work is not sent again when its process is killed: beat sends it anyway, and
what kills a process would kill it for ever. A broker that is down when a job is queued
is no failure of whoever asked for it: a sweep queues it later.
"""

from datetime import timedelta
from typing import Any

from celery import shared_task

from activities.models import Upload, UploadStatus
from activities.reports import ledger_mismatches
from activities.services import (
    backtesting,
    ledger_checks,
    logins,
    segments,
    uploads,
)
from loyalty.services import clock
from loyalty.tasks import queue_on_commit

# A task hands over after this long, so that uploads share the workers.
_TURN = timedelta(seconds=60)
_VALIDATION_SECONDS_MAX = 6 * 60 * 60


def enqueue_validation(upload_id: int) -> None:
    """Queue the check of an upload, once the transaction commits."""
    queue_on_commit(validate_upload, upload_id=upload_id)


def enqueue_run(upload_id: int) -> None:
    """Queue the recording of an upload on several workers, on commit."""
    for _ in range(uploads.useful_task_count(upload_id)):
        queue_on_commit(run_upload, upload_id=upload_id)


def enqueue_undo(upload_id: int) -> None:
    """Queue the undoing of an upload on several workers, on commit."""
    for _ in range(uploads.useful_task_count(upload_id)):
        queue_on_commit(undo_upload, upload_id=upload_id)


def enqueue_clearing(upload_id: int) -> None:
    """Queue the deletion of rows that a cancelled upload left, on commit."""
    queue_on_commit(clear_upload, upload_id=upload_id)


@shared_task(
    acks_late=True,
    time_limit=_VALIDATION_SECONDS_MAX,
    soft_time_limit=_VALIDATION_SECONDS_MAX - 60,
)
def validate_upload(*, upload_id: int, **_: Any) -> None:
    """Check one upload."""
    uploads.validate_upload(Upload.objects.get(pk=upload_id))


@shared_task(acks_late=True, time_limit=900)
def run_upload(*, upload_id: int, **_: Any) -> None:
    """Record chunks of one upload for a while; queues itself if some are left."""
    if uploads.run_chunks_in_threads(upload_id, until=clock.now() + _TURN):
        run_upload.delay(upload_id=upload_id)


@shared_task(acks_late=True, time_limit=900)
def undo_upload(*, upload_id: int, **_: Any) -> None:
    """Reverse chunks of one upload for a while; queues itself if some are left."""
    if uploads.undo_chunks(upload_id, until=clock.now() + _TURN):
        undo_upload.delay(upload_id=upload_id)


@shared_task(acks_late=True, time_limit=900)
def clear_upload(*, upload_id: int, **_: Any) -> None:
    """Delete the staged rows of one upload that ended early."""
    uploads.clear_ended_upload(upload_id)


_NEXT = {
    UploadStatus.UPLOADED: enqueue_validation,
    UploadStatus.VALIDATING: enqueue_validation,
    UploadStatus.RUNNING: enqueue_run,
    UploadStatus.UNDOING: enqueue_undo,
    UploadStatus.CANCELLED: enqueue_clearing,
    UploadStatus.FAILED: enqueue_clearing,
    UploadStatus.UNDONE: enqueue_clearing,
}


@shared_task(acks_late=False, time_limit=60)
def sweep_uploads(**_: Any) -> None:
    """Queue the work of uploads whose worker died."""
    for stalled in uploads.stalled_uploads():
        _NEXT[UploadStatus(stalled.status)](stalled.upload_id)


@shared_task(acks_late=False, time_limit=3600)
def refresh_segments(**_: Any) -> None:
    """Bring every segment kept by rules up to date; safe to run twice."""
    segments.refresh_segments(now=clock.now())


@shared_task(acks_late=False, time_limit=300)
def recheck_members(**_: Any) -> None:
    """Move members in and out of segments after their activities; safe to repeat."""
    while segments.recheck_members(now=clock.now()):
        pass


@shared_task(acks_late=False, time_limit=600)
def forget_logins(**_: Any) -> None:
    """Forget sessions of members and staff that ended; safe to run twice."""
    logins.forget_ended_logins(at=clock.now())


@shared_task(acks_late=False, time_limit=6 * 60 * 60)
def check_ledger(**_: Any) -> None:
    """Prove that the ledger adds up, and keep the result; safe to run twice."""
    ledger_checks.keep_check(ledger_mismatches(), now=clock.now())


def enqueue_backtest(backtest_id: int) -> None:
    """Queue a backtest, once the transaction commits."""
    queue_on_commit(run_backtest, backtest_id=backtest_id)


@shared_task(
    acks_late=True,
    time_limit=_VALIDATION_SECONDS_MAX,
    soft_time_limit=_VALIDATION_SECONDS_MAX - 60,
)
def run_backtest(*, backtest_id: int, **_: Any) -> None:
    """Run one backtest for a while; queues itself if some is left."""
    if backtesting.run_backtest(backtest_id, until=clock.now() + _TURN):
        run_backtest.delay(backtest_id=backtest_id)


@shared_task(acks_late=False, time_limit=60)
def sweep_backtests(**_: Any) -> None:
    """Queue backtests whose worker died."""
    for backtest_id in backtesting.stalled_backtests():
        enqueue_backtest(backtest_id)
