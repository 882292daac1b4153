"""Pages of segments and of who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.html import format_html_join
from unfold.decorators import action, display

from loyalty.admin.bases import OwnProgramFilter, ProgramAdmin
from loyalty.admin.filling import filling_page, identity_kinds
from loyalty.admin.formatting import link, list_page, name_of
from loyalty.admin.points import link_to
from loyalty.models import Segment, SegmentMembership
from loyalty.services import clock
from loyalty.services.memberships import SegmentKeptByRules, refuse_kept_by_rules
from loyalty.services.segment_uploads import member_lines

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(Segment)
class SegmentAdmin(ProgramAdmin):
    """Lists of members that offers let in or keep out."""

    list_display = ("name", "code", "kind", "member_count", "members_link")
    list_filter = ("kind",)
    search_fields = ("name", "code")
    ordering = ("name",)
    actions_detail = ("show_members", "upload_file", "download")
    readonly_fields = ("used_by",)
    fieldsets = (
        ("What", {"fields": ("program", "name", "code", "description")}),
        ("Where it counts", {"fields": ("used_by",)}),
    )
    add_fieldsets = fieldsets[:1]

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Segment | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Count who is in each segment now."""
        now = clock.now()
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

    @display(description="Used by")
    def used_by(self, segment: Segment) -> SafeString | str:
        """Return links to the offers that let its members in or keep them out."""
        # The relations belong to the app above; they are reached by their names.
        related: Any = segment
        offers = [
            *related.campaigns.order_by("-pk"),
            *related.excluding_campaigns.order_by("-pk"),
            *related.quests.order_by("-pk"),
            *related.excluding_quests.order_by("-pk"),
            *related.activitytype_set.order_by("title"),
        ]
        links = format_html_join(", ", "{}", ((link(one),) for one in offers[:50]))
        return links or "No campaign, no quest and no activity type."

    @action(description="Members", permissions=["view"], icon="group")
    def show_members(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who is in it, page by page."""
        segment = self.row_or_404(request, object_id)
        return HttpResponse(status=302, headers={"Location": _members_page(segment)})

    @action(description="Upload a file", permissions=["change"], icon="upload_file")
    def upload_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the members of a file enter or leave, after showing what it does."""
        segment = self.row_or_404(request, object_id)
        try:
            refuse_kept_by_rules(segment)
        except SegmentKeptByRules as refusal:
            messages.warning(request, refusal.message)
            return self.back_to(segment)
        return filling_page(request, self, segment)

    @action(description="Download", permissions=["view"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Stream who is in it now, by the first kind of identity."""
        segment = self.row_or_404(request, object_id)
        kind = identity_kinds(segment)[0]
        lines = member_lines(segment, kind, clock.now())
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
    list_display = ("whose", "segment", "since", "last_day_in")
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

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let a member enter now, unless somebody says otherwise."""
        return {
            "entered_at": clock.now(),
            **super().get_changeform_initial_data(request),
        }

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


def _members_page(segment: Segment) -> str:
    return list_page(SegmentMembership, segment__id__exact=segment.pk)
