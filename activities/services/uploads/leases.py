"""One worker checks an upload: it holds a lease by number and keeps it alive."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

from activities.models import UploadPhase, UploadStatus
from loyalty.services import jobs
from loyalty.services.jobs import LEASE_SECONDS, Superseded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.services.jobs import Lease

__all__ = ["CHECK", "LEASE_SECONDS", "Superseded", "begin_phase", "kept_alive"]

_BEAT_SECONDS = 5

CHECK = jobs.Kind(
    what="The check of this file",
    table="activities_upload",
    waiting=UploadStatus.UPLOADED.value,
    held=UploadStatus.VALIDATING.value,
    starting="phase = 'reading', phase_started_at = clock_timestamp(),"
    " phase_offset = 0, phase_done = 0, phase_total = size_bytes, failure = '',"
    " line_count = 0, activity_count = 0, refused_count = 0, duplicate_count = 0,"
    " dry_run = '{}', questions = '[]'",
)


def begin_phase(lease: Lease, phase: UploadPhase, total: int) -> None:
    """Start counting progress anew.

    Raises:
        Superseded: the lease is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        started_at = cursor.fetchone()[0]
    lease.write(
        phase=phase.value,
        phase_started_at=started_at,
        phase_offset=0,
        phase_done=0,
        phase_total=total,
    )


@contextmanager
def kept_alive(lease: Lease) -> Iterator[None]:
    """Keep the lease while one statement takes long."""
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(lease, done), daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join()


def _beat(lease: Lease, done: threading.Event) -> None:
    try:
        while not done.wait(_BEAT_SECONDS):
            lease.write()
    except Superseded:
        pass
    finally:
        connection.close()
