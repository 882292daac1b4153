"""Bodies of the program's rows."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.bases import RowSerializer
from loyalty.api.fields import RowIds, WholeNumberField
from loyalty.api.points import score_of
from loyalty.engine.facts import OfferKind
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
    Tag,
    Tier,
    Wallet,
)

OFFER_FIELDS = (
    "id",
    "code",
    "name",
    "is_enabled",
    "starts_at",
    "ends_at",
    "business_unit",
    "minimum_tier",
    "wallet",
    "reward_method",
    "points",
    "per_value",
    "multiplier",
    "cap_count",
    "frequency_period",
    "required_attempts",
)


class ProgramSerializer(RowSerializer):
    """The program that the key belongs to."""

    class Meta:
        model = Program
        fields = (
            "id",
            "code",
            "name",
            "time_zone",
            "first_weekday",
            "naive_timestamp_policy",
            "late_after_hours",
            "acceptance_days",
            "currency",
            "line_value_max",
            "activity_value_max",
            "line_quantity_max",
            "activity_points_max",
            "configuration_revision",
        )


class ExchangeRateSerializer(RowSerializer):
    """What one unit of a currency is worth in the program's, from a day on."""

    class Meta:
        model = ExchangeRate
        fields = ("id", "currency", "valid_from", "rate")


class BusinessUnitSerializer(RowSerializer):
    """A banner, country or brand."""

    class Meta:
        model = BusinessUnit
        fields = ("id", "code", "name", "is_enabled")


class PartnerSerializer(RowSerializer):
    """A sponsor of activities."""

    class Meta:
        model = Partner
        fields = ("id", "name")


class TagSerializer(RowSerializer):
    """A label on activity types."""

    class Meta:
        model = Tag
        fields = ("id", "name")


class ChannelSerializer(RowSerializer):
    """Where members act."""

    class Meta:
        model = Channel
        fields = ("id", "code", "name", "is_enabled")


class ReportingChannelSerializer(RowSerializer):
    """One of the 26 channels of the catalogue's reports."""

    class Meta:
        model = ReportingChannel
        fields = ("id", "name")


class CategorySerializer(RowSerializer):
    """One of the four categories."""

    class Meta:
        model = Category
        fields = ("id", "name")


class KindSerializer(RowSerializer):
    """One of the eight kinds of activity type."""

    class Meta:
        model = Kind
        fields = ("id", "key", "name")


class FrequencyPeriodSerializer(RowSerializer):
    """One of the eleven ways to cut time for a cap."""

    class Meta:
        model = FrequencyPeriod
        fields = ("id", "name", "unit", "is_active")


THRESHOLD_MAX = 10**15


@extend_schema_field({"type": "number", "example": 1000})
class ThresholdField(WholeNumberField):
    """Number of points from which a tier holds; whole where it is written."""

    def to_representation(self, value: Any) -> Any:
        """Return a number, without decimals that say nothing."""
        return score_of(value)


class TierSerializer(RowSerializer):
    """A rung of the ladder."""

    threshold = ThresholdField(min_value=0, max_value=THRESHOLD_MAX)

    class Meta:
        model = Tier
        fields = ("id", "name", "threshold")


class SegmentSerializer(RowSerializer):
    """A named list of members."""

    class Meta:
        model = Segment
        fields = ("id", "code", "name", "description", "kind")
        read_only_fields = ("kind",)


class WalletSerializer(RowSerializer):
    """A kind of points."""

    class Meta:
        model = Wallet
        fields = (
            "id",
            "code",
            "name",
            "decimals",
            "rounding",
            "expiry_model",
            "expiry_count",
            "pending_days",
            "allows_negative",
            "counts_for_tier",
        )


class ActivityTypeSerializer(RowSerializer):
    """Something a member can do."""

    tags = RowIds(queryset=Tag.objects.all(), required=False)

    class Meta:
        model = ActivityType
        fields = (
            *OFFER_FIELDS,
            "title",
            "description",
            "public_title",
            "public_description",
            "image",
            "category",
            "type_kind",
            "reporting_channel",
            "partner",
            "tags",
            "show_as_locked_by_tier",
            "segment",
            "segment_mode",
            "redirect_url",
            "points_on_click",
            "action_tags",
            "extra_data",
            "allows_negative_value",
            "value_param",
            "needs_review",
        )

    def own(self) -> dict[str, Any]:
        """Return program and discriminator; the constraints look at both."""
        return {**super().own(), "kind": OfferKind.ACTIVITY_TYPE.value}


class NumbersSerializer(serializers.Serializer[Any]):
    """How many rows an action touched."""

    added = serializers.IntegerField(required=False)
    removed = serializers.IntegerField(required=False)
