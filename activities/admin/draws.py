"""Read-only pages of draws: who could win what, with which chance, and who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from activities.models import Draw, Interaction
from campaigns.admin.methods import percent
from campaigns.models import RewardMethod
from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, name_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(Draw)
class DrawAdmin(ReadOnlyAdmin):
    """What was drawn, kept so that it can be drawn again."""

    list_display = ("occurred_at", "who", "game", "won", "candidate_count")
    list_filter = (
        ("campaign", OwnProgramFilter),
        ("member", AutocompleteSelectFilter),
        ("occurred_at", DaysFilter),
    )
    search_fields = ("member__identities__value__exact",)
    search_help_text = "A whole identity of a member."
    list_select_related = ("member", "campaign", "winner")
    fieldsets = (
        ("What", {"fields": ("occurred_at", "who", "game", "won", "set_off_by")}),
        ("What could be won", {"fields": ("chances",)}),
        (
            "To draw it again",
            {
                "description": "The ticket follows from the seed and the campaign, the "
                "winner from the ticket and the chances. “manage.py verify_draws” "
                "draws all of them again.",
                "fields": ("seed", "ticket", "candidates", "created_at"),
            },
        ),
    )
    readonly_fields = ("who", "game", "won", "set_off_by", "chances")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.prefetch_related("member__identities")

    @display(description="Member")
    def who(self, draw: Draw) -> SafeString:
        """Return who drew, linked."""
        return link(draw.member, name_of(draw.member))

    @display(description="Campaign", ordering="campaign__name")
    def game(self, draw: Draw) -> SafeString:
        """Return the campaign, linked."""
        return link(draw.campaign, draw.campaign.name)

    @display(description="Won", ordering="winner__name")
    def won(self, draw: Draw) -> str:
        """Return the reward method that was drawn."""
        return draw.winner.name

    @display(description="Could win")
    def candidate_count(self, draw: Draw) -> str:
        """Return how many reward methods had a chance."""
        return f"{len(draw.candidates):,}"

    @display(description="Set off by")
    def set_off_by(self, draw: Draw) -> SafeString:
        """Return the activity or interaction that set it off, linked."""
        is_interaction = Interaction.objects.filter(pk=draw.activity_id).exists()
        name = "interaction" if is_interaction else "activity"
        address = reverse(f"admin:activities_{name}_change", args=[draw.activity_id])
        text = f"{name.capitalize()} {draw.activity_id}"
        return format_html('<a class="loyalty-link" href="{}">{}</a>', address, text)

    @display(description="Chances")
    def chances(self, draw: Draw) -> SafeString:
        """Return each candidate with its chance at that time."""
        names = RewardMethod.objects.in_bulk([number for number, _ in draw.candidates])
        total = sum(weight for _, weight in draw.candidates)
        return format_html_join(
            "",
            "<p>{}: {} (weight {} of {})</p>",
            (
                (str(names.get(number, number)), percent(weight / total), weight, total)
                for number, weight in draw.candidates
            ),
        )
