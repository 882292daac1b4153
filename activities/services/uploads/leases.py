"""One worker checks an upload: it holds a lease by number and keeps it alive."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection

from activities.models import UploadPhase, UploadStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LEASE_SECONDS = 20
_BEAT_SECONDS = 5


class Superseded(Exception):
    """Another worker took over, or the upload was cancelled."""


class Lease:
    """The right to check one upload, until somebody takes it over."""

    def __init__(self, upload_id: int, attempt: int, now: datetime) -> None:
        """``now`` is the moment at which the check began."""
        self.upload_id = upload_id
        self.attempt = attempt
        self.now = now

    def write(self, **changes: Any) -> None:
        """Write to the upload's row, inside the caller's transaction.

        Locks the row, so that nobody takes over before the caller commits.

        Raises:
            Superseded: the lease is lost.
        """
        names = "".join(f", {name} = %({name})s" for name in changes)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE activities_upload SET touched_at = clock_timestamp(){names}"  # noqa: S608 (own names)
                " WHERE id = %(id)s AND status = %(held)s AND attempt = %(attempt)s",
                {
                    **changes,
                    "id": self.upload_id,
                    "held": UploadStatus.VALIDATING.value,
                    "attempt": self.attempt,
                },
            )
            if not cursor.rowcount:
                raise Superseded

    def begin_phase(self, phase: UploadPhase, total: int) -> None:
        """Start counting progress anew."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            started_at = cursor.fetchone()[0]
        self.write(
            phase=phase.value,
            phase_started_at=started_at,
            phase_offset=0,
            phase_done=0,
            phase_total=total,
        )

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Keep the lease while one statement takes long."""
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(done,), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()

    def _beat(self, done: threading.Event) -> None:
        try:
            while not done.wait(_BEAT_SECONDS):
                self.write()
        except Superseded:
            pass
        finally:
            connection.close()


def take_lease(upload_id: int) -> Lease | None:
    """Claim the check of an upload that nobody is checking; None if somebody is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE activities_upload SET status = 'validating', attempt = attempt + 1,
                touched_at = clock_timestamp(), phase = 'reading',
                phase_started_at = clock_timestamp(), phase_offset = 0,
                phase_done = 0, phase_total = size_bytes, failure = '',
                line_count = 0, activity_count = 0, refused_count = 0,
                duplicate_count = 0, dry_run = '{}'
            WHERE id = %s AND (status = 'uploaded' OR (status = 'validating' AND
                touched_at < clock_timestamp() - make_interval(secs => %s)))
            RETURNING attempt, clock_timestamp()
            """,
            [upload_id, LEASE_SECONDS],
        )
        row = cursor.fetchone()
    return Lease(upload_id, *row) if row else None
