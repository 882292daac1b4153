"""Campaigns and item lists as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from campaigns.api.methods import (
    METHODS_IN_ADVANCE,
    METHODS_MAX,
    MethodSerializer,
    misfits,
    named_twice,
    parts_of,
    save_methods,
)
from campaigns.api.readiness import (
    CostSerializer,
    ReadinessSerializer,
    asked_in,
    body_of,
    refuse_unready,
)
from campaigns.models import AssignedGroup, Campaign, Context, ItemList, ListedItem
from campaigns.reports import standings_of
from campaigns.services.budgets import paid_by
from campaigns.services.composing import CAMPAIGN_LINKS, CONSTRAINED
from campaigns.services.readiness import readiness_of
from loyalty.api.bases import BodySerializer, RowSerializer
from loyalty.api.fields import RowIds, TextField, TruthField
from loyalty.api.filters import CodeFilters, MomentFilter, NumberFilter, TruthFilter
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst
from loyalty.api.problems import STATUS_OF_REFUSAL, Problem, invalid
from loyalty.api.serializers import OFFER_FIELDS, NumbersSerializer
from loyalty.api.views import ConfigurationViewSet, name_actor
from loyalty.engine.codes import item_key
from loyalty.engine.facts import OfferKind
from loyalty.models import ActivityType, BusinessUnit, Channel, Segment
from loyalty.services import clock

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.request import Request

    from campaigns.reports import Standing

STATUS_OF_REFUSAL.update({"unknown_program": 401})

ITEMS_PER_CALL_MAX = 10_000


class MethodUsageSerializer(serializers.Serializer[Any]):
    """How a reward method stands."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    given = serializers.IntegerField(help_text="How often, and not taken back.")
    left = serializers.IntegerField(allow_null=True, help_text="null: no limit.")
    chance = serializers.FloatField(
        allow_null=True,
        help_text="0 to 1, of a member whom every method is open to; null: no draw.",
    )


class UsageSerializer(serializers.Serializer[Any]):
    """What a campaign with a budget has given so far, and its reward methods."""

    points_paid = serializers.IntegerField(help_text="In the wallet's smallest unit.")
    awards_paid = serializers.IntegerField()
    methods = MethodUsageSerializer(many=True)


class CampaignSerializer(RowSerializer):
    """An offer that marketing makes."""

    channels = RowIds(queryset=Channel.objects.all(), required=False)
    activity_types = RowIds(queryset=ActivityType.objects.all(), required=False)
    included_segments = RowIds(queryset=Segment.objects.all(), required=False)
    excluded_segments = RowIds(queryset=Segment.objects.all(), required=False)
    qualify_groups = RowIds(queryset=AssignedGroup.objects.all(), required=False)
    business_units = RowIds(queryset=BusinessUnit.objects.all(), required=False)
    methods = MethodSerializer(
        many=True,
        required=False,
        max_length=METHODS_MAX,  # type: ignore[call-arg]
    )
    enable_anyway = TruthField(
        write_only=True,
        required=False,
        help_text="Enable it although the report on it names what stops it.",
    )

    class Meta:
        model = Campaign
        fields = (
            *OFFER_FIELDS,
            "enable_anyway",
            "voucher_type",
            "description",
            "context",
            "owner_code",
            "group",
            "handling",
            "point_cost",
            "point_cost_wallet",
            "qualify_groups",
            "business_units",
            "currencies",
            "methods",
            "priority",
            "exclusive_group",
            "channels",
            "activity_types",
            "included_segments",
            "excluded_segments",
            "item_list",
            "minimum_value",
            "maximum_value",
            "weekdays",
            "opens_at",
            "closes_at",
            "points_budget",
            "awards_budget",
            "budget_policy",
            "holdout_percent",
        )

    def own(self) -> dict[str, Any]:
        """Return program and discriminator; the constraints look at both."""
        return {**super().own(), "kind": OfferKind.CAMPAIGN.value}

    def validate_context(self, value: str) -> str:
        """Refuse another context than the campaign was created with."""
        if self.instance is not None and self.instance.context != value:
            raise serializers.ValidationError(
                "The context of a campaign cannot be changed.", "context_is_fixed"
            )
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the row's own rules, and whether all of it goes together."""
        values = {**attrs}
        sent = values.pop("methods", None)
        values.pop("enable_anyway", None)
        broken: list[Any] = []
        try:
            super().validate(values)
        except Problem as problem:
            broken = [one for one in problem.errors if one["code"] not in CONSTRAINED]
        row = self._candidate(values)
        links = {name: values[name] for name in CAMPAIGN_LINKS if name in values}
        broken += named_twice(sent or [])
        broken += misfits(row, links, parts_of(row, sent))
        if broken:
            raise invalid(broken)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Campaign:
        """Create the campaign with its reward methods.

        Raises:
            Problem: it would be enabled, and the report on it names what stops it.
        """
        sent = validated_data.pop("methods", [])
        is_forced = validated_data.pop("enable_anyway", False)
        campaign: Campaign = super().create(validated_data)
        save_methods(campaign, sent)
        if campaign.is_enabled and not is_forced:
            refuse_unready(campaign)
        return campaign

    def update(self, instance: Campaign, validated_data: dict[str, Any]) -> Campaign:
        """Change the campaign, and its reward methods where they are sent.

        Raises:
            Problem: this enables it, and the report on it names what stops it.
        """
        sent = validated_data.pop("methods", None)
        is_forced = validated_data.pop("enable_anyway", False)
        was_enabled = instance.is_enabled
        campaign: Campaign = super().update(instance, validated_data)
        if sent is not None:
            save_methods(campaign, sent)
        if campaign.is_enabled and not (was_enabled or is_forced):
            refuse_unready(campaign)
        return campaign


