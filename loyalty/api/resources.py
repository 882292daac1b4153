"""The program's configuration as resources."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from loyalty import services
from loyalty.api import serializers as bodies
from loyalty.api.bases import BodySerializer
from loyalty.api.fields import MomentField, WholeNumberField
from loyalty.api.filters import ActivityTypeFilters, CodeFilters
from loyalty.api.idempotency import idempotent
from loyalty.api.problems import STATUS_OF_REFUSAL
from loyalty.api.views import ConfigurationViewSet, ReadOnlyViewSet, VocabularyViewSet
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Category,
    Channel,
    ExchangeRate,
    FrequencyPeriod,
    Kind,
    Partner,
    Program,
    ReportingChannel,
    Segment,
    SegmentMembership,
    Tag,
    Tier,
    Wallet,
)
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rest_framework.request import Request

STATUS_OF_REFUSAL.update({"unknown_members": 422, "segment_kept_by_rules": 409})

MEMBERS_PER_CALL_MAX = 10_000


class ProgramViewSet(ReadOnlyViewSet):
    """The program that the key belongs to."""

    queryset = Program.objects.all()
    serializer_class = bodies.ProgramSerializer
    program_path = "id"


class ExchangeRateViewSet(ReadOnlyViewSet):
    """What other currencies are worth in the program's; set in the admin."""

    queryset = ExchangeRate.objects.all()
    serializer_class = bodies.ExchangeRateSerializer


class BusinessUnitViewSet(ConfigurationViewSet):
    """Banners, countries and brands."""

    queryset = BusinessUnit.objects.all()
    serializer_class = bodies.BusinessUnitSerializer
    filterset_class = CodeFilters


class PartnerViewSet(ConfigurationViewSet):
    """Sponsors of activities."""

    queryset = Partner.objects.all()
    serializer_class = bodies.PartnerSerializer


class TagViewSet(ConfigurationViewSet):
    """Labels on activity types."""

    queryset = Tag.objects.all()
    serializer_class = bodies.TagSerializer


class ChannelViewSet(ConfigurationViewSet):
    """Where members act."""

    queryset = Channel.objects.all()
    serializer_class = bodies.ChannelSerializer
    filterset_class = CodeFilters


class TierViewSet(ConfigurationViewSet):
    """The rungs of the ladder."""

    queryset = Tier.objects.all()
    serializer_class = bodies.TierSerializer


class WalletViewSet(ConfigurationViewSet):
    """Kinds of points; one that was created stays, for the sake of its ledger."""

    http_method_names = ["get", "post", "patch", "head"]
    queryset = Wallet.objects.all()
    serializer_class = bodies.WalletSerializer
    filterset_class = CodeFilters


class ActivityTypeViewSet(ConfigurationViewSet):
    """What members can do, and what it pays."""

    queryset = ActivityType.objects.prefetch_related("tags")
    serializer_class = bodies.ActivityTypeSerializer
    filterset_class = ActivityTypeFilters


class ReportingChannelViewSet(VocabularyViewSet):
    """The 26 channels of the catalogue's reports."""

    queryset = ReportingChannel.objects.all()
    serializer_class = bodies.ReportingChannelSerializer


class CategoryViewSet(VocabularyViewSet):
    """The four categories."""

    queryset = Category.objects.all()
    serializer_class = bodies.CategorySerializer


class KindViewSet(VocabularyViewSet):
    """The eight kinds of activity type."""

    queryset = Kind.objects.all()
    serializer_class = bodies.KindSerializer


class FrequencyPeriodViewSet(VocabularyViewSet):
    """The eleven ways to cut time."""

    queryset = FrequencyPeriod.objects.all()
    serializer_class = bodies.FrequencyPeriodSerializer


class MembersSerializer(BodySerializer):
    """Members by number, and when they come or go."""

    members = serializers.ListField(
        child=WholeNumberField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MEMBERS_PER_CALL_MAX,
    )
    at = MomentField(required=False, help_text="When; left out, now.")


class SegmentStaySerializer(serializers.ModelSerializer[SegmentMembership]):
    """A member's stay in a segment."""

    entered_at = MomentField(allow_null=True)
    left_at = MomentField(allow_null=True)

    class Meta:
        model = SegmentMembership
        fields = ("id", "member", "entered_at", "left_at")
        read_only_fields = fields


class SegmentViewSet(ConfigurationViewSet):
    """Lists of members."""

    queryset = Segment.objects.all()
    serializer_class = bodies.SegmentSerializer
    filterset_class = CodeFilters

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        paging = {"cursor", "page_size"} if self.action == "members" else set()
        return super().known_parameters() | paging

    @extend_schema(responses=SegmentStaySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def members(self, request: Request, pk: str) -> Response:
        """Who is or was in the segment."""
        rows = SegmentMembership.objects.filter(segment=self.get_object())
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(SegmentStaySerializer(page, many=True).data)

    @extend_schema(request=MembersSerializer, responses=bodies.NumbersSerializer)
    @members.mapping.post
    @idempotent
    def add_members(self, request: Request, pk: str) -> Response:
        """Let members enter; those already in stay in."""
        return Response({"added": self._moved(request, services.add_members)})

    @extend_schema(request=MembersSerializer, responses=bodies.NumbersSerializer)
    @action(detail=True, methods=["post"], url_path="members/remove")
    @idempotent
    def remove_members(self, request: Request, pk: str) -> Response:
        """Let members leave; those not in it are passed over."""
        return Response({"removed": self._moved(request, services.remove_members)})

    def _moved(
        self,
        request: Request,
        move: Callable[[Segment, Sequence[int], datetime], int],
    ) -> int:
        segment = self.get_object()
        body = MembersSerializer(
            data=self.check_object_body(request), context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        at = body.validated_data.get("at") or clock.now()
        return move(segment, body.validated_data["members"], at)
