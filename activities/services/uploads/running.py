"""Recording a confirmed upload, chunk by chunk, on any number of workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from django.db import (
    DataError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F
from django.db.models.functions import Now

from activities.models import (
    ChunkStatus,
    UnknownMemberPolicy,
    Upload,
    UploadChunk,
    UploadStatus,
    UploadStep,
)
from activities.services import statistics
from activities.services.commands import ProgramDisabled, Recorded, Refused
from activities.services.recording import record_activities
from activities.services.uploads import staging
from activities.services.uploads.chunks import (
    NeverDone,
    clock,
    finish,
    lock_chunk,
    take_chunk,
)
from activities.services.uploads.dry_run import refusal_of
from activities.services.uploads.payloads import command_reader, member_of
from activities.services.uploads.refusal_store import (
    REFUSALS_KEPT_MAX,
    keep_refusals,
    kept_count,
)
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.ledger import AmountTooLarge
from loyalty.services import jobs
from loyalty.services.identities import holders_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from activities.services.commands import RecordActivity
    from activities.services.uploads.payloads import StagedRow

RECORDED_AT_ONCE = 2_000
_TRIES = 4
_TOO_MUCH = (
    "The values in this file are so large that a member's points cannot be kept. "
    "Cancel it, correct the values and upload it again."
)
_THREADS = 2


def run_chunks(upload_id: int, *, until: datetime) -> bool:
    """Record chunks of a running upload until none is left or ``until``.

    Any number of workers may do so at once. A chunk's rows and its mark commit
    together; whoever dies in between leaves it as it was.

    Returns:
        Whether chunks may be left.
    """
    upload = Upload.objects.select_related(
        "default_activity_type", "default_channel", "default_business_unit"
    ).get(pk=upload_id)
    command_of = command_reader(upload)
    while (now := clock()) < until and not jobs.is_stopping():
        try:
            is_done = not _run_next(upload, command_of, now)
        except (ProgramDisabled, AmountTooLarge) as error:
            _pause(upload_id, error.message, now)
            return False
        except DataError:
            # Values within the limits of a row can add up beyond a balance.
            _pause(upload_id, _TOO_MUCH, now)
            return False
        except NeverDone:
            _pause(upload_id, jobs.gave_up("A part of this file"), now)
            return False
        except (OperationalError, InterfaceError):
            # Of the database, not of the file: a sweep goes on with it.
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody is told)
            _pause(upload_id, jobs.sentence_of(error, f"Upload {upload_id}"), now)
            return False
        if is_done:
            return not _finish(upload_id, now)
    return Upload.objects.filter(pk=upload_id, status=UploadStatus.RUNNING).exists()


def run_chunks_in_threads(upload_id: int, *, until: datetime) -> bool:
    """Do what ``run_chunks`` does with two threads, for a process of its own.

    While PostgreSQL writes one thread's chunk, the other decides its own.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        turns = [
            pool.submit(_run_and_disconnect, upload_id, until) for _ in range(_THREADS)
        ]
    outcomes = [turn.result() for turn in turns]
    return any(outcomes)


def _run_and_disconnect(upload_id: int, until: datetime) -> bool:
    try:
        return run_chunks(upload_id, until=until)
    finally:
        connection.close()


def _run_next(
    upload: Upload, command_of: Callable[[StagedRow], RecordActivity], now: datetime
) -> bool:
    """Record one chunk; False if there was none to take."""
    chunk_id = take_chunk(upload.pk, ChunkStatus.PENDING, UploadStatus.RUNNING)
    if chunk_id is None:
        return False
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                chunk = lock_chunk(chunk_id, ChunkStatus.PENDING, UploadStatus.RUNNING)
                if chunk is not None:
                    _record(upload, chunk, command_of, now)
        except OperationalError:
            if not tries_left:
                raise
        else:
            return True
    raise AssertionError("unreachable")


class _Result(NamedTuple):
    activity_ids: list[int]
    duplicate_count: int
    refused: list[tuple[StagedRow, Refused]]


