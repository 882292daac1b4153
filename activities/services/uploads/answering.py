"""What people say about how a file is read: its mapping, and answers to questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import transaction

from activities.models import (
    Upload,
    UploadMapping,
    UploadPhase,
    UploadStatus,
    UploadStep,
)
from activities.services.uploads.mapping.looking import guessed
from activities.services.uploads.mapping.sampling import stored_sample
from activities.services.uploads.mapping.values import (
    KEEP,
    InvalidMapping,
    Mapping,
    fingerprint_of,
    read_mapping,
)
from activities.services.uploads.refusals import UploadNotReady

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from loyalty.models import Program

REREADABLE = (UploadStatus.QUESTIONS, UploadStatus.VALIDATED, UploadStatus.FAILED)
_FOR_NATIVE = ("numbers", "dates")
_NAME_MAX = 100


def read_anew(
    upload: Upload,
    mapping: Mapping,
    *,
    actor: str,
    now: datetime,
    save_as: str = "",
) -> Upload:
    """Have a file checked again, read as ``mapping`` says; returns the fresh row.

    ``save_as`` saves the mapping under a name, for files with the same header.

    Raises:
        UploadNotReady: it is being checked, or its points are being awarded.
        InvalidMapping: the name is too long.
    """
    with transaction.atomic():
        fresh = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
        if fresh.status not in REREADABLE:
            label = UploadStatus(fresh.status).label.lower()
            raise UploadNotReady(
                f"How this upload is read cannot be changed: it is “{label}”.",
                upload_status=fresh.status,
            )
        fresh.mapping = mapping.as_json()
        if save_as.strip():
            fresh.saved_mapping = save_mapping(
                fresh.program,
                save_as,
                fresh.sample.get("header", []),
                mapping,
                actor=actor,
                now=now,
            )
        fresh.status = UploadStatus.UPLOADED
        fresh.phase, fresh.failure, fresh.questions = UploadPhase.NONE, "", []
        fresh.touched_at = now
        fresh.save()
        UploadStep.objects.create(
            upload=fresh, status=fresh.status, actor=actor[:150], happened_at=now
        )
    return fresh


def answer_questions(
    upload: Upload,
    answers: dict[str, str],
    *,
    actor: str,
    now: datetime,
    save_as: str = "",
) -> Upload:
    """Answer what the check asked, and have it go on; returns the fresh row.

    Raises:
        InvalidMapping: a question is not answered, or the answer does not exist.
        UploadNotReady: nothing is asked.
    """
    for question in upload.questions:
        code = question["code"]
        if code == "columns":
            raise InvalidMapping("Say which column is what.", field="mapping")
        if code not in answers:
            raise InvalidMapping("Choose an answer.", field=f"answers/{code}")
    mapping = mapping_with(upload, answers)
    return read_anew(upload, mapping, actor=actor, now=now, save_as=save_as)


def mapping_with(upload: Upload, answers: dict[str, str]) -> Mapping:
    """Return the upload's mapping with questions answered.

    Raises:
        InvalidMapping: a question or an answer that does not exist.
    """
    mapping = read_mapping(upload.mapping)
    needs_columns = any(code in _FOR_NATIVE for code in answers)
    if needs_columns and not mapping.columns and upload.sample:
        found = guessed(upload, stored_sample(upload))
        # Native files are guessed whole, so that only the answer changes.
        mapping = replace(found, answers=mapping.answers)
    return mapping.answered(answers)


def save_mapping(
    program: Program,
    name: str,
    header: Sequence[str],
    mapping: Mapping,
    *,
    actor: str,
    now: datetime,
) -> UploadMapping:
    """Save a mapping under a name; one of this name is replaced.

    Raises:
        InvalidMapping: the name is blank or too long.
    """
    name = name.strip()
    if not name or len(name) > _NAME_MAX or not name.isprintable():
        raise InvalidMapping(f"Must be 1 to {_NAME_MAX} characters.", field="name")
    saved, _ = UploadMapping.objects.update_or_create(
        program=program,
        name=name,
        defaults={
            "header": list(header),
            "fingerprint": fingerprint_of(header),
            "content": mapping.as_json(),
            "updated_by": actor[:150],
            "updated_at": now,
        },
    )
    return saved


def reading_of(upload: Upload) -> dict[str, Any]:
    """Return how the upload is read: its mapping, or the guess where it has none.

    Columns that the mapping does not name are guessed.
    """
    stored = read_mapping(upload.mapping)
    header = upload.sample.get("header", [])
    is_whole = set(filter(None, header)) <= stored.columns.keys()
    if not upload.sample or (stored.columns and is_whole):
        return stored.as_json()
    found = guessed(upload, stored_sample(upload))
    if not stored.columns:
        return replace(found, answers=stored.answers).as_json()
    kept = {name: one for name, one in stored.columns.items() if name in header}
    taken = {*kept.values(), *stored.constants} - {KEEP, ""}
    columns = {
        name: kept.get(name, KEEP if one in taken else one)
        for name, one in found.columns.items()
    }
    return replace(stored, columns=columns).as_json()
