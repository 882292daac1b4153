"""Filling a segment from a file: what it would do is shown before it is done."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.files.storage import default_storage
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
)

from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.lists import NamesFileForm
from loyalty.admin.moments import MomentField
from loyalty.models import Identity, Segment
from loyalty.services.lists import UnreadableList
from loyalty.services.segment_uploads import (
    SegmentChange,
    SegmentUpload,
    preview_members,
    upload_members,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.admin.bases import ProgramAdmin

# The file that a person was shown the effect of, until it is confirmed.
_WAITING = "segment_file"
_FOLDER = "segment-files"


class MembersFileForm(NamesFileForm):
    """A file of members and what it does."""

    identity_kind = forms.ChoiceField(
        label="Members are named by", widget=UnfoldAdminSelectWidget
    )
    change = forms.ChoiceField(
        label="What the file does",
        choices=[
            (SegmentChange.ADD.value, "Its members enter"),
            (SegmentChange.REMOVE.value, "Its members leave"),
            (SegmentChange.REPLACE.value, "Its members enter, everybody else leaves"),
        ],
        initial=SegmentChange.ADD.value,
        widget=UnfoldAdminRadioSelectWidget,
    )
    at = MomentField(
        label="As of",
        help_text="Activities before this moment are not affected.",
        widget=UnfoldAdminSplitDateTimeWidget,
    )
    field_order = ("file", "has_heading", "identity_kind", "change", "at")

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        """Offer the kinds of identities that members have."""
        super().__init__(*args, **kwargs)
        named_by: Any = self.fields["identity_kind"]
        named_by.choices = [(kind, kind) for kind in kinds]
        zone = timezone.get_current_timezone_name()
        self.fields["at"].help_text += f" Time zone: {zone}."


class WaitingFileForm(forms.Form):
    """Which shown file is confirmed."""

    token = forms.CharField(widget=forms.HiddenInput)


def filling_page(
    request: HttpRequest, segment_admin: ProgramAdmin, segment: Any
) -> HttpResponse:
    """Return the form, then what the file would do, then do it."""
    if is_confirmed(request) and "token" in request.POST:
        return _confirmed(request, segment_admin, segment)
    posted = (request.POST, request.FILES) if is_confirmed(request) else ()
    form = MembersFileForm(
        *posted, kinds=identity_kinds(segment), initial={"at": timezone.localtime()}
    )
    back = segment_admin.address_of("change", segment.pk)
    if is_confirmed(request) and form.is_valid():
        try:
            question, token = _shown(request, segment, form.cleaned_data)
        except UnreadableList as refusal:
            form.add_error("file", refusal.message)
        else:
            waiting = WaitingFileForm(initial={"token": token})
            return ask(
                request, segment_admin, question, form=waiting, back=back, obj=segment
            )
    question = Question(
        f"Upload members of “{segment}”",
        f"{segment.members_now:,} members are in it now. First you see what the file "
        "would do; nothing changes before you confirm.",
        "Show what it does",
    )
    return ask(request, segment_admin, question, form=form, back=back, obj=segment)


def identity_kinds(segment: Segment) -> list[str]:
    """Return by which kinds of identities the program's members are known."""
    rows = Identity.objects.filter(program=segment.program_id)
    return sorted(rows.values_list("kind", flat=True).distinct()) or ["customer_id"]


def _shown(
    request: HttpRequest, segment: Segment, answers: dict[str, Any]
) -> tuple[Question, str]:
    """Try the file, keep it for the confirmation, and tell what it would do."""
    options = {
        "identity_kind": answers["identity_kind"],
        "change": answers["change"],
        "at": answers["at"].isoformat(),
        "has_heading": answers["has_heading"],
    }
    report = preview_members(segment, answers["file"].file, **_arguments(options))
    answers["file"].seek(0)
    _forget(request)
    token = uuid.uuid4().hex
    path = default_storage.save(f"{_FOLDER}/{token}.csv", answers["file"])
    request.session[_WAITING] = {
        "token": token,
        "path": path,
        "segment": segment.pk,
        "options": options,
    }
    unknown = [f"Belongs to nobody: {name}" for name in report.unknown]
    if report.unknown_count > len(report.unknown):
        unknown.append(f"and {report.unknown_count - len(report.unknown):,} more")
    question = Question(
        f"{_told(report)}.",
        f"As of {_moment(answers['at'])}, in “{segment}”. Activities before that "
        "moment keep what they earned.",
        "Do it",
        unknown,
        is_dangerous=report.left_count > 0,
    )
    return question, token


def _confirmed(
    request: HttpRequest, segment_admin: ProgramAdmin, segment: Any
) -> HttpResponse:
    """Do what was shown, once."""
    waiting = request.session.get(_WAITING) or {}
    is_shown = (
        waiting.get("token") == request.POST["token"]
        and waiting.get("segment") == segment.pk
        and default_storage.exists(waiting.get("path", ""))
    )
    if not is_shown:
        text = "This file was used already or replaced by another. Upload it again."
        segment_admin.message_user(request, text, messages.WARNING)
        return segment_admin.back_to(segment)
    with default_storage.open(waiting["path"]) as file:
        report = upload_members(segment, file, **_arguments(waiting["options"]))
    _forget(request)
    segment_admin.log_change(request, segment, f"Uploaded a file. {_told(report)}.")
    segment_admin.message_of(request, f"Done: {_told(report)}.")
    return segment_admin.back_to(segment)


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    return {
        **options,
        "change": SegmentChange(options["change"]),
        "at": datetime.fromisoformat(options["at"]),
    }


def _forget(request: HttpRequest) -> None:
    waiting = request.session.pop(_WAITING, None)
    if waiting:
        default_storage.delete(waiting["path"])


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M}"


def _told(report: SegmentUpload) -> str:
    text = (
        f"{report.line_count:,} lines, {report.known_count:,} known members: "
        f"{report.entered_count:,} enter, {report.left_count:,} leave"
    )
    if report.unknown_count:
        text += f", {report.unknown_count:,} names belong to nobody"
    return text
