"""What the schema says of activities; the hot path itself needs no serializers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

POINTS = {"type": "number", "example": 12}
_SUMS = {
    "type": "object",
    "properties": dict.fromkeys(("base", "bonus", "targeted", "total"), POINTS),
    "required": ["base", "bonus", "targeted", "total"],
}
_BY_WALLET = {"type": "object", "additionalProperties": _SUMS}
_BY_UNIT = {"type": "object", "additionalProperties": _BY_WALLET}
_NUMBER = {
    "oneOf": [
        {
            "type": "string",
            "pattern": r"^\s*[+-]?(\d{1,14}(\.\d{0,4})?|\.\d{1,4})\s*$",
        },
        {"type": "number", "multipleOf": 0.0001},
    ],
    "description": "At most 4 decimals; noise of binary floats is taken off.",
    "example": "12.50",
}
_MEMBER = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "minLength": 1, "maxLength": 40},
                "value": {"type": "string", "minLength": 1, "maxLength": 255},
            },
            "required": ["kind", "value"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
            },
            "required": ["id"],
            "additionalProperties": False,
        },
    ],
    "example": {"kind": "customer_id", "value": "C-1001"},
}


class _Described(serializers.Field[Any, Any, Any, Any]):
    """Only described, never run."""


@extend_schema_field(_NUMBER)
class NumberOrText(_Described):
    """A number with at most four decimals."""


@extend_schema_field(_MEMBER)
class Actor(_Described):
    """A member by identity or by number."""


@extend_schema_field(_BY_UNIT)
class EarnedByUnit(_Described):
    """Points by business unit and wallet."""


@extend_schema_field(_BY_WALLET)
class EarnedByWallet(_Described):
    """Points by wallet."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class FreeData(_Described):
    """Free names and values."""


class LineItem(serializers.Serializer[Any]):
    """A line item."""

    item_id = serializers.CharField(max_length=100)
    value = NumberOrText(
        required=False,
        help_text="Value of the line, below zero if it came back. Left out: 0.",
    )
    quantity = NumberOrText(
        required=False,
        help_text="How many pieces, below zero if they came back. Left out: 1. A "
        "fraction is a weight or a length and counts as one piece. Lines of one "
        "`item_id` are netted out before any rule sees them.",
    )
    group_id = serializers.CharField(max_length=100, required=False)


class NewActivity(serializers.Serializer[Any]):
    """One thing that a member did."""

    key = serializers.CharField(
        max_length=255,
        required=False,
        help_text="Your name for the activity, such as the receipt's number, unique "
        "for good, also over files. A request that is repeated with the same key and "
        "meaning is answered like the first time; with another it is refused (422). "
        "Left out, the `Idempotency-Key` header counts; without either, the call must "
        "not be repeated.",
    )
    member = Actor(
        required=False, help_text="By any identity, or by number. Or `anonymous_id`."
    )
    anonymous_id = serializers.CharField(
        max_length=255,
        required=False,
        help_text="Somebody not yet known; instead of `member`.",
    )
    type = serializers.CharField(max_length=100, help_text="Code of the activity type.")
    occurred_at = serializers.DateTimeField(
        help_text="When it happened: RFC 3339, such as 2026-01-14T19:00:00+05:30. A "
        "moment without an offset is read in the program's time zone, unless the "
        "program says otherwise. At most one hour ahead."
    )
    channel = serializers.CharField(
        max_length=50, required=False, help_text="Code of the channel."
    )
    business_unit = serializers.CharField(
        max_length=50,
        required=False,
        help_text="Code of the unit. Left out, the offers of every unit count.",
    )
    value = NumberOrText(
        required=False,
        help_text="What it is worth, for example paid. Left out, it is the sum of the "
        "items. Below zero it is a return, which earns nothing and counts for nothing.",
    )
    currency = serializers.CharField(
        max_length=3,
        required=False,
        help_text="ISO code in three capital letters; campaigns can ask for it. Where "
        "the program counts in another currency, value and items are converted by the "
        "rate of the day, or refused if there is none (`no_exchange_rate`).",
    )
    items = serializers.ListField(
        child=LineItem(), required=False, min_length=1, max_length=1_000
    )
    data = FreeData(  # type: ignore[assignment]
        required=False, help_text="Kept as it is."
    )


