"""Pages of segments and of who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldBooleanSwitchWidget,
)

from loyalty.admin.bases import MomentField, OwnProgramFilter, ProgramAdmin
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import list_page, name_of
from loyalty.admin.points import link_to
from loyalty.models import Identity, Segment, SegmentMembership
from loyalty.services.lists import UnreadableList
from loyalty.services.segment_uploads import SegmentChange, member_lines, upload_members

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class NamesFileForm(forms.Form):
    """A file with one name per line."""

    file = forms.FileField(
        help_text="CSV or text, UTF-8: one per line, or the first column. Up to "
        "hundreds of thousands of lines.",
        widget=UnfoldAdminFileFieldWidget,
    )
    has_heading = forms.BooleanField(
        label="The first line is a heading",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


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
        self.fields["identity_kind"].choices = [(kind, kind) for kind in kinds]  # type: ignore[attr-defined]
        zone = timezone.get_current_timezone_name()
        self.fields["at"].help_text += f" Time zone: {zone}."


@admin.register(Segment)
class SegmentAdmin(ProgramAdmin):
    """Lists of members that offers let in or keep out."""

    list_display = ("name", "code", "member_count", "members_link")
    search_fields = ("name", "code")
    ordering = ("name",)
    actions_detail = ("show_members", "upload_file", "download")
    fieldsets = (("What", {"fields": ("program", "name", "code", "description")}),)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Segment | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Count who is in each segment now."""
        now = timezone.now()
        is_in = (
            Q(memberships__entered_at=None) | Q(memberships__entered_at__lte=now)
        ) & (Q(memberships__left_at=None) | Q(memberships__left_at__gt=now))
        rows = super().get_queryset(request)
        return rows.annotate(members_now=Count("memberships", filter=is_in))

    @display(description="Members now", ordering="members_now")
    def member_count(self, segment: Segment) -> str:
        """Return how many members are in it now."""
        return f"{segment.members_now:,}"  # type: ignore[attr-defined]

    @display(description="")
    def members_link(self, segment: Segment) -> SafeString:
        """Return a link to the members."""
        return link_to(_members_page(segment), "Show members")

    @action(description="Members", permissions=["view"], icon="group")
    def show_members(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who is in it, page by page."""
        segment = self.row_or_404(request, object_id)
        return HttpResponse(status=302, headers={"Location": _members_page(segment)})

    @action(description="Upload a file", permissions=["change"], icon="upload_file")
    def upload_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the members of a file enter or leave."""
        segment = self.row_or_404(request, object_id)
        kinds = _identity_kinds(segment)
        posted = (request.POST, request.FILES) if is_confirmed(request) else ()
        form = MembersFileForm(
            *posted, kinds=kinds, initial={"at": timezone.localtime()}
        )
        if is_confirmed(request) and form.is_valid():
            try:
                return self._upload(request, segment, form.cleaned_data)
            except UnreadableList as refusal:
                form.add_error("file", refusal.message)
        question = Question(
            f"Upload members of “{segment}”",
            f"{segment.members_now:,} members are in it now.",
            "Upload",
        )
        back = self.address_of("change", segment.pk)
        return ask(request, self, question, form=form, back=back, obj=segment)

    def _upload(
        self, request: HttpRequest, segment: Segment, answers: dict[str, Any]
    ) -> HttpResponse:
        report = upload_members(
            segment,
            answers["file"].file,
            identity_kind=answers["identity_kind"],
            change=SegmentChange(answers["change"]),
            at=answers["at"],
            has_heading=answers["has_heading"],
        )
        text = (
            f"{report.line_count:,} lines: {report.entered_count:,} members entered, "
            f"{report.left_count:,} left, {report.known_count:,} were known."
        )
        self.log_change(request, segment, f"Uploaded a file. {text}")
        self.message_of(request, text)
        if report.unknown_count:
            names = ", ".join(report.unknown)
            more = " and more" if report.unknown_count > len(report.unknown) else ""
            self.message_user(
                request,
                f"{report.unknown_count:,} names belong to nobody: {names}{more}.",
                messages.WARNING,
            )
        return self.back_to(segment)

    @action(description="Download", permissions=["view"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Stream who is in it now, by the first kind of identity."""
        segment = self.row_or_404(request, object_id)
        kind = _identity_kinds(segment)[0]
        lines = member_lines(segment, kind, timezone.now())
        name = f"{segment.code}.csv"
        return StreamingHttpResponse(
            lines,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(ProgramAdmin):
    """Who is or was in which segment; changed one by one or by a file."""

    program_path = "segment__program"
    list_display = ("whose", "segment", "since", "until")
    list_filter = (("segment", OwnProgramFilter),)
    search_fields = ("member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = ("member", "segment")
    autocomplete_fields = ("segment", "member")
    ordering = ("-pk",)
    fieldsets = (
        ("Who", {"fields": ("segment", "member")}),
        ("When", {"fields": ("entered_at", "left_at")}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from a segment, not from the menu."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    @display(description="Member")
    def whose(self, stay: SegmentMembership) -> str:
        """Return who is or was in it."""
        return name_of(stay.member)

    @display(description="In since", ordering="entered_at", empty_value="ever")
    def since(self, stay: SegmentMembership) -> Any:
        """Return when the member entered."""
        return stay.entered_at

    @display(description="Until", ordering="left_at", empty_value="now")
    def until(self, stay: SegmentMembership) -> Any:
        """Return when the member left."""
        return stay.left_at


def _members_page(segment: Segment) -> str:
    return list_page(SegmentMembership, segment__id__exact=segment.pk)


def _identity_kinds(segment: Segment) -> list[str]:
    rows = Identity.objects.filter(program=segment.program_id)
    return sorted(rows.values_list("kind", flat=True).distinct()) or ["customer_id"]
