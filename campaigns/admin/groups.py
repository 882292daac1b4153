"""Pages of groups: campaigns that run together, products that a basket must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from campaigns.models import AssignedGroup, AssignedGroupKind, Campaign, CampaignGroup
from loyalty.admin.bases import OwnProgramFilter, ProgramAdmin
from loyalty.admin.formatting import link, list_page
from loyalty.admin.offers import state_of
from loyalty.admin.points import link_to
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_CAMPAIGNS_SHOWN = 100
STATUS_LABELS = {"Scheduled": "info", "Active": "success", "Completed": "default"}


@admin.register(CampaignGroup)
class CampaignGroupAdmin(ProgramAdmin):
    """Campaigns that run together, within dates of their own."""

    list_display = ("name", "status", "starts_at", "last_day", "campaigns_link")
    search_fields = ("name", "description")
    ordering = ("-pk",)
    fieldsets = (
        ("What", {"fields": ("program", "name", "description")}),
        ("When", {"fields": ("starts_at", "ends_at")}),
        ("Campaigns", {"fields": ("its_campaigns",)}),
    )
    readonly_fields = ("its_campaigns",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(count=Count("campaigns"))

    @display(description="Now", label=STATUS_LABELS)
    def status(self, group: CampaignGroup) -> str:
        """Return what its dates make of it now."""
        return group.status_at(clock.now()).capitalize()

    @display(description="Campaigns", ordering="count")
    def campaigns_link(self, group: CampaignGroup) -> SafeString:
        """Return how many campaigns it has, linked to them."""
        address = list_page(Campaign, group__id__exact=group.pk)
        return link_to(address, f"{group.count:,}")  # type: ignore[attr-defined]

    @display(description="Its campaigns")
    def its_campaigns(self, group: CampaignGroup) -> SafeString | str:
        """Return its campaigns and what each is doing now, linked."""
        now = clock.now()
        rows = Campaign.objects.filter(group=group.pk).order_by("-pk")
        lines = [
            (link(row), state_of(row, now).lower()) for row in rows[:_CAMPAIGNS_SHOWN]
        ]
        if not lines:
            return "None yet. A campaign names its group on its own page, under What."
        return format_html_join("", "<p>{} ({})</p>", lines)


@admin.register(AssignedGroup)
class AssignedGroupAdmin(ProgramAdmin):
    """Products that a basket must hold, or that a reward method pays for."""

    list_display = ("name", "used", "products")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("item_list", OwnProgramFilter),
    )
    search_fields = ("name",)
    list_select_related = ("item_list",)
    autocomplete_fields = ("item_list",)
    ordering = ("name", "pk")
    fieldsets = (
        (
            "What",
            {
                "fields": (
                    "program",
                    "name",
                    "kind",
                    "item_list",
                    "excludes_matches",
                    "required_matches",
                )
            },
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: AssignedGroup | None = None
    ) -> tuple[str, ...]:
        """What it is used for is fixed once it is created."""
        return ("kind",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Ask for one product, as most groups do."""
        return {"required_matches": 1, **super().get_changeform_initial_data(request)}

    @display(description="Used", ordering="kind")
    def used(self, group: AssignedGroup) -> str:
        """Return what it is for."""
        return "To reward" if group.kind == AssignedGroupKind.REDEEM else "To qualify"

    @display(description="Products")
    def products(self, group: AssignedGroup) -> str:
        """Return which products and how many of them."""
        others = "not on" if group.excludes_matches else "on"
        least = max(group.required_matches, 1)
        noun = "product" if least == 1 else "products"
        return f"{least:,} {noun} or more {others} “{group.item_list}”"