class RecordedActivity(serializers.Serializer[Any]):
    """What was recorded and what it earned."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    member = serializers.IntegerField(allow_null=True)
    anonymous_id = serializers.CharField(allow_null=True)
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    earned = EarnedByUnit(
        help_text="Points by business unit (empty for offers of no unit) and wallet."
    )
    totals = EarnedByWallet(help_text="Points by wallet, over all units.")
    explanation = FreeData(
        required=False, help_text="With `explain=1`: every offer that was considered."
    )


class TriedActivity(NewActivity):
    """One thing that a member might do."""

    with_campaigns = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        max_length=50,
        help_text="Campaigns that count as enabled, by number. Their dates count as "
        "ever: try a later `occurred_at` for one that has not started. Each is in the "
        "explanation, paying or not.",
    )


class TriedCampaign(serializers.Serializer[Any]):
    """A campaign that counted as enabled."""

    campaign = serializers.IntegerField()
    is_live = serializers.BooleanField(help_text="It is enabled in earnest, too.")


class SimulatedActivity(serializers.Serializer[Any]):
    """What an activity would earn."""

    member = serializers.IntegerField(allow_null=True)
    anonymous_id = serializers.CharField(allow_null=True)
    type = serializers.CharField()
    earned = EarnedByUnit()
    totals = EarnedByWallet()
    explanation = FreeData()
    with_campaigns = TriedCampaign(many=True, required=False)


class StoredActivity(RecordedActivity):
    """An activity as it is read back."""

    source = serializers.CharField()  # type: ignore[assignment]
    channel = serializers.CharField(allow_null=True)
    business_unit = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    is_late = serializers.BooleanField(
        help_text="Arrived after the program's limit. It earned the same points."
    )
    zone_assumed = serializers.BooleanField()
    value = serializers.CharField(
        allow_null=True, help_text="As given, or the sum of the items."
    )
    is_return = serializers.BooleanField(
        help_text="Brings back what was bought, so it earned nothing (`is_return`)."
    )
    currency = serializers.CharField(allow_null=True, help_text="ISO code.")
    rate = serializers.CharField(
        allow_null=True,
        help_text="What one unit of its currency was worth in the program's; null "
        "where it counts as it is.",
    )
    counted_value = serializers.CharField(
        allow_null=True,
        help_text="Where it was converted: its value in the program's currency, which "
        "all rules counted with.",
    )
    items = LineItem(many=True)
    data = FreeData()  # type: ignore[assignment]
    upload = serializers.IntegerField(allow_null=True)
    is_reversed = serializers.BooleanField()
    reversed_at = serializers.DateTimeField(allow_null=True)
    reversal_reason = serializers.CharField(allow_null=True)
    offers = FreeData(
        required=False, help_text="With `explain=1`: the offers' names by number."
    )


class ActivityBatch(serializers.Serializer[Any]):
    """Up to 1,000 activities."""

    activities = serializers.ListField(
        child=NewActivity(), min_length=1, max_length=1_000
    )


class BatchResult(serializers.Serializer[Any]):
    """What became of one activity of a batch."""

    index = serializers.IntegerField()
    status = serializers.IntegerField(help_text="As if it had been sent alone.")
    activity = RecordedActivity(required=False)
    reversed_at = serializers.DateTimeField(
        required=False,
        help_text="Only if the activity was recorded before and undone since.",
    )
    problem = FreeData(required=False)


class BatchResults(serializers.Serializer[Any]):
    """What became of a batch."""

    recorded = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BatchResult(many=True)


class ReversalRequest(serializers.Serializer[Any]):
    """Why an activity is undone."""

    reason = serializers.CharField(max_length=200, required=False)


class ReversalAnswer(serializers.Serializer[Any]):
    """An activity that is undone."""

    id = serializers.IntegerField()
    is_reversed = serializers.BooleanField()
    was_reversed_before = serializers.BooleanField(
        help_text="True: this call changed nothing."
    )
    reversed_at = serializers.DateTimeField()


PURCHASE = OpenApiExample(
    "A purchase",
    value={
        "key": "till-7-2026-01-14-4711",
        "member": {"kind": "customer_id", "value": "C-1001"},
        "type": "PURCHASE",
        "occurred_at": "2026-01-14T19:00:00+01:00",
        "channel": "STORE",
        "business_unit": "grocery",
        "value": "23.40",
        "items": [
            {"item_id": "4006381333931", "value": "3.40", "quantity": 2},
            {"item_id": "9780201379624", "value": "20.00"},
        ],
    },
    request_only=True,
)
EARNED = OpenApiExample(
    "What it earned",
    value={
        "id": 9321,
        "key": "till-7-2026-01-14-4711",
        "member": 57,
        "anonymous_id": None,
        "type": "PURCHASE",
        "occurred_at": "2026-01-14T18:00:00Z",
        "earned": {
            "grocery": {
                "loyalty": {"base": 23, "bonus": 10, "targeted": 0, "total": 33}
            }
        },
        "totals": {"loyalty": {"base": 23, "bonus": 10, "targeted": 0, "total": 33}},
    },
    response_only=True,
    status_codes=["201"],
)
