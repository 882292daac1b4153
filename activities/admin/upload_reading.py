"""The pages on which people say how a file is read and answer what is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse

from activities import tasks
from activities.admin.upload_reading_form import ReadingForm
from activities.services import uploads
from activities.services.uploads.mapping.values import LABELS
from loyalty.errors import LoyaltyError
from loyalty.services import clock

if TYPE_CHECKING:
    from django.http import HttpRequest

    from activities.models import Upload
    from activities.services.uploads import Mapping

_CHANGE = "activities.change_upload"


def may_say(request: HttpRequest, upload: Upload) -> bool:
    """Return whether the person may still say how the upload is read."""
    may_change = request.user.has_perm(_CHANGE)
    return may_change and upload.status in uploads.REREADABLE and bool(upload.sample)


def reading_page(
    request: HttpRequest, upload: Upload, *, context: dict[str, Any], back: str
) -> HttpResponse:
    """Show how the file is read, or take what was said and have it checked."""
    if not request.user.has_perm(_CHANGE):
        raise PermissionDenied
    if not may_say(request, upload):
        messages.warning(request, "How this file is read cannot be changed any more.")
        return HttpResponseRedirect(back)
    mapping = uploads.mapping_of(uploads.reading_of(upload))
    form = ReadingForm(request.POST or None, upload=upload, mapping=mapping)
    if request.method == "POST" and form.is_valid():
        try:
            _take(request, upload, form)
        except LoyaltyError as refusal:
            form.add_error(None, refusal.message)
        else:
            return HttpResponseRedirect(back)
    page = {
        **context,
        **_preview(upload, form),
        "form": form,
        "upload": upload,
        "back": back,
        "asked": [
            uploads.asked(one)["text"]
            for one in upload.questions
            if one["code"] == "columns"
        ],
    }
    return TemplateResponse(request, "admin/activities/upload_reading.html", page)


def _take(request: HttpRequest, upload: Upload, form: ReadingForm) -> None:
    mapping = form.chosen()
    _refuse_unfinished(mapping, upload)
    uploads.read_anew(
        upload,
        mapping,
        actor=request.user.get_username(),
        now=clock.now(),
        save_as=form.cleaned_data["save_as"],
    )
    tasks.enqueue_validation(upload.pk)


def _refuse_unfinished(mapping: Mapping, upload: Upload) -> None:
    has_type = upload.default_activity_type_id is not None
    missing = mapping.missing(has_default_type=has_type)
    if missing:
        names = ", ".join(LABELS[name] for name in missing)
        raise uploads.InvalidMapping(
            f"Nothing says yet what the {names} is. Choose a column for it, or one "
            "value for all rows."
        )


def preview_fragment(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Return the first rows as what was posted would read them."""
    if not request.user.has_perm(_CHANGE):
        raise PermissionDenied
    if not may_say(request, upload):
        # The form was sent meanwhile; there is nothing left to show.
        return HttpResponse(status=204)
    mapping = uploads.mapping_of(uploads.reading_of(upload))
    form = ReadingForm(request.POST, upload=upload, mapping=mapping)
    form.is_valid()
    context = {**_preview(upload, form), "form": form}
    answer = render(request, "admin/activities/upload_preview.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _preview(upload: Upload, form: ReadingForm) -> dict[str, Any]:
    """Return the table of the first rows, and what is still open."""
    try:
        mapping = form.chosen() if form.is_bound and form.is_valid() else form.mapping
    except LoyaltyError as refusal:
        return {"rows": [], "names": [], "open": [refusal.message]}
    is_open = _open_matters(upload, mapping, form)
    shown = mapping if mapping.decimal_sign else replace(mapping, decimal_sign=".")
    rows = uploads.preview(upload, shown)
    names = [name for name in LABELS if any(_has(row, name) for row in rows)]
    table = [
        (
            row,
            [(row.values.get(name, ""), row.problems.get(name, "")) for name in names],
        )
        for row in rows
    ]
    return {
        "rows": table,
        "names": [LABELS[name].capitalize() for name in names],
        "open": is_open,
        "problem_count": sum(bool(row.problems) for row in rows),
    }


def _open_matters(upload: Upload, mapping: Mapping, form: ReadingForm) -> list[str]:
    has_type = upload.default_activity_type_id is not None
    is_open = [
        f"No column is the {LABELS[name]} yet."
        for name in mapping.missing(has_default_type=has_type)
    ]
    if not mapping.date_format:
        is_open.append("Day and month could be either. Choose how dates are written.")
    if not mapping.decimal_sign:
        is_open.append("Numbers could be read in two ways. Choose how they look.")
    dialect = form.sample.dialect
    chosen = (mapping.encoding, mapping.delimiter)
    if "encoding" in form.fields and chosen != (
        dialect.encoding.removesuffix("-le"),
        dialect.delimiter,
    ):
        is_open.append(
            "The rows below are shown as the file was opened. “Check the file” opens "
            "it anew and shows this page again."
        )
    return is_open


def _has(row: Any, name: str) -> bool:
    return name in row.values or name in row.problems


def answer_page(request: HttpRequest, upload: Upload, *, back: str) -> HttpResponse:
    """Take the answers to the questions on an upload's page."""
    if not request.user.has_perm(_CHANGE):
        raise PermissionDenied
    answers = {
        one["code"]: request.POST.get(f"answer_{one['code']}", "")
        for one in upload.questions
    }
    answers = {code: answer for code, answer in answers.items() if answer}
    try:
        uploads.answer_questions(
            upload,
            answers,
            actor=request.user.get_username(),
            now=clock.now(),
            save_as=request.POST.get("save_as", ""),
        )
    except LoyaltyError as refusal:
        messages.error(request, refusal.message)
    else:
        tasks.enqueue_validation(upload.pk)
    return HttpResponseRedirect(back)
