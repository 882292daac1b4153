"""The steps that people take: upload, confirm, pause, resume, cancel, undo."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from django.conf import settings
from django.db import transaction

from activities.models import (
    UnknownMemberPolicy,
    Upload,
    UploadFormat,
    UploadPhase,
    UploadStatus,
    UploadStep,
)
from activities.services.commands import RECEIPTS
from activities.services.uploads.chunks import count_anew
from activities.services.uploads.refusals import (
    FileTooLarge,
    InvalidSource,
    NothingToRecord,
    OtherProgram,
    UploadNotReady,
)
from activities.services.uploads.staging import clear_rows
from loyalty.services.tables.files import check_workbook, detect, plain_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.core.files import File

    from activities.models import UploadMapping
    from activities.services.uploads.mapping.values import Mapping
    from loyalty.models import ActivityType, BusinessUnit, Channel, Program


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How the rows of a file are read; the defaults are for rows that name none."""

    source: str = RECEIPTS
    identity_kind: str = "customer_id"
    unknown_members: str = UnknownMemberPolicy.REFUSE
    default_activity_type: ActivityType | None = None
    default_channel: Channel | None = None
    default_business_unit: BusinessUnit | None = None
    mapping: Mapping | None = None
    saved_mapping: UploadMapping | None = None


def create_upload(
    program: Program,
    file: File[bytes],
    *,
    now: datetime,
    options: UploadOptions | None = None,
    created_by: User | None = None,
    actor: str = "",
) -> Upload:
    """Keep a file of activities, to be checked.

    Args:
        program: to which all its activities belong.
        file: with a name; read in chunks, never whole.
        now: aware; counts as the moment at which the activities arrived.
        options: how to read the rows.
        created_by: who uploads in the admin.
        actor: who uploads, in words; the user if empty.

    Returns:
        The upload. ``same_file_as`` names an earlier one of the very same file,
        of which people should be warned.

    Raises:
        UnusableFile: empty, too large, of no known format, or packed too tightly.
        OtherProgram: a default belongs to another program.
        InvalidSource: the source or the kind of identity is missing or too long.
    """
    options = options or UploadOptions()
    _check_options(program, options)
    stream = cast("IO[bytes]", file.file)
    detected = detect(file.name or "", stream)
    size, digest = _measure(file)
    if detected.format is UploadFormat.XLSX and not detected.is_gzipped:
        check_workbook(stream)
    upload = Upload(
        program=program,
        original_name=plain_name(file.name or ""),
        format=detected.format,
        is_gzipped=detected.is_gzipped,
        size_bytes=size,
        sha256=digest,
        same_file_as=_same_file(program, digest),
        source=options.source,
        identity_kind=options.identity_kind,
        unknown_members=options.unknown_members,
        default_activity_type=options.default_activity_type,
        default_channel=options.default_channel,
        default_business_unit=options.default_business_unit,
        mapping=options.mapping.as_json() if options.mapping else {},
        saved_mapping=options.saved_mapping,
        created_by=created_by,
        created_at=now,
    )
    # The name on disk is the site's own: what people call a file is no path.
    suffix = f".{detected.format.value}{'.gz' if detected.is_gzipped else ''}"
    file.seek(0)
    upload.file.save(f"{uuid.uuid4().hex}{suffix}", file, save=False)
    try:
        with transaction.atomic():
            upload.save()
            _remember(upload, actor or str(created_by or ""), now)
    except BaseException:
        upload.file.delete(save=False)
        raise
    return upload


def _check_options(program: Program, options: UploadOptions) -> None:
    for field in ("default_activity_type", "default_channel", "default_business_unit"):
        row = getattr(options, field)
        if row is not None and row.program_id != program.pk:
            raise OtherProgram(f"“{row}” belongs to another program.", field=field)
    for field, limit in (("source", 20), ("identity_kind", 40)):
        text = getattr(options, field)
        if not text.strip() or len(text) > limit or not text.isprintable():
            raise InvalidSource(f"Give 1 to {limit} characters.", field=field)
    if options.unknown_members not in UnknownMemberPolicy.values:
        raise InvalidSource("Choose “refuse” or “create”.", field="unknown_members")


def _measure(file: File[bytes]) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    for chunk in file.chunks():
        size += len(chunk)
        if size > settings.UPLOAD_BYTES_MAX:
            megabytes = settings.UPLOAD_BYTES_MAX // (1024 * 1024)
            raise FileTooLarge(
                f"The file is larger than {megabytes:,} MB. Split it, or pack it with "
                "gzip.",
                field="file",
            )
        digest.update(chunk)
    return size, digest.hexdigest()


def _same_file(program: Program, digest: str) -> Upload | None:
    same = Upload.objects.filter(program=program, sha256=digest)
    return same.order_by("-pk").first()