def _record(
    upload: Upload,
    chunk: UploadChunk,
    command_of: Callable[[StagedRow], RecordActivity],
    now: datetime,
) -> None:
    rows = staging.rows_of_chunk(upload.pk, chunk.first_member, chunk.last_member)
    if len(rows) > RECORDED_AT_ONCE:
        _lock_members(upload, rows)
    result = _Result([], 0, [])
    for start in range(0, len(rows), RECORDED_AT_ONCE):
        piece = rows[start : start + RECORDED_AT_ONCE]
        result = _record_piece(upload, piece, command_of, now, result)

    if result.refused:
        room = max(REFUSALS_KEPT_MAX - kept_count(upload.pk), 0)
        keep_refusals(
            upload.pk,
            [refusal_of(upload, row, one) for row, one in result.refused[:room]],
        )
    staging.delete_rows([row.id for row in rows])
    _mark(upload, chunk, result, len(rows), now)


def _lock_members(upload: Upload, rows: list[StagedRow]) -> None:
    """Lock at once what several batches will lock, so that none waits crosswise.

    The configuration comes first, as everywhere.
    """
    programme_for_update(upload.program_id)
    named = {(upload.identity_kind, member_of(row)) for row in rows}
    ledger.lock_members(set(holders_of(upload.program_id, named).values()))


def _record_piece(
    upload: Upload,
    rows: list[StagedRow],
    command_of: Callable[[StagedRow], RecordActivity],
    now: datetime,
    so_far: _Result,
) -> _Result:
    outcomes = record_activities(
        upload.program_id,
        [command_of(row) for row in rows],
        now=now,
        may_enrol=upload.unknown_members == UnknownMemberPolicy.CREATE,
        upload_id=upload.pk,
    )
    duplicate_count = so_far.duplicate_count
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Recorded):
            if outcome.is_replay:
                duplicate_count += 1
            else:
                so_far.activity_ids.append(outcome.activity_id)
        else:
            so_far.refused.append((row, outcome))
    return so_far._replace(duplicate_count=duplicate_count)


def _mark(
    upload: Upload, chunk: UploadChunk, result: _Result, row_count: int, now: datetime
) -> None:
    recorded, duplicates = len(result.activity_ids), result.duplicate_count
    refused = len(result.refused)
    UploadChunk.objects.filter(pk=chunk.pk).update(
        status=ChunkStatus.DONE,
        # Undoing it is another job, whose attempts count anew.
        tries=0,
        claimed_at=None,
        recorded_count=recorded,
        duplicate_count=duplicates,
        refused_count=refused,
        activity_ids=result.activity_ids,
        finished_at=now,
    )
    # Last of all, because every worker of the upload wants this row.
    Upload.objects.filter(pk=upload.pk).update(
        recorded_count=F("recorded_count") + recorded,
        duplicate_count=F("duplicate_count") + duplicates,
        refused_count=F("refused_count") + refused,
        phase_done=F("phase_done") + row_count,
        touched_at=Now(),
    )


def _finish(upload_id: int, now: datetime) -> bool:
    """End the upload if its last chunk is committed; whether nothing is left."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update(no_key=True).get(pk=upload_id)
        if upload.status != UploadStatus.RUNNING:
            return True
        pending = UploadChunk.objects.filter(
            upload_id=upload_id, status=ChunkStatus.PENDING
        )
        if pending.exists():
            # Another worker has them; it ends the upload, or a sweep finds them.
            return True
        finish(upload_id, UploadStatus.FINISHED, now, actor="")
    if upload.recorded_count >= statistics.MANY:
        statistics.refresh_statistics()
    return True


def _pause(upload_id: int, reason: str, now: datetime) -> None:
    """Pause an upload that cannot go on; a person may resume it."""
    with transaction.atomic():
        paused = Upload.objects.filter(
            pk=upload_id, status=UploadStatus.RUNNING
        ).update(status=UploadStatus.PAUSED, failure=reason)
        if paused:
            UploadStep.objects.create(
                upload_id=upload_id, status=UploadStatus.PAUSED, happened_at=now
            )
