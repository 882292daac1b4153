"""Bodies of vouchers, their types and their lists of codes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.bases import BodySerializer, RowSerializer
from loyalty.api.fields import (
    ROW_NUMBER_MAX,
    MomentField,
    NumberField,
    TextField,
    WholeNumberField,
)
from loyalty.models import (
    CodeSource,
    VoucherCodeJob,
    VoucherKind,
    VoucherStatus,
    VoucherType,
)
from loyalty.services import clock
from loyalty.services.vouchers import (
    CLAIMS_MAX,
    CODES_MAX,
    LOCK_SECONDS_MAX,
    Lock,
)

if TYPE_CHECKING:
    from loyalty.models import Voucher

CODES_PER_CALL_MAX = 10_000
_CODE_CHARACTERS_MAX = 100
_MEMBER_HELP = (
    "The number of the member who asks: it must be his voucher, and his type must let "
    "members claim. Left out, staff or the till asks."
)


class VoucherTypeSerializer(RowSerializer):
    """What vouchers of one sort are worth, how long, and where their codes are from."""

    codes_left = serializers.SerializerMethodField(
        help_text="Codes of the list that nobody has; null without a list."
    )

    class Meta:
        model = VoucherType
        fields = (
            "id",
            "code",
            "name",
            "kind",
            "amount",
            "discount_ratio",
            "currency",
            "expiry_days",
            "expires_at",
            "claimed_by_default",
            "allows_member_to_claim",
            "codes",
            "prefix",
            "title",
            "description",
            "image_url",
            "codes_left",
        )

    @extend_schema_field({"type": ["integer", "null"]})
    def get_codes_left(self, voucher_type: VoucherType) -> int | None:
        """Return what is left of the list."""
        if voucher_type.codes != CodeSource.LISTED:
            return None
        return voucher_type.stock.codes_left


class NewCodesSerializer(BodySerializer):
    """Codes for a list: how many to make, or the codes themselves."""

    count = WholeNumberField(
        required=False,
        min_value=1,
        max_value=CODES_MAX,
        help_text="Make so many codes that cannot be guessed.",
    )
    codes = serializers.ListField(
        child=TextField(max_length=_CODE_CHARACTERS_MAX),
        required=False,
        min_length=1,
        max_length=CODES_PER_CALL_MAX,
        help_text="Put these on the list; those that the program has are passed over.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both, and neither."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Send either count or codes.", "either")
        return attrs


class CodeJobSerializer(serializers.ModelSerializer[VoucherCodeJob]):
    """Codes being added to a list."""

    created_at = MomentField()
    finished_at = MomentField(allow_null=True)

    class Meta:
        model = VoucherCodeJob
        fields = (
            "id",
            "voucher_type",
            "kind",
            "status",
            "asked_count",
            "added_count",
            "duplicate_count",
            "error",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class VoucherSerializer(serializers.Serializer[Any]):
    """A voucher as it stands now."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    status = serializers.ChoiceField(
        VoucherStatus.choices,
        help_text="`available`: on a list, given to nobody. Past `expires_at` it is "
        "`expired`.",
    )
    type = serializers.IntegerField(help_text="Number of its voucher type.")
    kind = serializers.ChoiceField(VoucherKind.choices)
    member = serializers.IntegerField(allow_null=True)
    offer = serializers.IntegerField(allow_null=True, help_text="What gave it.")
    activity = serializers.IntegerField(
        allow_null=True, help_text="The activity or interaction that earned it."
    )
    amount = NumberField(
        allow_null=True, help_text="What it is worth as long as it is not redeemed."
    )
    amount_redeemed = NumberField()
    discount_ratio = NumberField(allow_null=True)
    currency = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    image_url = serializers.CharField()
    issued_at = MomentField(allow_null=True)
    claimed_at = MomentField(allow_null=True)
    redeemed_at = MomentField(allow_null=True)
    voided_at = MomentField(allow_null=True)
    expires_at = MomentField(allow_null=True, help_text="The first instant after it.")
    locked_until = MomentField(allow_null=True)
    locked_for_basket = serializers.CharField()
    redeemed_for_basket = serializers.CharField()
    regenerated_from = serializers.CharField(
        allow_null=True, help_text="Code of the voucher whose rest it is."
    )

    def to_representation(self, voucher: Voucher) -> dict[str, Any]:
        """Return the voucher at this moment."""
        now = clock.now()
        voucher_type = voucher.voucher_type
        parent = voucher.regenerated_from
        is_locked = voucher.is_locked_at(now)
        moments = MomentField()
        amounts = NumberField()

        def moment(at: datetime | None) -> str | None:
            return None if at is None else moments.to_representation(at)

        def amount(value: Decimal | None) -> str | None:
            return None if value is None else amounts.to_representation(value)

        return {
            "id": voucher.pk,
            "code": voucher.code,
            "status": voucher.status_at(now),
            "type": voucher.voucher_type_id,
            "kind": voucher_type.kind,
            "member": voucher.member_id,
            "offer": voucher.offer_id,
            "activity": voucher.activity_id,
            "amount": amount(voucher.amount_original),
            "amount_redeemed": amount(voucher.amount_redeemed),
            "discount_ratio": amount(voucher.discount_ratio),
            "currency": voucher_type.currency,
            "title": voucher_type.title or voucher_type.name,
            "description": voucher_type.description,
            "image_url": voucher_type.image_url,
            "issued_at": moment(voucher.issued_at),
            "claimed_at": moment(voucher.claimed_at),
            "redeemed_at": moment(voucher.redeemed_at),
            "voided_at": moment(voucher.voided_at),
            "expires_at": moment(voucher.expires_at),
            "locked_until": moment(voucher.locked_until) if is_locked else None,
            "locked_for_basket": voucher.locked_for_basket if is_locked else "",
            "redeemed_for_basket": voucher.redeemed_for_basket,
            "regenerated_from": None if parent is None else parent.code,
        }


