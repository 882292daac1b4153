"""A first look at a file: its header and first rows, and how it would be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from activities.models import UploadMapping
from activities.services.uploads.layout import (
    KNOWN_COLUMNS,
    REQUIRED_COLUMNS,
    known_name,
)
from activities.services.uploads.mapping.guessing import (
    Sample,
    Vocabulary,
    guess,
    is_spelled_natively,
    moments_of,
)
from activities.services.uploads.mapping.spelling import has_time
from activities.services.uploads.mapping.values import (
    LABELS,
    TIME,
    Mapping,
    fingerprint_of,
)
from loyalty.models import ActivityType, BusinessUnit, Channel, Identity
from loyalty.services.tables.workbooks import Typed

if TYPE_CHECKING:
    from activities.models import Upload

_IDENTITIES = 500


def vocabulary_of(upload: Upload) -> Vocabulary:
    """Return what the upload's program calls things."""
    codes = {
        name: dict(
            model._default_manager.filter(program=upload.program_id, is_enabled=True)
            .order_by("pk")
            .values_list("code", "name")[:1000]
        )
        for name, model in (
            ("type", ActivityType),
            ("channel", Channel),
            ("business_unit", BusinessUnit),
        )
    }
    identities = Identity.objects.filter(program=upload.program_id)
    kinds = tuple(sorted(identities.values_list("kind", flat=True).distinct()))
    named = identities.filter(kind=upload.identity_kind).order_by("-pk")
    values = list(named.values_list("value", flat=True)[:_IDENTITIES])
    widths = {len(value) if value.isdigit() else 0 for value in values}
    width = widths.pop() if len(widths) == 1 else 0
    return Vocabulary(codes, kinds, width)


def is_native(sample: Sample) -> bool:
    """Return whether a header names its columns as the native format does.

    A file that has most of them is meant to be native; what it lacks is said.
    """
    names = {known_name(name) for name in sample.header}
    return set(REQUIRED_COLUMNS) <= names


def lacks_native_names(header: list[str]) -> bool:
    """Return whether a header has none of the native names."""
    return not any(known_name(name) in KNOWN_COLUMNS for name in header)


def saved_mapping_for(upload: Upload, header: list[str]) -> UploadMapping | None:
    """Return the mapping last saved for files with this header."""
    rows = UploadMapping.objects.filter(
        program=upload.program_id, fingerprint=fingerprint_of(header)
    )
    return rows.order_by("-updated_at", "-pk").first()


def guessed(upload: Upload, sample: Sample) -> Mapping:
    """Return how the upload is probably read."""
    return guess(sample, vocabulary_of(upload))


def completed(given: Mapping, guess: Mapping) -> Mapping:
    """Return a mapping whose undecided matters are filled from a guess."""
    changes: dict[str, Any] = {}
    if given.columns and not given.date_format:
        changes["date_format"] = guess.date_format
    if given.columns and not given.decimal_sign:
        changes["decimal_sign"] = guess.decimal_sign
        changes["thousands_sign"] = guess.thousands_sign
    return replace(given, **changes)


def first_question(
    upload: Upload, mapping: Mapping, sample: Sample
) -> dict[str, Any] | None:
    """Return what must be answered before the file can be read at all; None if naught.

    ``columns`` asks for the mapping, with a sentence; ``dates`` which of day and
    month comes first.
    """
    has_type = upload.default_activity_type_id is not None
    missing = mapping.missing(has_default_type=has_type)
    absent = [name for name in mapping.columns if name not in sample.header]
    lost = [name for name in absent if mapping.columns[name] not in ("", "data")]
    if lost:
        names = ", ".join(f"“{name}”" for name in lost)
        return {
            "code": "columns",
            "text": f"The file has no column {names}, which its mapping names.",
        }
    if missing:
        names = ", ".join(f"{LABELS[name]} (“{name}”)" for name in missing)
        return {
            "code": "columns",
            "text": f"Nothing in the file is known to be the {names}. Say which column "
            "it is.",
        }
    fields = {
        place: mapping.columns.get(name, "") for place, name in enumerate(sample.header)
    }
    moments = moments_of(sample, fields)
    has_times = TIME in mapping.constants or any(map(has_time, moments))
    if moments and not has_times and not any(type(one) is Typed for one in moments):
        return {
            "code": "columns",
            "text": "The dates have no time of day. Match the column that holds it, or "
            "set one time for all rows.",
        }
    if not mapping.date_format:
        columns = mapping.named("occurred_at")
        return {
            "code": "dates",
            "count": len(moments),
            "columns": columns,
            "examples": [
                {"line": line, "column": columns[0], "text": moment[:60]}
                for (line, _), moment in zip(sample.rows, moments, strict=False)
            ][:5],
        }
    return None


def native_mapping(upload: Upload, sample: Sample) -> Mapping | None:
    """Return None if the file is read as the native format, else the guess."""
    found = guessed(upload, sample)
    if is_native(sample) and is_spelled_natively(sample, found):
        return None
    return found
