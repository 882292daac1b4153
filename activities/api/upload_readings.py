"""How uploads are read, as the API tells and takes it; saved mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from rest_framework import serializers

from activities.models import Upload, UploadMapping
from activities.services import uploads
from loyalty.api.fields import moment_text
from loyalty.api.problems import invalid_at

if TYPE_CHECKING:
    from datetime import datetime

_BODY = frozenset({"mapping", "answers", "save_as"})


class _Texts(serializers.DictField):
    child = serializers.CharField(allow_blank=True)


class MappingContent(serializers.Serializer[Any]):
    """How the columns and cells of a file are read; empty text is undecided."""

    columns = _Texts(
        help_text="The field of each column by its name in the header: `key`, "
        "`member`, `occurred_at`, `time` (beside a date), `type`, `channel`, "
        "`business_unit`, `value`, `currency`, `item_id`, `item_value`, "
        "`item_quantity`, `item_group`, `data` to keep it with the activity, or empty "
        "to leave it out."
    )
    constants = _Texts(
        help_text="What holds for every row: `time`, `type`, `channel`, "
        "`business_unit`, `currency`."
    )
    translations = serializers.DictField(
        child=_Texts(), help_text='`{"type": {"Einkauf": "PURCHASE"}}`.'
    )
    date_format = serializers.CharField(help_text="`iso`, `dmy`, `mdy` or `ymd`.")
    zone = serializers.CharField(help_text="Empty: the program's.")
    decimal_sign = serializers.CharField()
    thousands_sign = serializers.CharField()
    encoding = serializers.CharField(help_text="`utf-8`, `utf-16`, `windows-1252`.")
    delimiter = serializers.CharField()
    identity_kind = serializers.CharField(help_text="Empty: the upload's.")
    widths = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="To how many digits numbers of `member` or `item_id` are filled up "
        "with leading zeros.",
    )
    answers = _Texts(help_text="What was answered about unsure cells.")


class QuestionAnswer(serializers.Serializer[Any]):
    """What has to be answered before the check goes on."""

    code = serializers.CharField(
        help_text="`columns` (send a `mapping`), `dates`, `numbers`, `scientific`, "
        "`point_zero` or `similar_members`."
    )
    text = serializers.CharField()
    count = serializers.IntegerField(required=False)
    columns = serializers.ListField(child=serializers.CharField(), required=False)
    examples = serializers.ListField(child=serializers.DictField(), required=False)
    choices = serializers.ListField(child=serializers.DictField())


class _PreviewRow(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    values = serializers.DictField(child=serializers.CharField())
    problems = serializers.DictField(child=serializers.CharField())
    is_new_member = serializers.BooleanField()


class ReadingAnswer(serializers.Serializer[Any]):
    """How a file is read, with its first rows so read."""

    mapping = MappingContent()
    is_guess = serializers.BooleanField(help_text="Nobody has confirmed it yet.")
    header = serializers.ListField(child=serializers.CharField())
    rows = _PreviewRow(many=True)
    questions = QuestionAnswer(many=True)


class ReadingBody(serializers.Serializer[Any]):
    """How the file is to be read. All members are optional."""

    mapping = MappingContent(required=False)
    answers = _Texts(required=False, help_text="By the `code` of the question.")
    save_as = serializers.CharField(
        required=False, help_text="Save the mapping under this name."
    )


class MappingBody(serializers.Serializer[Any]):
    """A mapping to save."""

    name = serializers.CharField(max_length=100)
    header = serializers.ListField(child=serializers.CharField())
    content = MappingContent()


class MappingAnswer(MappingBody):
    """A saved mapping; it is found by a file's header, whatever the order."""

    id = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


def question_bodies(upload: Upload) -> list[dict[str, Any]]:
    """Return what the check asked, with sentences and choices."""
    return [uploads.asked(question) for question in upload.questions]


def reading_body(upload: Upload) -> dict[str, Any]:
    """Return how an upload is read; the guess where nobody has said."""
    content = uploads.reading_of(upload)
    mapping = uploads.mapping_of(content)
    rows = uploads.preview(upload, mapping) if mapping.columns else []
    return {
        "mapping": content,
        "is_guess": not upload.mapping.get("columns"),
        "header": upload.sample.get("header", []),
        "rows": [
            {
                "line": row.line,
                "values": row.values,
                "problems": row.problems,
                "is_new_member": row.is_new_member,
            }
            for row in rows
        ],
        "questions": question_bodies(upload),
    }


def reading_in(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body whose members are of the right kinds.

    Raises:
        Problem: 400, a member is unknown or of the wrong kind.
    """
    for name, value in body.items():
        if name not in _BODY:
            detail = f"Unknown field “{name[:100]}”."
            raise invalid_at(f"/{name[:100]}", "unknown_member", detail)
        kind: type = str if name == "save_as" else dict
        if not isinstance(value, kind):
            word = "text" if kind is str else "an object"
            raise invalid_at(f"/{name}", "invalid", f"Must be {word}.")
    answers = body.get("answers", {})
    if not all(isinstance(one, str) for one in answers.values()):
        raise invalid_at("/answers", "invalid", "Must hold text.")
    return body


def take_reading(
    upload: Upload, body: dict[str, Any], *, actor: str, now: datetime
) -> Upload:
    """Read an upload anew as a body says.

    Raises:
        InvalidMapping: the mapping or an answer makes no sense.
        UploadNotReady: it is being checked, or was confirmed.
    """
    answers, save_as = body.get("answers", {}), body.get("save_as", "")
    if "mapping" not in body:
        return uploads.answer_questions(
            upload, answers, actor=actor, now=now, save_as=save_as
        )
    content = uploads.reading_of(upload) | body["mapping"]
    mapping = uploads.mapping_of(content).answered(answers)
    return uploads.read_anew(upload, mapping, actor=actor, now=now, save_as=save_as)


def mapping_named(text: str, program_id: int) -> dict[str, Any]:
    """Return the options of an upload that names its mapping or brings it along.

    Raises:
        Problem: 400, JSON that is no object; 422, no mapping has this name.
        InvalidMapping: the mapping makes no sense.
    """
    if not text.lstrip().startswith("{"):
        saved = UploadMapping.objects.filter(program=program_id, name=text).first()
        if saved is None:
            raise uploads.InvalidMapping(
                f"No mapping is called “{text[:100]}”.", field="mapping"
            )
        return {"mapping": uploads.mapping_of(saved.content), "saved_mapping": saved}
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise invalid_at("/mapping", "invalid", "Must be a name or JSON.") from None
    return {"mapping": uploads.mapping_of(content)}


def mapping_body(saved: UploadMapping) -> dict[str, Any]:
    """Return a saved mapping."""
    return {
        "id": saved.pk,
        "name": saved.name,
        "header": saved.header,
        "content": uploads.mapping_of(saved.content).as_json(),
        "updated_at": moment_text(saved.updated_at),
    }
