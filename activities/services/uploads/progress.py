"""How far an upload is, in one cheap query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models.functions import Now

from activities.models import Upload, UploadPhase, UploadStatus

_AT_WORK = (UploadStatus.VALIDATING, UploadStatus.RUNNING, UploadStatus.UNDOING)


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload is.

    ``percent`` is 0 to 100 within the phase. ``rows_per_second`` and
    ``seconds_left`` are None where nothing moves or it is too early to say.
    ``line_count`` counts rows of the file, the other counts are of activities.
    """

    status: str
    phase: str
    percent: int
    line_count: int
    activity_count: int
    recorded_count: int
    duplicate_count: int
    refused_count: int
    reversed_count: int
    rows_per_second: int | None
    seconds_left: int | None
    failure: str


def upload_progress(upload: Upload) -> UploadProgress:
    """Return how far an upload is by now; one query."""
    fresh = Upload.objects.annotate(clock=Now()).defer("dry_run").get(pk=upload.pk)
    is_at_work = fresh.status in _AT_WORK
    seconds = _seconds_at_work(fresh, fresh.clock) if is_at_work else 0
    done_here = fresh.phase_done - fresh.phase_offset
    left = max(fresh.phase_total - fresh.phase_done, 0)
    seconds_left = None
    if seconds >= 1 and done_here > 0:
        seconds_left = round(left * seconds / done_here)
    return UploadProgress(
        status=fresh.status,
        phase=fresh.phase if is_at_work else UploadPhase.NONE.value,
        percent=_percent(fresh),
        line_count=fresh.line_count,
        activity_count=fresh.activity_count,
        recorded_count=fresh.recorded_count,
        duplicate_count=fresh.duplicate_count,
        refused_count=fresh.refused_count,
        reversed_count=fresh.reversed_count,
        rows_per_second=_rate(fresh, done_here, seconds),
        seconds_left=seconds_left,
        failure=fresh.failure,
    )


def _seconds_at_work(upload: Upload, now: datetime) -> int:
    started_at = upload.phase_started_at or datetime.max.replace(tzinfo=UTC)
    return max(int((now - started_at).total_seconds()), 0)


def _percent(upload: Upload) -> int:
    if upload.status in (UploadStatus.FINISHED, UploadStatus.UNDONE):
        return 100
    if not upload.phase_total:
        return 0
    return min(100 * upload.phase_done // upload.phase_total, 100)


def _rate(upload: Upload, done_here: int, seconds: int) -> int | None:
    """Return lines per second while reading, else activities per second."""
    if seconds < 1:
        return None
    if upload.phase == UploadPhase.READING:
        return upload.line_count // seconds
    if upload.phase in (UploadPhase.RECORDING, UploadPhase.UNDOING):
        return done_here // seconds
    return None