class RedeemedSerializer(serializers.Serializer[Any]):
    """A redeemed voucher, and the one that holds the rest."""

    voucher = VoucherSerializer()
    regenerated_voucher = VoucherSerializer(allow_null=True)


class LockSerializer(BodySerializer):
    """For which basket, and how long."""

    basket_code = TextField(max_length=_CODE_CHARACTERS_MAX)
    seconds = WholeNumberField(min_value=1, max_value=LOCK_SECONDS_MAX)
    locking_code = TextField(
        max_length=_CODE_CHARACTERS_MAX,
        required=False,
        default="",
        allow_blank=True,
        help_text="Whoever unlocks or redeems must send it along.",
    )


def lock_of(fields: dict[str, Any]) -> Lock:
    """Return a lock of a valid body."""
    return Lock(fields["basket_code"], fields["seconds"], fields["locking_code"])


class MemberAsksSerializer(BodySerializer):
    """Who asks."""

    member = WholeNumberField(
        required=False, min_value=1, max_value=ROW_NUMBER_MAX, help_text=_MEMBER_HELP
    )


class ClaimSerializer(MemberAsksSerializer):
    """A claim, and a lock that may come with it."""

    lock = LockSerializer(required=False)


class ClaimsSerializer(ClaimSerializer):
    """Claims of several vouchers, all or none."""

    codes = serializers.ListField(
        child=TextField(max_length=_CODE_CHARACTERS_MAX),
        min_length=1,
        max_length=CLAIMS_MAX,
    )


class UnlockSerializer(BodySerializer):
    """What a lock was set with."""

    locking_code = TextField(
        max_length=_CODE_CHARACTERS_MAX, required=False, default="", allow_blank=True
    )


class RedemptionSerializer(BodySerializer):
    """How much is redeemed, for which basket."""

    amount = NumberField(required=False, help_text="Left out: all of it.")
    basket_code = TextField(
        max_length=_CODE_CHARACTERS_MAX,
        required=False,
        default="",
        allow_blank=True,
        help_text="Needed where a basket holds the voucher.",
    )
    locking_code = TextField(
        max_length=_CODE_CHARACTERS_MAX, required=False, default="", allow_blank=True
    )

    def validate_amount(self, value: Decimal) -> Decimal:
        """Refuse nothing, and less than nothing."""
        if value <= 0:
            raise serializers.ValidationError(
                "Redeem an amount above zero.", "not_above_zero"
            )
        return value
