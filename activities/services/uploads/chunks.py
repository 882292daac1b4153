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
from loyalty.services import jobs

if TYPE_CHECKING:
    from datetime import datetime

# From counting an attempt at a chunk to locking it; much less, really.
_CLAIMED_SECONDS = 2


def clock() -> datetime:
    """Return the database's clock, which all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


class NeverDone(Exception):
    """A chunk was begun again and again and never came to an end."""


def take_chunk(
    upload_id: int, wanted: ChunkStatus, while_status: UploadStatus
) -> int | None:
    """Count an attempt at the next chunk that nobody has; None if there is none.

    Commits, so that an attempt counts whose process is killed. The chunk is the
    caller's for a moment, in which it is to be locked by ``lock_chunk``.

    Raises:
        NeverDone: its attempts are used up; none is counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE activities_uploadchunk SET tries = least(tries + 1, 1000),
                claimed_at = clock_timestamp()
            WHERE id = (
                SELECT c.id FROM activities_uploadchunk c
                JOIN activities_upload u ON u.id = c.upload_id
                WHERE c.upload_id = %s AND c.status = %s AND u.status = %s
                  AND (c.claimed_at IS NULL OR c.claimed_at
                       < clock_timestamp() - make_interval(secs => %s))
                ORDER BY c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
            ) RETURNING id, tries
            """,
            [upload_id, wanted.value, while_status.value, _CLAIMED_SECONDS],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    chunk_id, tries = row
    if tries > jobs.ATTEMPTS_MAX:
        raise NeverDone
    return int(chunk_id)


def lock_chunk(
    chunk_id: int, wanted: ChunkStatus, while_status: UploadStatus
) -> UploadChunk | None:
    """Lock a chunk for the caller's transaction; None if it is no longer to be done.

    The upload's status is read after the lock. Ending an upload locks its chunks
    first, so nobody can work on a chunk of an upload that ended.
    """
    chunks = UploadChunk.objects.select_for_update(skip_locked=True)
    chunk = chunks.filter(pk=chunk_id, status=wanted).first()
    if chunk is None:
        return None
    upload = Upload.objects.filter(pk=chunk.upload_id, status=while_status)
    return chunk if upload.exists() else None


def count_anew(upload_id: int) -> None:
    """Forget the attempts at an upload's chunks: a person starts it again."""
    # Whoever works on a chunk waits for the upload's row, which the caller holds.
    counted = UploadChunk.objects.select_for_update(skip_locked=True)
    rows = counted.filter(upload_id=upload_id, tries__gt=0).values("pk")
    UploadChunk.objects.filter(pk__in=rows).update(tries=0, claimed_at=None)


def finish(upload_id: int, status: UploadStatus, now: datetime, actor: str) -> None:
    """Move a locked upload to its end."""
    Upload.objects.filter(pk=upload_id).update(
        status=status, phase=UploadPhase.NONE, finished_at=now, touched_at=Now()
    )
    UploadStep.objects.create(
        upload_id=upload_id, status=status, actor=actor, happened_at=now
    )
