"""Paths of campaigns, quests and lists of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaigns.api import groups, quests, resources

if TYPE_CHECKING:
    from rest_framework.routers import BaseRouter


def register(router: BaseRouter) -> None:
    """Add the resources to the router."""
    router.register("campaigns", resources.CampaignViewSet, basename="campaigns")
    router.register("quests", quests.QuestViewSet, basename="quests")
    router.register("item-lists", resources.ItemListViewSet, basename="item-lists")
    router.register(
        "campaign-groups", groups.CampaignGroupViewSet, basename="campaign-groups"
    )
    router.register(
        "assigned-groups", groups.AssignedGroupViewSet, basename="assigned-groups"
    )