def confirm_upload(upload: Upload, *, actor: str, now: datetime) -> Upload:
    """Let a checked upload run; returns the fresh row.

    Raises:
        UploadNotReady: it is not checked, or was confirmed before.
        NothingToRecord: the check found no good row.
    """
    with transaction.atomic():
        fresh = _locked(upload, (UploadStatus.VALIDATED,), "confirmed")
        if not fresh.activity_count:
            raise NothingToRecord("No row of this file can be recorded.")
        fresh.confirmed_at, fresh.confirmed_by = now, actor[:150]
        fresh.phase_total = fresh.activity_count
        fresh.phase_done = 0
        _start(fresh, UploadPhase.RECORDING, now)
        return _move(fresh, UploadStatus.RUNNING, actor, now)


def pause_upload(upload: Upload, *, actor: str, now: datetime) -> Upload:
    """Begin no further chunk; chunks under way end by themselves.

    Raises:
        UploadNotReady: it is not running.
    """
    with transaction.atomic():
        fresh = _locked(upload, (UploadStatus.RUNNING,), "paused")
        return _move(fresh, UploadStatus.PAUSED, actor, now)


def resume_upload(upload: Upload, *, actor: str, now: datetime) -> Upload:
    """Go on with a paused upload.

    Raises:
        UploadNotReady: it is not paused.
    """
    with transaction.atomic():
        fresh = _locked(upload, (UploadStatus.PAUSED,), "resumed")
        _start(fresh, UploadPhase.RECORDING, now)
        count_anew(fresh.pk)
        fresh.failure = ""
        return _move(fresh, UploadStatus.RUNNING, actor, now)


def check_again(upload: Upload, *, actor: str, now: datetime) -> Upload:
    """Let a file whose check failed be checked once more; attempts count anew.

    Raises:
        UploadNotReady: its check has not failed.
    """
    with transaction.atomic():
        fresh = _locked(upload, (UploadStatus.FAILED,), "checked again")
        fresh.tries = 0
        fresh.failure = ""
        fresh.touched_at = None
        return _move(fresh, UploadStatus.UPLOADED, actor, now)


_CANCELLABLE = (
    UploadStatus.UPLOADED,
    UploadStatus.VALIDATING,
    UploadStatus.QUESTIONS,
    UploadStatus.VALIDATED,
    UploadStatus.RUNNING,
    UploadStatus.PAUSED,
)


def cancel_upload(upload: Upload, *, actor: str, now: datetime) -> Upload:
    """Stop an upload for good; what is recorded stays, and can be undone.

    Raises:
        UploadNotReady: it has ended already.
    """
    with transaction.atomic():
        fresh = _locked(upload, _CANCELLABLE, "cancelled")
        fresh.finished_at = now
        fresh.phase = UploadPhase.NONE
        return _move(fresh, UploadStatus.CANCELLED, actor, now)


def clear_ended_upload(upload_id: int) -> None:
    """Delete the staged rows of an upload that will never record them."""
    ended = (UploadStatus.CANCELLED, UploadStatus.FAILED, UploadStatus.UNDONE)
    if Upload.objects.filter(pk=upload_id, status__in=ended).exists():
        clear_rows(upload_id)


_UNDOABLE = (UploadStatus.PAUSED, UploadStatus.FINISHED, UploadStatus.CANCELLED)
_UNDONE = (UploadStatus.UNDOING, UploadStatus.UNDONE)


def undo_upload(
    upload: Upload, *, actor: str, now: datetime, reason: str = ""
) -> Upload:
    """Reverse every activity that this upload recorded; a second time is a no-op.

    ``reason``, at most 150 characters, stands beside every reversal.

    Raises:
        UploadNotReady: it is still running, or never ran.
    """
    with transaction.atomic():
        fresh = _locked(upload, (*_UNDOABLE, *_UNDONE), "undone")
        if fresh.status in _UNDONE:
            return fresh
        fresh.phase_total = fresh.recorded_count
        fresh.phase_done = 0
        _start(fresh, UploadPhase.UNDOING, now)
        count_anew(fresh.pk)
        fresh.failure = ""
        return _move(fresh, UploadStatus.UNDOING, actor, now, reason)


def _locked(
    upload: Upload, allowed: Collection[UploadStatus], participle: str
) -> Upload:
    fresh = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
    if fresh.status not in allowed:
        label = UploadStatus(fresh.status).label.lower()
        raise UploadNotReady(
            f"This upload cannot be {participle}: it is “{label}”.",
            upload_status=fresh.status,
        )
    return fresh


def _start(upload: Upload, phase: UploadPhase, now: datetime) -> None:
    upload.phase = phase
    upload.phase_started_at = now
    upload.phase_offset = upload.phase_done
    upload.touched_at = now


def _move(
    upload: Upload, status: UploadStatus, actor: str, now: datetime, reason: str = ""
) -> Upload:
    upload.status = status
    upload.save()
    _remember(upload, actor, now, reason)
    return upload


def _remember(upload: Upload, actor: str, now: datetime, reason: str = "") -> None:
    UploadStep.objects.create(
        upload=upload,
        status=upload.status,
        actor=actor[:150],
        happened_at=now,
        reason=reason[:150],
    )
