"""Uploads as the API reads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
import orjson
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework import serializers
from rest_framework.parsers import BaseParser

from activities.api.upload_readings import (
    QuestionAnswer,
    mapping_named,
    question_bodies,
)
from activities.models import (
    UnknownMemberPolicy,
    Upload,
    UploadFormat,
    UploadPhase,
    UploadStatus,
)
from activities.services.commands import (
    RECEIPTS,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
)
from activities.services.uploads import UploadOptions, upload_progress
from loyalty.api.bodies import check_storable
from loyalty.api.fields import moment_text
from loyalty.api.filters import MomentFilter
from loyalty.api.points import points_of
from loyalty.api.problems import Problem, invalid_at
from loyalty.models import ActivityType, BusinessUnit, Channel, Wallet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import Model

    from activities.models import UploadRefusal


class UploadParser(BaseParser):
    """Reads a form with a file; the file is streamed to disk."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        """Return the texts and files by name.

        Raises:
            Problem: 400, the parts cannot be told apart.
        """
        try:
            parts = MultiPartParser(stream.META, stream, stream.upload_handlers)
            fields, files = parts.parse()
        except MultiPartParserError as error:
            raise Problem(400, "malformed_form", str(error)) from None
        check_storable(dict(fields.lists()))
        form = fields.copy()
        for name, some in files.lists():
            form.setlistdefault(name).extend(some)
        return form


class NewUpload(serializers.Serializer[Any]):
    """A file of activities; only ``file`` is needed."""

    file = serializers.FileField(
        help_text="CSV, JSON Lines, Parquet or XLSX; also packed with gzip."
    )
    type = serializers.CharField(
        required=False, help_text="Code of the activity type of rows that name none."
    )
    channel = serializers.CharField(
        required=False, help_text="Code of the channel of rows that name none."
    )
    business_unit = serializers.CharField(
        required=False, help_text="Code of the business unit of rows that name none."
    )
    identity_kind = serializers.CharField(
        default="customer_id", help_text="The kind of identity in the column “member”."
    )
    unknown_members = serializers.ChoiceField(
        UnknownMemberPolicy.choices, default=UnknownMemberPolicy.REFUSE.value
    )
    mapping = serializers.CharField(
        required=False,
        help_text="How the file is read: the name of a saved mapping, or one as JSON. "
        "Without it a saved one is found by the header.",
    )
    source = serializers.CharField(  # type: ignore[assignment]
        default=RECEIPTS,
        help_text="Keys count once within a source. Left out, they are the keys of "
        "activities that are sent one by one or in batches: a receipt that a till has "
        "sent is not recorded again.",
    )


class _Points(serializers.Serializer[Any]):
    wallet = serializers.CharField()
    bucket = serializers.CharField()
    points = serializers.FloatField()
    awards = serializers.IntegerField()


class _Largest(serializers.Serializer[Any]):
    key = serializers.CharField()
    member = serializers.CharField()
    points = serializers.FloatField()
    value = serializers.CharField(
        required=False, help_text="In the program's currency."
    )
    line = serializers.IntegerField()


class _Spread(serializers.Serializer[Any]):
    median = serializers.CharField()
    p99 = serializers.CharField(help_text="99 % are at most this.")


class _Usual(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    activities = serializers.IntegerField(help_text="How many were looked at.")
    points = _Spread()
    value = _Spread()


class DryRunAnswer(serializers.Serializer[Any]):
    """What the check found; nothing of it is awarded before it is confirmed."""

    points = _Points(many=True)
    earning = serializers.IntegerField()
    not_earning = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    members = serializers.IntegerField()
    new_members = serializers.IntegerField()
    already_recorded = serializers.IntegerField(
        help_text="Rows that stand already under the same source; left out."
    )
    elsewhere = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Rows to be recorded whose key stands under another source, by "
        "source. If they are the same receipts, they would be paid twice.",
    )
    refused = serializers.DictField(child=serializers.IntegerField())
    duplicates = serializers.IntegerField()
    largest = _Largest(many=True)
    usual = _Usual(
        allow_null=True,
        help_text="What activities of the last 90 days came to, to hold `largest` "
        "against; null if there were none.",
    )
    first_moment = serializers.DateTimeField(allow_null=True)
    last_moment = serializers.DateTimeField(allow_null=True)
    is_estimate = serializers.BooleanField()


class ProgressAnswer(serializers.Serializer[Any]):
    """How far the work is, within its phase."""

    phase = serializers.ChoiceField(UploadPhase.choices, allow_blank=True)
    percent = serializers.IntegerField(min_value=0, max_value=100)
    rows_per_second = serializers.IntegerField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)


class UploadSummary(serializers.Serializer[Any]):
    """An upload in a list."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(UploadStatus.choices)
    file_name = serializers.CharField()
    format = serializers.ChoiceField(UploadFormat.choices)
    is_gzipped = serializers.BooleanField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    same_file_as = serializers.IntegerField(
        allow_null=True, help_text="An earlier upload of the very same file."
    )
    source = serializers.CharField()  # type: ignore[assignment]
    failure = serializers.CharField(help_text="Why the file cannot be used.")
    lines = serializers.IntegerField()
    activities = serializers.IntegerField()
    recorded = serializers.IntegerField()
    refused = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    undone = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class UploadAnswer(UploadSummary):
    """An upload with its progress and what its check found."""

    progress = ProgressAnswer()
    mapping = serializers.CharField(
        allow_null=True, help_text="The saved mapping that it is read with."
    )
    questions = QuestionAnswer(
        many=True, help_text="To be answered while `status` is `questions`."
    )
    dry_run = DryRunAnswer(allow_null=True, help_text="Null until the file is checked.")


