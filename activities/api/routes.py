"""Paths of activities and uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.api import refusals  # noqa: F401 (fills the table of statuses)
from activities.api.activities import ActivityViewSet
from activities.api.backtests import BacktestViewSet
from activities.api.draws import DrawViewSet
from activities.api.effects import EffectViewSet
from activities.api.interactions import CampaignInteractionViewSet, InteractionViewSet
from activities.api.logins import LoginViewSet
from activities.api.upload_mappings import UploadMappingViewSet
from activities.api.uploads import UploadViewSet
from loyalty.api.views import ROW_NUMBER

if TYPE_CHECKING:
    from rest_framework.routers import BaseRouter


def register(router: BaseRouter) -> None:
    """Add the resources to the router."""
    router.register("activities", ActivityViewSet, basename="activities")
    router.register("campaigns", EffectViewSet, basename="campaign-effects")
    router.register("draws", DrawViewSet, basename="draws")
    router.register("interactions", InteractionViewSet, basename="interactions")
    router.register(
        rf"campaigns/(?P<campaign_id>{ROW_NUMBER})/interactions",
        CampaignInteractionViewSet,
        basename="campaign-interactions",
    )
    router.register("login-sessions", LoginViewSet, basename="login-sessions")
    router.register("backtests", BacktestViewSet, basename="backtests")
    router.register("uploads", UploadViewSet, basename="uploads")
    router.register("upload-mappings", UploadMappingViewSet, basename="upload-mappings")
