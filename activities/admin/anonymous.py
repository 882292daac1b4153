"""Pages of people not known yet, and of what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from activities.models import Activity
from loyalty.admin.bases import ReadOnlyAdmin
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, list_page, name_of
from loyalty.admin.points import link_to
from loyalty.models import AnonymousProfile

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class IsKnownFilter(admin.SimpleListFilter):
    """Whether the person became known."""

    title = "fate"
    parameter_name = "fate"

    def lookups(self, request: HttpRequest, model_admin: object) -> list:
        return [("known", "Became a member"), ("unknown", "Not known yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in {"known", "unknown"}:
            return queryset
        return queryset.filter(merged_into__isnull=self.value() == "unknown")


@admin.register(AnonymousProfile)
class AnonymousProfileAdmin(ReadOnlyAdmin):
    """People seen under an anonymous id, and whose it turned out to be."""

    list_display = ("anonymous_id", "fate", "became", "created_at", "known_since")
    list_filter = (
        IsKnownFilter,
        ("merged_into", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("anonymous_id__exact",)
    search_help_text = "A whole anonymous id."
    list_select_related = ("merged_into", "merge")
    fields = (
        "anonymous_id",
        "created_at",
        "fate",
        "became",
        "known_since",
        "told_by",
        "moved",
        "earned",
        "all_activities",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.prefetch_related("merged_into__identities")

    @display(
        description="Fate",
        label={"Became a member": "success", "Not known yet": "info"},
    )
    def fate(self, profile: AnonymousProfile) -> str:
        """Return whether the person became known."""
        return "Not known yet" if profile.merged_into is None else "Became a member"

    @display(description="Member")
    def became(self, profile: AnonymousProfile) -> SafeString | str:
        """Return who it turned out to be, linked."""
        member = profile.merged_into
        return "–" if member is None else link(member, name_of(member))

    @display(description="Known since", ordering="merge__created_at")
    def known_since(self, profile: AnonymousProfile) -> object:
        """Return when the profile was merged."""
        merge = getattr(profile, "merge", None)
        return None if merge is None else merge.created_at

    @display(description="Told by")
    def told_by(self, profile: AnonymousProfile) -> str:
        """Return the surface that told who it is."""
        merge = getattr(profile, "merge", None)
        return "–" if merge is None else merge.source

    @display(description="Earlier activities")
    def moved(self, profile: AnonymousProfile) -> str:
        """Return how many activities became the member's."""
        merge = getattr(profile, "merge", None)
        if merge is None:
            return "–"
        if not merge.activity_count:
            return "None became the member's."
        return f"{merge.activity_count:,} became the member's."

    @display(description="They earned")
    def earned(self, profile: AnonymousProfile) -> str:
        """Return what the program's rule was, and how many it was applied to."""
        merge = getattr(profile, "merge", None)
        if merge is None:
            return "–"
        count = merge.decisions.count()
        rule = merge.get_points_policy_display()
        return f"{rule}. {count:,} were decided anew." if count else f"{rule}."

    @display(description="Activities")
    def all_activities(self, profile: AnonymousProfile) -> SafeString:
        """Return a link to everything that was done under this id."""
        return link_to(list_page(Activity, anonymous_profile__id__exact=profile.pk))