class UndoAnswer(UploadAnswer):
    """An upload being undone, or undone before."""

    was_undone_before = serializers.BooleanField()


class RefusalAnswer(serializers.Serializer[Any]):
    """A refused row."""

    line = serializers.IntegerField()
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    rows = serializers.ListField(
        child=serializers.DictField(), help_text="The row as it stood in the file."
    )


class UploadFilters(django_filters.FilterSet):
    """Uploads by step and time of arrival."""

    status = django_filters.ChoiceFilter(choices=UploadStatus.choices)
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")


_FIELDS = frozenset(NewUpload().fields)
_OWN_NAMES = {
    "default_activity_type": "type",
    "default_channel": "channel",
    "default_business_unit": "business_unit",
}


def file_in(form: Any) -> UploadedFile[bytes]:
    """Return the one file of a form.

    Raises:
        Problem: 400, a part is unknown, repeated or of the wrong kind.
    """
    for name, values in form.lists():
        if name not in _FIELDS:
            detail = f"There is no part “{name[:100]}” here."
            raise invalid_at(f"/{name[:100]}", "unknown_member", detail)
        if len(values) > 1:
            raise invalid_at(f"/{name}", "repeated", "Give it once.")
        is_file = isinstance(values[0], UploadedFile)
        if is_file is not (name == "file"):
            detail = "A file is expected here." if name == "file" else "No file here."
            raise invalid_at(f"/{name}", "invalid", detail)
    if "file" not in form:
        raise invalid_at("/file", "required", "Send the file in the part “file”.")
    file: UploadedFile[bytes] = form["file"]
    return file


def options_in(form: Any, program_id: int) -> UploadOptions:
    """Return the options of a form.

    Raises:
        LoyaltyError: a code that the program does not have.
    """
    given: dict[str, Any] = {
        name: str(form[name])
        for name in ("source", "identity_kind", "unknown_members")
        if name in form
    }
    if form.get("mapping"):
        given |= mapping_named(str(form["mapping"]), program_id)
    return UploadOptions(
        default_activity_type=_row(
            ActivityType, UnknownActivityType, form, "type", program_id
        ),
        default_channel=_row(Channel, UnknownChannel, form, "channel", program_id),
        default_business_unit=_row(
            BusinessUnit, UnknownBusinessUnit, form, "business_unit", program_id
        ),
        **given,
    )


def _row(
    model: type[Model], refusal: Any, form: Any, name: str, program_id: int
) -> Any:
    code = form.get(name)
    if not code:
        return None
    row = model._default_manager.filter(program_id=program_id, code=code).first()
    if row is None:
        words = model._meta.verbose_name
        raise refusal(f"There is no {words} “{code[:100]}”.", field=name)
    return row


def summary_of(upload: Upload) -> dict[str, Any]:
    """Return an upload as a line of a list."""
    return {
        "id": upload.pk,
        "status": upload.status,
        "file_name": upload.original_name,
        "format": upload.format,
        "is_gzipped": upload.is_gzipped,
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
        "same_file_as": upload.same_file_as_id,
        "source": upload.source,
        "failure": upload.failure,
        "lines": upload.line_count,
        "activities": upload.activity_count,
        "recorded": upload.recorded_count,
        "refused": upload.refused_count,
        "duplicates": upload.duplicate_count,
        "undone": upload.reversed_count,
        "created_at": moment_text(upload.created_at),
        "confirmed_at": _moment(upload.confirmed_at),
        "finished_at": _moment(upload.finished_at),
    }


def body_of(upload: Upload) -> dict[str, Any]:
    """Return an upload with its progress and what its check found."""
    progress = upload_progress(upload)
    return {
        **summary_of(upload),
        "progress": {
            "phase": progress.phase,
            "percent": progress.percent,
            "rows_per_second": progress.rows_per_second,
            "seconds_left": progress.seconds_left,
        },
        "mapping": upload.saved_mapping.name if upload.saved_mapping else None,
        "questions": question_bodies(upload),
        "dry_run": _dry_run(upload) if upload.dry_run else None,
    }


def refusal_body(refusal: UploadRefusal) -> dict[str, Any]:
    """Return a refused row."""
    return {
        "line": refusal.line,
        "field": refusal.field,
        "code": refusal.code,
        "detail": refusal.message,
        "rows": refusal.raw,
    }


def own_name(field: str) -> str:
    """Return what the API calls a field of the use case."""
    return _OWN_NAMES.get(field, field)


def _dry_run(upload: Upload) -> dict[str, Any]:
    wallets = Wallet.objects.filter(program=upload.program_id)
    decimals = dict(wallets.values_list("code", "decimals"))
    found: dict[str, Any] = upload.dry_run
    return {
        # Files that were checked before this was looked for say nothing of it.
        "elsewhere": {},
        "usual": None,
        **found,
        "points": [
            {**one, "points": _points(one["points"], decimals.get(one["wallet"], 0))}
            for one in found["points"]
        ],
        "largest": [
            {**one, "points": orjson.Fragment(one["points"])}
            for one in found["largest"]
        ],
    }


def _points(amount: int, decimals: int) -> Any:
    # The points of a file may exceed 64 bits, which are written as text is.
    return points_of(amount, decimals) if decimals else orjson.Fragment(str(amount))


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
