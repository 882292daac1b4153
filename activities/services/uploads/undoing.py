"""Undoing an upload: exactly the activities that it recorded, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from activities.models import (
    ChunkStatus,
    Upload,
    UploadChunk,
    UploadStatus,
)
from activities.services.reversing import reverse_activities
from activities.services.uploads import staging
from activities.services.uploads.chunks import clock, finish, take_chunk

if TYPE_CHECKING:
    from datetime import datetime

_TRIES = 4


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
    actor = step.actor if step else ""
    while (now := clock()) < until:
        if not _undo_next(upload, actor, now) and _finish(upload_id, now):
            staging.clear_rows(upload_id)
            return False
    return True


def _undo_next(upload: Upload, actor: str, now: datetime) -> bool:
    """Reverse one chunk; False if there was none to take."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                chunk = take_chunk(upload.pk, ChunkStatus.DONE, UploadStatus.UNDOING)
                if chunk is None:
                    return False
                _reverse(upload, chunk, actor, now)
        except OperationalError:
            if not tries_left:
                raise
        else:
            return True
    raise AssertionError("unreachable")


def _reverse(upload: Upload, chunk: UploadChunk, actor: str, now: datetime) -> None:
    reversed_ids = reverse_activities(
        upload.program_id,
        chunk.activity_ids,
        now=now,
        reason=f"Upload {upload.pk} was undone",
        actor=actor,
        frees_keys=True,
    )
    UploadChunk.objects.filter(pk=chunk.pk).update(
        status=ChunkStatus.UNDONE, reversed_count=len(reversed_ids)
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
