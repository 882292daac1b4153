"""Finding uploads whose worker died, so that their work is queued again."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from activities.models import ChunkStatus, UploadChunk
from activities.services.uploads.leases import LEASE_SECONDS

TASKS_AT_ONCE = 4
_SWEPT_AGAIN_AFTER_SECONDS = 60


class Stalled(NamedTuple):
    """An upload that should be moving and is not."""

    upload_id: int
    status: str


def stalled_uploads() -> list[Stalled]:
    """Return uploads that made no progress lately; each at most once a minute.

    Ended uploads with rows that nobody needs any more are among them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE activities_upload SET swept_at = clock_timestamp()
            WHERE (
                (status IN ('uploaded', 'validating', 'running', 'undoing')
                 AND coalesce(touched_at, created_at)
                     < clock_timestamp() - make_interval(secs => %(stalled)s))
                OR (status IN ('cancelled', 'failed', 'undone') AND EXISTS (
                    SELECT FROM activities_uploadrow r
                    WHERE r.upload_id = activities_upload.id))
            ) AND (swept_at IS NULL
                   OR swept_at < clock_timestamp() - make_interval(secs => %(again)s))
            RETURNING id, status
            """,
            {"stalled": LEASE_SECONDS, "again": _SWEPT_AGAIN_AFTER_SECONDS},
        )
        return list(map(Stalled._make, cursor.fetchall()))


def useful_task_count(upload_id: int) -> int:
    """Return how many workers an upload can keep busy at once; at least one."""
    chunks = UploadChunk.objects.filter(upload_id=upload_id)
    waiting = chunks.exclude(status=ChunkStatus.UNDONE)[:TASKS_AT_ONCE].count()
    return max(waiting, 1)
