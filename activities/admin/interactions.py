"""Pages of interactions: who played which campaign, what it cost and what was won."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from activities.admin.activities import ActivityChangeList, decimals_of
from activities.admin.explanation import explain
from activities.models import Activity, Interaction
from activities.services.rewards import rewards_of
from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, list_page, name_of, points
from loyalty.admin.points import link_to
from loyalty.models import Entry

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

_MODES = {
    "user": "Member",
    "admin": "Staff",
    "privileged": "Client",
    "api": "Client",
}


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    """What members did with campaigns that they interact with; kept as it was."""

    list_display = ("occurred_at", "who", "game", "won", "paid", "called_as", "actor")
    list_filter = (
        ("campaign", OwnProgramFilter),
        ("member", AutocompleteSelectFilter),
        ("occurred_at", DaysFilter),
        "mode",
    )
    search_fields = ("key__exact", "member__identities__value__exact")
    search_help_text = "A whole identity of a member, or the key of an interaction."
    list_select_related = ("member", "campaign")
    fields = (
        "occurred_at",
        "who",
        "game",
        "won",
        "paid",
        "voucher_codes",
        "called_as",
        "actor",
        "source",
        "key",
        "entries",
    )
    readonly_fields = fields

    change_form_outer_before_template = "admin/activities/interaction.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the explanation."""
        extra = dict(extra_context or {})
        found = self.get_queryset(request).filter(pk=object_id).first()
        if found is not None:
            # Explained like an activity without a value, of which there is no row.
            like = Activity(program_id=found.program_id, decision=found.decision)
            extra["explanation"] = explain(like, timezone.get_current_timezone())
        return super().changeform_view(request, object_id, form_url, extra)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ActivityChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.prefetch_related("member__identities")

    @display(description="Member")
    def who(self, interaction: Interaction) -> SafeString:
        """Return whom it was for, linked."""
        return link(interaction.member, name_of(interaction.member))

    @display(description="Campaign", ordering="campaign__name")
    def game(self, interaction: Interaction) -> SafeString:
        """Return the campaign, linked."""
        return link(interaction.campaign, interaction.campaign.name)

    @display(description="Won")
    def won(self, interaction: Interaction) -> str:
        """Return what it gave, as it was decided."""
        awards = interaction.decision.get("awards", [])
        return ", ".join(_prize(award) for award in awards) or "Nothing"

    @display(description="Paid")
    def paid(self, interaction: Interaction) -> str:
        """Return the price, by wallet."""
        prices = interaction.decision.get("prices", [])
        if not prices:
            return "–"
        # Of a list they were asked for once.
        known: dict[str, int] | None = getattr(interaction, "wallet_decimals", None)
        decimals = decimals_of(interaction.program_id) if known is None else known
        return ", ".join(
            f"{points(one['points'], decimals.get(one['wallet'], 0))} {one['wallet']}"
            for one in prices
        )

    @display(description="Called as", ordering="mode")
    def called_as(self, interaction: Interaction) -> str:
        """Return how the caller made itself known."""
        return _MODES.get(interaction.mode, interaction.mode or "–")

    @display(description="Vouchers")
    def voucher_codes(self, interaction: Interaction) -> str:
        """Return the codes that were given."""
        given = [one.voucher for one in rewards_of(interaction) if one.voucher]
        return ", ".join(voucher.code for voucher in given) or "–"

    @display(description="Entries")
    def entries(self, interaction: Interaction) -> SafeString:
        """Return a link to what it moved."""
        return link_to(list_page(Entry, activity_id__exact=interaction.pk))


def _prize(award: dict[str, Any]) -> str:
    if award.get("blank"):
        return "No win"
    if "voucher" in award:
        return f"Voucher {award['voucher']}"
    return f"{points(award['points'], award.get('decimals', 0))} {award['wallet']}"
