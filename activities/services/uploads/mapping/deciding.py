"""Deciding how a file is read: by its mapping, by a saved one, or natively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from activities.models import UploadFormat
from activities.services.uploads.mapping.looking import (
    completed,
    first_question,
    guessed,
    native_mapping,
    saved_mapping_for,
)
from activities.services.uploads.mapping.sampling import sample_as_json
from activities.services.uploads.mapping.values import Mapping, read_mapping
from activities.services.uploads.tables import first_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from activities.models import Upload
    from activities.services.uploads.mapping.guessing import Sample


@dataclass(frozen=True, slots=True)
class Decision:
    """How a file is read, or what must be asked before.

    ``mapping`` is completed from a guess; ``given`` is what somebody said.
    """

    mapping: Mapping
    given: Mapping
    question: dict[str, Any] | None = None
    delimiter: str = ","


def decide(upload: Upload, stream: IO[bytes], look: Callable[[], None]) -> Decision:
    """Look at the first rows of an upload; sets ``upload.sample`` and its mapping.

    Raises:
        UnusableFile: not even its first rows can be read.
    """
    given = read_mapping(upload.mapping)
    if upload.format == UploadFormat.JSON_LINES:
        return Decision(given, given)
    sample = first_rows(upload, stream, look, given)
    upload.sample = sample_as_json(sample)
    if upload.mapping and not given.columns:
        return Decision(given, given, None, sample.dialect.delimiter)
    if not upload.mapping:
        saved = saved_mapping_for(upload, sample.header)
        if saved is None:
            return _without_mapping(upload, sample)
        upload.saved_mapping, upload.mapping = saved, saved.content
        given = read_mapping(saved.content)
        if (given.encoding, given.delimiter) != ("", ""):
            sample = first_rows(upload, stream, look, given)
            upload.sample = sample_as_json(sample)
    mapping = completed(given, guessed(upload, sample))
    question = first_question(upload, mapping, sample)
    return Decision(mapping, given, question, sample.dialect.delimiter)


def _without_mapping(upload: Upload, sample: Sample) -> Decision:
    found = native_mapping(upload, sample)
    if found is None:
        return Decision(Mapping(), Mapping(), None, sample.dialect.delimiter)
    question = first_question(upload, found, sample) or {
        "code": "columns",
        "text": "Nobody has said yet how a file with these columns is read. Check the "
        "guess.",
    }
    # Nobody has seen yet how it is read: the columns come before all else.
    return Decision(found, Mapping(), {**question, "code": "columns"})
