"""Pages of segments that rules keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from unfold.admin import StackedInline
from unfold.decorators import action, display

from activities.models import RuleSegment
from activities.services.segments import (
    SegmentCycle,
    matching_count,
    matching_members,
    refresh_segment,
    refuse_cycle,
)
from loyalty.admin.bases import ProgramAdmin, ProgramChoices
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.deleting import QuickDeleteInline
from loyalty.admin.formatting import list_page, name_of
from loyalty.models import Member, RuleGroup, SegmentMembership, SegmentRule
from loyalty.services import clock

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

_SHOWN_MAX = 10


class RulesFormSet(forms.BaseInlineFormSet):
    """The rules of one segment; they must not lead back to it."""

    def clean(self) -> None:
        """Refuse a circle of segments."""
        super().clean()
        if any(self.errors) or self.instance.pk is None:
            return
        kept = [one for one in self.forms if not one.cleaned_data.get("DELETE")]
        others = [one.cleaned_data.get("other_segment") for one in kept]
        try:
            refuse_cycle(self.instance.pk, [one.pk for one in others if one])
        except SegmentCycle as refusal:
            raise ValidationError(refusal.message) from refusal


class RuleInline(QuickDeleteInline, ProgramChoices, StackedInline):
    """One rule; a script shows only what its fact needs."""

    model = SegmentRule
    fk_name = "segment"
    formset = RulesFormSet
    extra = 0
    verbose_name = "rule"
    fields = (
        *("group", "fact", "activity_type", "days", "wallet", "attribute"),
        *("comparison", "number", "text", "tier", "business_unit", "other_segment"),
    )


@admin.register(RuleSegment)
class RuleSegmentAdmin(ProgramAdmin):
    """Segments that keep themselves up to date."""

    list_display = ("name", "code", "members_now", "refreshed")
    list_select_related = ("state",)
    search_fields = ("name", "code")
    ordering = ("name",)
    inlines = (RuleInline,)
    actions_detail = ("refresh", "show_members")
    change_form_before_template = "admin/activities/segment_size.html"
    fieldsets = (("What", {"fields": ("program", "name", "code", "description")}),)

    class Media:
        js = ("loyalty/segment_rules.js",)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: RuleSegment | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show whom the saved rules let in, before anybody moves."""
        extra = dict(extra_context or {})
        segment = self._saved(request, object_id)
        if segment is not None and request.method == "GET":
            extra |= _size_of(segment)
            extra["failure"] = segment.state.failure if _has_state(segment) else ""
        return super().changeform_view(request, object_id, form_url, extra)

    def _saved(self, request: HttpRequest, object_id: str | None) -> RuleSegment | None:
        if object_id is None or not object_id.isdigit():
            return None
        return self.get_queryset(request).filter(pk=object_id).first()

    @display(description="Members now")
    def members_now(self, segment: RuleSegment) -> str:
        """Return how many the last refresh let in."""
        is_known = _has_state(segment) and segment.state.refreshed_at
        return f"{segment.state.member_count:,}" if is_known else "not yet known"

    @display(description="Up to date as of")
    def refreshed(self, segment: RuleSegment) -> Any:
        """Return when members last entered and left."""
        state = getattr(segment, "state", None)
        return state.refreshed_at if state else None

    @action(description="Bring up to date", permissions=["change"], icon="sync")
    def refresh(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let members enter and leave now."""
        segment = self.row_or_404(request, object_id)
        if not is_confirmed(request):
            size = _size_of(segment)
            return ask(
                request,
                self,
                Question(
                    title=f"Bring “{segment}” up to date?",
                    text=f"Of the members, {size['entering']:,} enter and "
                    f"{size['leaving']:,} leave; {size['size']:,} are in it then. "
                    "Campaigns for this segment count for them from now on; past "
                    "activities stay as they were decided.",
                    button="Bring up to date",
                ),
                back=self.address_of("change", segment.pk),
                obj=segment,
            )
        found = refresh_segment(segment, now=clock.now())
        self.message_of(
            request,
            f"Members: {found.entered_count:,} entered, {found.left_count:,} left, "
            f"{found.member_count:,} are in it.",
        )
        return self.back_to(segment)

    @action(description="Members", permissions=["view"], icon="group")
    def show_members(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who is in it and was."""
        segment = self.row_or_404(request, object_id)
        page = list_page(SegmentMembership, segment__id__exact=segment.pk)
        return HttpResponse(status=302, headers={"Location": page})


def _has_state(segment: RuleSegment) -> bool:
    return hasattr(segment, "state")


def _size_of(segment: RuleSegment) -> dict[str, Any]:
    """Return how many members the saved rules let in, some of them, and the change."""
    now = clock.now()
    rules = list(
        segment.rules.select_related(
            *("wallet", "activity_type", "tier", "business_unit", "other_segment")
        ).order_by("pk")
    )
    shown = matching_members(segment.program_id, rules, now=now, limit=_SHOWN_MAX)
    size = matching_count(segment.program_id, rules, now=now)
    staying = _staying(segment, rules, size, now)
    inside = _inside(segment).count()
    return {
        "groups": [
            (group.label, [one for one in rules if one.group == group])
            for group in RuleGroup
            if any(one.group == group for one in rules)
        ],
        "size": size,
        "entering": size - staying,
        "leaving": inside - staying,
        "shown": [
            (member, name_of(member))
            for member in Member.objects.filter(pk__in=shown)
            .prefetch_related("identities")
            .order_by("pk")
        ],
    }


def _inside(segment: RuleSegment) -> QuerySet[SegmentMembership]:
    return SegmentMembership.objects.filter(segment=segment, left_at=None)


def _staying(
    segment: RuleSegment, rules: list[SegmentRule], size: int, now: datetime
) -> int:
    """Return how many of those inside the rules let in still."""
    if not size:
        return 0
    inside = SegmentRule(
        fact="segment", comparison="equals", other_segment_id=segment.pk, group="all"
    )
    return matching_count(segment.program_id, [*rules, inside], now=now)
