"""Taking chunks: each by one worker, committed together with its mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models.functions import Now

from activities.models import (
    ChunkStatus,
    Upload,
    UploadChunk,
    UploadPhase,
    UploadStatus,
    UploadStep,
)

if TYPE_CHECKING:
    from datetime import datetime


def clock() -> datetime:
    """Return the database's clock, which all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def take_chunk(
    upload_id: int, wanted: ChunkStatus, while_status: UploadStatus
) -> UploadChunk | None:
    """Lock the next chunk that nobody else has; None if there is none.

    The upload's status is read after the lock. Ending an upload locks its chunks
    first, so nobody can work on a chunk of an upload that ended.
    """
    chunks = UploadChunk.objects.select_for_update(skip_locked=True)
    chunk = chunks.filter(upload_id=upload_id, status=wanted).order_by("number").first()
    if chunk is None:
        return None
    upload = Upload.objects.filter(pk=upload_id, status=while_status)
    return chunk if upload.exists() else None


def finish(upload_id: int, status: UploadStatus, now: datetime, actor: str) -> None:
    """Move a locked upload to its end."""
    Upload.objects.filter(pk=upload_id).update(
        status=status, phase=UploadPhase.NONE, finished_at=now, touched_at=Now()
    )
    UploadStep.objects.create(
        upload_id=upload_id, status=status, actor=actor, happened_at=now
    )
