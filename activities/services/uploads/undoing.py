"""Undoing an upload: exactly the activities that it recorded, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from activities.models import (
    ChunkStatus,
    Upload,
    UploadChunk,
    UploadStatus,
    UploadStep,
)
from activities.services.reversing import reverse_activities
from activities.services.uploads import staging
from activities.services.uploads.chunks import (
    NeverDone,
    clock,
    finish,
    lock_chunk,
    take_chunk,
)
from loyalty.services import jobs

if TYPE_CHECKING:
    from datetime import datetime

_TRIES = 4
_WAIT_SECONDS = 0.2


class _By(NamedTuple):
    """Who had a file undone, and what stands beside each reversal."""

    actor: str
    reason: str

    @classmethod
    def of(cls, upload: Upload, step: UploadStep | None) -> _By:
        reason = f"Upload {upload.pk} was undone"
        if step is None:
            return cls("", reason)
        return cls(step.actor, f"{reason}: {step.reason}" if step.reason else reason)


def undo_chunks(upload_id: int, *, until: datetime) -> bool:
    """Reverse chunks of an upload being undone until none is left or ``until``.

    As safe as running: a chunk's reversals and its mark commit together, and with
    them its keys become free, so that the corrected file can be recorded.
    Activities that somebody reversed before are passed over.

    Returns:
        Whether chunks may be left.
    """
    upload = Upload.objects.get(pk=upload_id)
    if upload.status != UploadStatus.UNDOING:
        return False
    step = upload.steps.filter(status=UploadStatus.UNDOING).order_by("-pk").first()
    by = _By.of(upload, step)
    while (now := clock()) < until and not jobs.is_stopping():
        try:
            is_done = _step(upload, by, now)
        except (OperationalError, InterfaceError):
            # Of the database, not of the file: a sweep goes on with it.
            raise
        except NeverDone:
            _stop(upload_id, jobs.gave_up("The undoing of this file"), now)
            return False
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody is told)
            what = f"Undoing upload {upload_id}"
            _stop(upload_id, jobs.sentence_of(error, what), now)
            return False
        if is_done is None:
            # Somebody has just taken the last chunk, and perhaps died of it.
            time.sleep(_WAIT_SECONDS)
        elif is_done:
            staging.clear_rows(upload_id)
            return False
    return True


def _stop(upload_id: int, reason: str, now: datetime) -> None:
    """Leave an undoing that cannot go on; a person may begin it again."""
    with transaction.atomic():
        stopped = Upload.objects.filter(
            pk=upload_id, status=UploadStatus.UNDOING
        ).update(
            status=UploadStatus.CANCELLED,
            failure=f"Undoing stopped. {reason}",
            phase="",
            finished_at=now,
        )
        if stopped:
            UploadStep.objects.create(
                upload_id=upload_id, status=UploadStatus.CANCELLED, happened_at=now
            )


def _step(upload: Upload, by: _By, now: datetime) -> bool | None:
    """Reverse a chunk: False. Without any, whether all is undone, None if not."""
    if _undo_next(upload, by, now):
        return False
    return _finish(upload.pk, now) or None


def _undo_next(upload: Upload, by: _By, now: datetime) -> bool:
    """Reverse one chunk; False if there was none to take."""
    chunk_id = take_chunk(upload.pk, ChunkStatus.DONE, UploadStatus.UNDOING)
    if chunk_id is None:
        return False
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                chunk = lock_chunk(chunk_id, ChunkStatus.DONE, UploadStatus.UNDOING)
                if chunk is not None:
                    _reverse(upload, chunk, by, now)
        except OperationalError:
            if not tries_left:
                raise
        else:
            return True
    raise AssertionError("unreachable")


def _reverse(upload: Upload, chunk: UploadChunk, by: _By, now: datetime) -> None:
    reversed_ids = reverse_activities(
        upload.program_id,
        chunk.activity_ids,
        now=now,
        reason=by.reason,
        actor=by.actor,
        frees_keys=True,
    )
    UploadChunk.objects.filter(pk=chunk.pk).update(
        status=ChunkStatus.UNDONE, reversed_count=len(reversed_ids), tries=0
    )
    Upload.objects.filter(pk=upload.pk).update(
        reversed_count=F("reversed_count") + len(reversed_ids),
        phase_done=F("phase_done") + len(chunk.activity_ids),
        touched_at=Now(),
    )


def _finish(upload_id: int, now: datetime) -> bool:
    """End the undoing if nothing is left; False if there is more to reverse.

    Waits for workers that still record or reverse a chunk.
    """
    with transaction.atomic():
        chunks = UploadChunk.objects.select_for_update().filter(
            upload_id=upload_id, status__in=(ChunkStatus.PENDING, ChunkStatus.DONE)
        )
        statuses = chunks.order_by("pk").values_list("status", flat=True)
        if ChunkStatus.DONE in set(statuses.iterator(chunk_size=1_000)):
            return False
        upload = Upload.objects.select_for_update(no_key=True).get(pk=upload_id)
        if upload.status == UploadStatus.UNDOING:
            finish(upload_id, UploadStatus.UNDONE, now, actor="")
    return True
