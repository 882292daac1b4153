"""Pages of uploads: sending a file, watching it, deciding about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http import StreamingHttpResponse as Stream
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from activities import tasks
from activities.admin import upload_form, upload_page, upload_reading
from activities.admin.upload_steps import STEPS, offered_steps
from activities.models import Upload, UploadRefusal
from activities.services import uploads
from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin
from loyalty.admin.confirming import ask, is_confirmed
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import bar, link
from loyalty.admin.working_program import working_program
from loyalty.errors import LoyaltyError
from loyalty.services import clock

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

_SAMPLES = {
    "csv": ("text/csv; charset=utf-8", upload_form.sample_csv),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        upload_form.sample_workbook,
    ),
}
_STALE = "This page was opened before the upload moved on. It shows now how it stands."


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files of activities."""

    list_display = ("name", "state", "how_far", "counts", "arrived_at", "sender")
    list_display_links = ("name",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("created_at", DaysFilter),
    )
    list_select_related = ("created_by",)
    search_fields = ("original_name",)
    search_help_text = "Part of a file's name."

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("dry_run", "columns", "sample")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whoever may add uploads may send a file, once there is a program."""
        may_add = request.user.has_perm("activities.add_upload")
        return may_add and working_program(request) is not None

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of an upload to those of the list."""
        pages = (
            ("sample/<str:suffix>/", self.sample, "sample"),
            ("<int:pk>/progress/", self.progress, "progress"),
            ("<int:pk>/refused/", self.refused, "refused"),
            ("<int:pk>/step/<str:step>/", self.take_step, "step"),
            ("<int:pk>/reading/", self.reading, "reading"),
            ("<int:pk>/preview/", self.preview, "preview"),
            ("<int:pk>/answers/", self.answers, "answers"),
        )
        wrap = self.admin_site.admin_view
        own = [
            path(route, wrap(view), name=f"activities_upload_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    @display(description="File", ordering="original_name")
    def name(self, upload: Upload) -> str:
        """Return what the file is called."""
        return upload.original_name

    @display(
        description="Status",
        ordering="status",
        label={
            "Checked, waiting for you": "warning",
            "Waiting for your answers": "warning",
            "Paused": "warning",
            "Running": "info",
            "Being checked": "info",
            "Being undone": "info",
            "Finished": "success",
            "Cannot be read": "danger",
        },
    )
    def state(self, upload: Upload) -> str:
        """Return its step."""
        return upload.get_status_display()

    @display(description="Progress")
    def how_far(self, upload: Upload) -> SafeString | str:
        """Return a bar while something goes on."""
        if upload.status not in upload_page.WORKING or not upload.phase_total:
            return ""
        share = upload.phase_done / upload.phase_total
        return bar(share, f"{min(share, 1):.0%}")

    @display(description="Activities")
    def counts(self, upload: Upload) -> str:
        """Return what became of its rows."""
        parts = [f"{upload.recorded_count or upload.activity_count:,}"]
        if upload.refused_count:
            parts.append(f"{upload.refused_count:,} refused")
        if upload.duplicate_count:
            parts.append(f"{upload.duplicate_count:,} duplicates")
        return ", ".join(parts)

    @display(description="Uploaded", ordering="created_at")
    def arrived_at(self, upload: Upload) -> datetime:
        """Return when the file arrived."""
        return upload.created_at

    @display(description="By", empty_value="")
    def sender(self, upload: Upload) -> str | None:
        """Return who sent it in the admin."""
        return upload.created_by.get_username() if upload.created_by else None

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form for a file, or take the file."""
        program = working_program(request)
        if program is None or not self.has_add_permission(request):
            raise PermissionDenied
        form = upload_form.UploadForm(
            request.POST or None, request.FILES or None, program=program
        )
        if request.method == "POST" and request.POST.get("program") != str(program.pk):
            messages.warning(
                request,
                f"You work in “{program}” now; please choose the file once more.",
            )
        elif request.method == "POST" and form.is_valid():
            upload = self._take(request, form)
            if upload is not None:
                return HttpResponseRedirect(self.address_of("change", upload.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": "Upload a file",
            "opts": self.model._meta,
            "program": program,
            "form": form,
            "columns": upload_form.COLUMNS,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/activities/upload_add.html", context)

    def _take(self, request: HttpRequest, form: Any) -> Upload | None:
        program = working_program(request)
        if program is None:
            raise PermissionDenied
        try:
            upload = uploads.create_upload(
                program,
                form.cleaned_data["file"],
                now=clock.now(),
                options=form.options(),
                created_by=request.user,  # type: ignore[arg-type]
            )
        except LoyaltyError as refusal:
            form.explain(refusal.field, refusal.message)
            return None
        tasks.enqueue_validation(upload.pk)
        self.log_addition(request, upload, "Uploaded a file.")
        return upload

    def sample(self, request: HttpRequest, suffix: str) -> Stream:
        """Return a small file to start from."""
        program = working_program(request)
        if program is None or not self.has_add_permission(request):
            raise PermissionDenied
        if suffix not in _SAMPLES:
            raise Http404
        content_type, write = _SAMPLES[suffix]
        rows = upload_form.sample_rows(program, timezone.localtime())
        return _download(f"activities-sample.{suffix}", content_type, write(rows))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how an upload stands and what can be done about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        upload = self.get_object(request, object_id)
        if not isinstance(upload, Upload):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        asks_for_columns = any(one["code"] == "columns" for one in upload.questions)
        if asks_for_columns and upload_reading.may_say(request, upload):
            return HttpResponseRedirect(
                reverse("admin:activities_upload_reading", args=[upload.pk])
            )
        context = {
            **self.admin_site.each_context(request),
            **upload_page.page_context(upload),
            "may_say": upload_reading.may_say(request, upload),
            "title": upload.original_name,
            "opts": self.model._meta,
            "original": upload,
            "buttons": [
                (step, reverse("admin:activities_upload_step", args=[upload.pk, name]))
                for name, step in offered_steps(upload, request.user)
            ],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/activities/upload.html", context)

    def reading(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how the file is read, or have it read otherwise."""
        upload = self._own(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"How “{upload.original_name}” is read",
            "opts": self.model._meta,
            "original": upload,
            "media": self.media,
        }
        back = self.address_of("change", pk)
        return upload_reading.reading_page(request, upload, context=context, back=back)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the first rows as the form would have them read."""
        return upload_reading.preview_fragment(request, self._own(request, pk))

    def answers(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the answers to what the check asked."""
        upload = self._own(request, pk)
        back = self.address_of("change", pk)
        if request.method != "POST":
            return HttpResponseRedirect(back)
        return upload_reading.answer_page(request, upload, back=back)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the bar, for the page to put in place of the old one."""
        upload = self._own(request, pk)
        context = upload_page.progress_context(upload)
        answer = render(request, "admin/activities/upload_progress.html", context)
        answer["X-Upload-Stage"] = context["progress"].status
        answer["Cache-Control"] = "no-store"
        return answer

    def refused(self, request: HttpRequest, pk: int) -> Stream:
        """Return the refused rows as a file."""
        file = uploads.refused_file(self._own(request, pk))
        return _download(file.name, file.content_type, file.blocks)

    def take_step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Ask, then take a step."""
        chosen = STEPS.get(step)
        if chosen is None:
            raise Http404
        upload = self._own(request, pk)
        if not chosen.is_allowed(upload, request.user):
            raise PermissionDenied
        if upload.status not in chosen.statuses:
            messages.warning(request, _STALE)
            return self.back_to(upload)
        form = None
        if chosen.form is not None:
            form = chosen.form(request.POST if is_confirmed(request) else None)
        if not is_confirmed(request) or (form is not None and not form.is_valid()):
            question = chosen.question(upload)
            back = self.address_of("change", pk)
            return ask(request, self, question, form=form, back=back, obj=upload)
        answers = {} if form is None else form.cleaned_data
        try:
            chosen.take(upload, request.user.get_username(), clock.now(), **answers)
        except LoyaltyError as refusal:
            messages.error(request, refusal.message)
        else:
            self.log_change(request, upload, chosen.done)
            self.message_of(request, chosen.done)
        return self.back_to(upload)

    def _own(self, request: HttpRequest, pk: int) -> Upload:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.row_or_404(request, str(pk))


@admin.register(UploadRefusal)
class UploadRefusalAdmin(ReadOnlyAdmin):
    """Rows of files that were refused; reached from their upload."""

    program_path = "upload__program"
    list_display = ("of_upload", "line", "field", "message")
    list_display_links = ("line",)
    list_filter = (("upload", OwnProgramFilter),)
    search_fields = ("message",)
    list_select_related = ("upload",)
    ordering = ("upload", "line", "pk")
    fields = ("of_upload", "line", "field", "message", "raw")
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from an upload, not from the menu."""
        return False

    @display(description="File")
    def of_upload(self, refusal: UploadRefusal) -> SafeString:
        """Return a link to the upload."""
        return link(refusal.upload)


def _download(name: str, content_type: str, blocks: Any) -> Stream:
    header = content_disposition_header(as_attachment=True, filename=name)
    return Stream(
        blocks,
        content_type=content_type,
        headers={
            "Content-Disposition": header or "attachment",
            "X-Content-Type-Options": "nosniff",
        },
    )
