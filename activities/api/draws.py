"""Draws, read back: what could be won, with which chance, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from activities.models import Draw
from loyalty.api.fields import MomentField
from loyalty.api.filters import MomentFilter, NumberFilter
from loyalty.api.pagination import NewestFirst
from loyalty.api.views import ReadOnlyViewSet

if TYPE_CHECKING:
    from django.db.models import QuerySet


class CandidateSerializer(serializers.Serializer[Any]):
    """A reward method that could be won."""

    method = serializers.IntegerField()
    weight = serializers.IntegerField()


class DrawSerializer(serializers.ModelSerializer[Draw]):
    """One draw, with what it takes to draw it again."""

    candidates = serializers.SerializerMethodField()
    occurred_at = MomentField(read_only=True)

    class Meta:
        model = Draw
        fields = (
            "id",
            "campaign",
            "member",
            "activity_id",
            "occurred_at",
            "candidates",
            "winner",
            "seed",
            "ticket",
        )
        read_only_fields = fields

    @extend_schema_field(CandidateSerializer(many=True))
    def get_candidates(self, draw: Draw) -> list[dict[str, int]]:
        """Return the candidates in the order of the draw."""
        return [
            {"method": method, "weight": weight} for method, weight in draw.candidates
        ]


class DrawFilters(django_filters.FilterSet):
    """How draws are found."""

    campaign = NumberFilter(field_name="campaign_id", label="Number of the campaign.")
    member = NumberFilter(field_name="member_id", label="Number of the member.")
    winner = NumberFilter(field_name="winner_id", label="Number of a reward method.")
    activity_id = NumberFilter(
        label="Number of the activity or interaction that set it off."
    )
    occurred_from = MomentFilter(
        field_name="occurred_at", lookup_expr="gte", label="From this moment on."
    )
    occurred_until = MomentFilter(
        field_name="occurred_at", lookup_expr="lt", label="Before this moment."
    )

    class Meta:
        model = Draw
        fields: tuple[str, ...] = ()


class DrawViewSet(ReadOnlyViewSet):
    """Draws of campaigns, newest first; each can be drawn again from its seed.

    A key bound to business units sees those of campaigns of these and of none.
    """

    queryset = Draw.objects.all()
    serializer_class = DrawSerializer
    filterset_class = DrawFilters
    pagination_class = NewestFirst
    http_method_names = ["get", "head"]

    def get_queryset(self) -> QuerySet[Draw]:
        """Return the draws that the key may see."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False) or not self.caller.unit_ids:
            return rows
        mine = Q(campaign__business_unit_id__in=self.caller.unit_ids)
        return rows.filter(mine | Q(campaign__business_unit_id=None))
