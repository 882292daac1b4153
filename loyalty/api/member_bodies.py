"""Bodies of members and of what they hold."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.bases import BodySerializer, RowSerializer
from loyalty.api.fields import MomentField, TextField, moment_text
from loyalty.api.points import points_of, score_of
from loyalty.models import (
    Entry,
    Lot,
    Member,
    MemberTier,
    SegmentMembership,
    Tier,
)

IDENTITIES_MAX = 20


class IdentitySerializer(BodySerializer):
    """One way to find a member."""

    kind = TextField(max_length=40, help_text="For example customer_id or email.")
    value = TextField(max_length=255)


class MemberSerializer(RowSerializer):
    """A member of the program."""

    identities = IdentitySerializer(many=True, read_only=True)

    class Meta:
        model = Member
        fields = (
            "id",
            "identities",
            "enrolled_at",
            "business_unit",
            "tier",
            "is_blocked",
            "attributes",
        )
        read_only_fields = ("tier",)
        extra_kwargs = {"enrolled_at": {"required": False}}


class NewMemberSerializer(MemberSerializer):
    """Who is to be enrolled."""

    identities = serializers.ListField(  # type: ignore[assignment]
        child=IdentitySerializer(), min_length=1, max_length=IDENTITIES_MAX
    )

    def _candidate(self, attrs: dict[str, Any]) -> Any:
        return super()._candidate({k: v for k, v in attrs.items() if k != "identities"})


class NewIdentitiesSerializer(BodySerializer):
    """Further ways to find a member."""

    identities = serializers.ListField(
        child=IdentitySerializer(), min_length=1, max_length=IDENTITIES_MAX
    )


@extend_schema_field({"type": "number", "example": 120})
class PointsField(serializers.Field[Any, Any, Any, Any]):
    """Points in the wallet's own unit."""

    def __init__(self, **options: Any) -> None:
        """Read only: the ledger alone writes points."""
        super().__init__(read_only=True, **options)


@extend_schema_field({"type": "number", "example": 120})
class ScoreField(PointsField):
    """Points that count for the tier, whatever the decimals of their wallets."""

    def to_representation(self, value: Any) -> Any:
        """Return a number, without decimals that say nothing."""
        return score_of(value)


class BalanceSerializer(serializers.Serializer[Any]):
    """What a member holds of one wallet."""

    wallet = serializers.CharField(help_text="Code of the wallet.")
    name = serializers.CharField()
    balance = PointsField(help_text="Everything held, pending points too.")
    pending = PointsField(help_text="Cannot be spent yet.")
    available = PointsField(help_text="Can be spent now: balance less pending.")
    lifetime_earned = PointsField(help_text="Awards less their reversals.")
    owed = PointsField(help_text="Taken from the next earnings.")

    def to_representation(self, account: Any) -> dict[str, Any]:
        """Return the sums of an account ``as_of`` now."""
        decimals = account.wallet.decimals
        sums = {
            "balance": account.balance_at,
            "pending": account.pending_at,
            "available": account.spendable_at,
            "lifetime_earned": account.lifetime_earned,
            "owed": account.owed,
        }
        return {
            "wallet": account.wallet.code,
            "name": account.wallet.name,
            **{name: points_of(amount, decimals) for name, amount in sums.items()},
        }


class EntrySerializer(serializers.Serializer[Entry]):
    """One movement of a member's points; below zero if they went away."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    wallet = serializers.CharField()
    points = PointsField()
    bucket = serializers.CharField()
    offer = serializers.IntegerField(allow_null=True, help_text="What paid.")
    business_unit = serializers.CharField(allow_null=True)
    activity = serializers.IntegerField(allow_null=True)
    reverses = serializers.IntegerField(allow_null=True)
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    reason = serializers.CharField()

    def to_representation(self, entry: Entry) -> dict[str, Any]:
        """Return the movement as the member sees it."""
        accounts = self.context["accounts"]
        is_credit = entry.credit_account_id in accounts
        account = accounts[
            entry.credit_account_id if is_credit else entry.debit_account_id
        ]
        unit = entry.business_unit
        amount = entry.amount if is_credit else -entry.amount
        return {
            "id": entry.pk,
            "kind": entry.kind,
            "wallet": account.wallet.code,
            "points": points_of(amount, account.wallet.decimals),
            "bucket": entry.bucket,
            "offer": entry.offer_id,
            "business_unit": None if unit is None else unit.code,
            "activity": entry.activity_id,
            "reverses": entry.reverses_id,
            "occurred_at": moment_text(entry.occurred_at),
            "created_at": moment_text(entry.created_at),
            "reason": entry.reason,
        }


class LotSerializer(serializers.Serializer[Lot]):
    """What is left of one credit."""

    id = serializers.IntegerField(help_text="The number of the entry that made it.")
    wallet = serializers.CharField()
    amount = PointsField()
    remaining = PointsField()
    earned_at = serializers.DateTimeField()
    available_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    is_pending = serializers.BooleanField()

    def to_representation(self, lot: Lot) -> dict[str, Any]:
        """Return the lot."""
        wallet = self.context["accounts"][lot.account_id].wallet
        now = self.context["now"]
        expires_at = lot.expires_at
        return {
            "id": lot.pk,
            "wallet": wallet.code,
            "amount": points_of(lot.amount, wallet.decimals),
            "remaining": points_of(lot.remaining_at(now), wallet.decimals),
            "earned_at": moment_text(lot.earned_at),
            "available_at": moment_text(lot.available_at),
            "expires_at": None if expires_at is None else moment_text(expires_at),
            "is_pending": lot.is_pending_at(now),
        }


class TierStepSerializer(serializers.ModelSerializer[MemberTier]):
    """One step of a tier history."""

    since = MomentField()
    score = ScoreField(help_text="The score that decided it, in points.")

    class Meta:
        model = MemberTier
        fields = ("tier", "since", "cause", "score", "activity_id")
        read_only_fields = fields


class RungSerializer(serializers.ModelSerializer[Tier]):
    """A tier by name."""

    threshold = ScoreField(help_text="Number of points from which it holds.")

    class Meta:
        model = Tier
        fields = ("id", "name", "threshold")


class StandingSerializer(serializers.Serializer[Any]):
    """Where a member stands, and how it came to stand there."""

    tier = RungSerializer(allow_null=True)
    score = ScoreField(help_text="Points that count for the tier.")
    next_tier = RungSerializer(allow_null=True)
    missing = ScoreField(
        allow_null=True, help_text="Score still needed for the next tier."
    )
    history = TierStepSerializer(many=True, help_text="The newest 200, newest first.")


class StaySerializer(serializers.ModelSerializer[SegmentMembership]):
    """A stay in a segment."""

    code = serializers.CharField(source="segment.code")
    entered_at = MomentField(allow_null=True)
    left_at = MomentField(allow_null=True)

    class Meta:
        model = SegmentMembership
        fields = ("segment", "code", "entered_at", "left_at")
        read_only_fields = fields
