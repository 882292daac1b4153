"""What the pages of campaigns tell from the activities of members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from activities.admin.effect import effect_page
from campaigns.admin.campaigns import CampaignAdmin
from campaigns.models import BASKETLESS, Campaign

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

# Campaigns know nothing of activities; the pages that do take over theirs.
admin.site.unregister(Campaign)


@admin.register(Campaign)
class MeasuredCampaignAdmin(CampaignAdmin):
    """Campaigns, with what they changed."""

    actions_detail = (
        *CampaignAdmin.actions_detail,
        "try_out",
        "backtest",
        "measured_effect",
    )

    @action(description="Try it out", permissions=["view"], icon="science")
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what an activity would earn if the campaign were live."""
        campaign = self.row_or_404(request, object_id)
        address = reverse("admin:activities_backtest_try")
        return HttpResponseRedirect(f"{address}?campaigns={campaign.pk}")

    @action(description="Backtest", permissions=["backtest"], icon="history")
    def backtest(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try the campaign on what members did."""
        campaign = self.row_or_404(request, object_id)
        address = reverse("admin:activities_backtest_add")
        return HttpResponseRedirect(f"{address}?campaigns={campaign.pk}")

    def has_backtest_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may ask for backtests."""
        return request.user.has_perm("activities.add_backtest")

    @action(description="Measured effect", permissions=["view"], icon="insights")
    def measured_effect(
        self, request: HttpRequest, object_id: str
    ) -> HttpResponse | StreamingHttpResponse:
        """Compare those who could take part with those held out."""
        return effect_page(request, self, self.row_or_404(request, object_id))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what has something to look at: activities, somebody held out."""
        actions = super().get_actions_detail(request, object_id)
        campaign = Campaign.objects.filter(pk=object_id).first()
        useless: tuple[str, ...] = ()
        if campaign is None or campaign.holdout_percent is None:
            useless += ("_measured_effect",)
        if campaign is not None and campaign.context in BASKETLESS:
            useless += ("_try_out", "_backtest")
        return [one for one in actions if not one.action_name.endswith(useless)]