class CampaignFilters(django_filters.FilterSet):
    """How campaigns are found."""

    code = django_filters.CharFilter(label="Code, to the letter.")
    is_enabled = TruthFilter(label="Whether the switch is on.")
    live_at = MomentFilter(
        method="live", label="Enabled, and its dates contain this moment."
    )
    business_unit = NumberFilter(
        field_name="business_unit_id", label="Number of a business unit."
    )
    activity_type = NumberFilter(
        field_name="activity_types", label="Number of an activity type."
    )
    segment = NumberFilter(
        field_name="included_segments", label="Number of a segment it is for."
    )
    item_list = NumberFilter(field_name="item_list_id", label="Number of a list.")
    context = django_filters.ChoiceFilter(
        choices=Context.choices, label="What sets it off."
    )
    group = NumberFilter(field_name="group_id", label="Number of a campaign group.")

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = ()

    def live(
        self, rows: QuerySet[Campaign], name: str, value: datetime
    ) -> QuerySet[Campaign]:
        """Select the campaigns that are live at a moment."""
        started = rows.exclude(starts_at__gt=value).exclude(ends_at__lte=value)
        return started.filter(is_enabled=True)


class CampaignViewSet(ConfigurationViewSet):
    """Offers that marketing makes: who, when, for what, how much, up to where."""

    queryset = Campaign.objects.prefetch_related(*CAMPAIGN_LINKS, METHODS_IN_ADVANCE)
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilters
    pagination_class = NewestFirst

    @extend_schema(responses=UsageSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def usage(self, request: Request, pk: str) -> Response:
        """What the campaign has given of its budget."""
        campaign = self.get_object()
        campaign_id = campaign.pk
        standings = standings_of(campaign, campaign.methods.all())
        points, awards = paid_by([campaign_id])[campaign_id]
        return Response(
            {
                "points_paid": points,
                "awards_paid": awards,
                "methods": [_standing(one) for one in standings],
            }
        )

    @extend_schema(
        responses=ReadinessSerializer, parameters=[CostSerializer], filters=False
    )
    @action(detail=True, pagination_class=None)
    def readiness(self, request: Request, pk: str) -> Response:
        """What is wrong or odd about the campaign, and what it may cost at most."""
        asked = asked_in(request.query_params)
        campaign = self.get_object()
        report = readiness_of(campaign, now=clock.now(), **asked)
        return Response(body_of(report, campaign.pk))

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        own = {"cost_per_point"} if self.action == "readiness" else set()
        return super().known_parameters() | own


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "id": one.method.pk,
        "name": one.method.name,
        "given": one.given,
        "left": one.left,
        "chance": one.chance,
    }


class ItemListSerializer(RowSerializer):
    """A named list of products."""

    class Meta:
        model = ItemList
        fields = ("id", "code", "name")


class ItemsSerializer(BodySerializer):
    """Products by the id that tills send."""

    items = serializers.ListField(
        child=TextField(max_length=100),
        min_length=1,
        max_length=ITEMS_PER_CALL_MAX,
    )


class ListedItemSerializer(serializers.ModelSerializer[ListedItem]):
    """A product on a list."""

    class Meta:
        model = ListedItem
        fields = ("item_id",)


class ItemListViewSet(ConfigurationViewSet):
    """Lists of products, up to hundreds of thousands each."""

    queryset = ItemList.objects.all()
    serializer_class = ItemListSerializer
    filterset_class = CodeFilters

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        own = {"cursor", "page_size", "item_id"} if self.action == "items" else set()
        return super().known_parameters() | own

    @extend_schema(
        responses=ListedItemSerializer(many=True),
        parameters=[OpenApiParameter("item_id", str, description="To the letter.")],
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def items(self, request: Request, pk: str) -> Response:
        """Products on the list."""
        rows = ListedItem.objects.filter(item_list=self.get_object())
        item_id = request.query_params.get("item_id")
        if item_id:
            rows = rows.filter(item_id=item_id)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(ListedItemSerializer(page, many=True).data)

    @extend_schema(request=ItemsSerializer, responses=NumbersSerializer)
    @items.mapping.post
    @idempotent
    def add_items(self, request: Request, pk: str) -> Response:
        """Put products on the list; those already on it stay."""
        item_list, item_ids = self._named(request)
        with transaction.atomic():
            name_actor(self.caller)
            before = ListedItem.objects.filter(item_list=item_list)
            # Each product in its first spelling.
            named = {item_key(one): one for one in reversed(item_ids)}
            known = set(
                before.filter(item_key__in=named).values_list("item_key", flat=True)
            )
            first = set(named.values())
            fresh = [
                one for one in item_ids if one in first and item_key(one) not in known
            ]
            ListedItem.objects.bulk_create(
                [ListedItem(item_list=item_list, item_id=one) for one in fresh],
                ignore_conflicts=True,
            )
        return Response({"added": len(fresh)})

    @extend_schema(request=ItemsSerializer, responses=NumbersSerializer)
    @action(detail=True, methods=["post"], url_path="items/remove")
    @idempotent
    def remove_items(self, request: Request, pk: str) -> Response:
        """Take products off the list; those not on it are passed over."""
        item_list, item_ids = self._named(request)
        with transaction.atomic():
            name_actor(self.caller)
            keys = {item_key(one) for one in item_ids}
            rows = ListedItem.objects.filter(item_list=item_list, item_key__in=keys)
            count, _ = rows.delete()
        return Response({"removed": count})

    def _named(self, request: Request) -> tuple[ItemList, list[str]]:
        item_list = self.get_object()
        body = ItemsSerializer(data=self.check_object_body(request))
        body.is_valid(raise_exception=True)
        return item_list, list(dict.fromkeys(body.validated_data["items"]))
