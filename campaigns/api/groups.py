"""Groups of campaigns and groups of products as resources."""

from __future__ import annotations

from typing import Any

import django_filters
from rest_framework import serializers

from campaigns.models import AssignedGroup, AssignedGroupKind, CampaignGroup
from loyalty.api.bases import RowSerializer
from loyalty.api.filters import NumberFilter
from loyalty.api.views import ConfigurationViewSet
from loyalty.services import clock


class CampaignGroupSerializer(RowSerializer):
    """Campaigns that run together; its dates narrow theirs."""

    status = serializers.SerializerMethodField(
        help_text="By its dates, now: scheduled, active or completed."
    )

    class Meta:
        model = CampaignGroup
        fields = ("id", "name", "description", "starts_at", "ends_at", "status")

    def get_status(self, group: CampaignGroup) -> str:
        """Return what its dates make of it now."""
        return group.status_at(clock.now())


class CampaignGroupViewSet(ConfigurationViewSet):
    """Campaigns that run together, within dates of their own."""

    queryset = CampaignGroup.objects.all()
    serializer_class = CampaignGroupSerializer


class AssignedGroupSerializer(RowSerializer):
    """Products of a list, or all others, and how many a basket must hold."""

    class Meta:
        model = AssignedGroup
        fields = (
            "id",
            "name",
            "kind",
            "item_list",
            "excludes_matches",
            "required_matches",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask of a new group what a change may leave out."""
        if self.instance is None and attrs.get("kind") == AssignedGroupKind.QUALIFY:
            attrs.setdefault("required_matches", 1)
        return super().validate(attrs)


class AssignedGroupFilters(django_filters.FilterSet):
    """How groups of products are found."""

    kind = django_filters.ChoiceFilter(
        choices=AssignedGroupKind.choices, label="What it is used for."
    )
    item_list = NumberFilter(field_name="item_list_id", label="Number of a list.")

    class Meta:
        model = AssignedGroup
        fields: tuple[str, ...] = ()


class AssignedGroupViewSet(ConfigurationViewSet):
    """Groups of products: to qualify a basket, or to be rewarded."""

    queryset = AssignedGroup.objects.all()
    serializer_class = AssignedGroupSerializer
    filterset_class = AssignedGroupFilters
