"""Vouchers: the single rights that members hold, and what happened to each."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Replace, Upper

from loyalty.models.programme import Program
from loyalty.models.voucher_types import VoucherType


class VoucherStatus(models.TextChoices):
    """Where a voucher stands, as stored; past its end it counts as expired."""

    AVAILABLE = "available", "Listed, not given"
    GENERATED = "generated", "Given, not claimed"
    CLAIMED = "claimed", "Claimed"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"
    VOID = "void", "Taken back"


# What a member holds and could still use.
OPEN_STATUSES = (VoucherStatus.GENERATED.value, VoucherStatus.CLAIMED.value)
_HELD = (*OPEN_STATUSES, VoucherStatus.REDEEMED.value)


class Voucher(models.Model):
    """One right, under one code: a member's, or a listed code nobody has yet.

    Amounts and ratio are those at the moment it was given. A redemption closes a
    voucher; what a partial one leaves is a voucher of its own, ``regenerated``.
    ``activity_id`` names the activity or interaction it was given for.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, db_index=False)
    voucher_type = models.ForeignKey(
        VoucherType,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="vouchers",
        verbose_name="type",
    )
    code = models.CharField(max_length=100, db_collation="C")
    # What is compared: ``loyalty.engine.codes`` does the same to what people type.
    code_key = models.GeneratedField(
        expression=Replace(Upper("code"), Value("-"), Value("")),
        output_field=models.CharField(max_length=100, db_collation="C"),
        db_persist=True,
    )
    # From before codes were compared so: found by its exact spelling only.
    is_code_duplicate = models.BooleanField(
        default=False, db_default=False, editable=False
    )
    status = models.CharField(max_length=10, choices=VoucherStatus.choices)
    member = models.ForeignKey(
        "loyalty.Member",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="vouchers",
    )
    offer = models.ForeignKey(
        "loyalty.Offer",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="vouchers",
        verbose_name="given by",
    )
    activity_id = models.BigIntegerField(null=True)
    regenerated_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="regenerated_vouchers",
        verbose_name="rest of",
    )
    amount_original = models.DecimalField(
        "amount", max_digits=18, decimal_places=4, null=True
    )
    amount_redeemed = models.DecimalField(
        "redeemed", max_digits=18, decimal_places=4, default=0
    )
    discount_ratio = models.DecimalField(
        "share", max_digits=5, decimal_places=4, null=True
    )
    issued_at = models.DateTimeField("given", null=True)
    claimed_at = models.DateTimeField("claimed", null=True)
    redeemed_at = models.DateTimeField("redeemed at", null=True)
    voided_at = models.DateTimeField("taken back", null=True)
    expires_at = models.DateTimeField(
        "valid until", null=True, help_text="The first instant at which it is not."
    )
    # A till holds a claimed voucher for one basket until a moment; the till's own
    # code, if there is one, must come along to let go of it or to redeem it.
    locked_until = models.DateTimeField(null=True)
    locked_for_basket = models.CharField(max_length=100, blank=True)
    locking_code = models.CharField(max_length=100, blank=True)
    # What tells a redemption that is sent again.
    redeemed_for_basket = models.CharField(max_length=100, blank=True)
    redemption_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(help_text="When the row was written.")

    class Meta:
        indexes = [
            models.Index(fields=["program", "status", "id"]),
            # Pages of all that were given, past a million codes that were not.
            models.Index(
                fields=["program", "id"],
                condition=~Q(status=VoucherStatus.AVAILABLE.value),
                name="voucher_given_by_program",
            ),
            models.Index(
                fields=["member", "id"],
                condition=Q(member__isnull=False),
                name="voucher_by_member",
            ),
            models.Index(fields=["voucher_type", "id"]),
            models.Index(
                fields=["voucher_type", "id"],
                condition=Q(status=VoucherStatus.AVAILABLE.value),
                name="voucher_not_given_by_type",
            ),
            models.Index(
                fields=["offer"],
                condition=Q(offer__isnull=False),
                name="voucher_by_offer",
            ),
            models.Index(
                fields=["activity_id"],
                condition=Q(activity_id__isnull=False),
                name="voucher_by_activity",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(status__in=OPEN_STATUSES, expires_at__isnull=False),
                name="voucher_open_by_expiry",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code_key"],
                condition=Q(is_code_duplicate=False),
                name="voucher_code_once_however_typed",
                violation_error_message="This program has a voucher with this code.",
            ),
            models.UniqueConstraint(
                fields=["program", "code"],
                name="voucher_code_once_per_program",
                violation_error_message="This program has a voucher with this code.",
            ),
            models.UniqueConstraint(
                fields=["regenerated_from"],
                condition=Q(regenerated_from__isnull=False),
                name="voucher_leaves_one_rest",
                violation_error_message="The rest of this voucher has a voucher.",
            ),
            models.CheckConstraint(
                condition=~Q(code=""),
                name="voucher_has_a_code",
                violation_error_message="A voucher needs a code.",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=VoucherStatus.AVAILABLE.value,
                    member__isnull=True,
                    issued_at__isnull=True,
                )
                | Q(status__in=_HELD, member__isnull=False, issued_at__isnull=False)
                | Q(
                    status__in=[VoucherStatus.EXPIRED.value, VoucherStatus.VOID.value],
                ),
                name="voucher_given_has_a_member",
                violation_error_message="A voucher that was given has a member and the "
                "moment it was given; a listed code has neither.",
            ),
            models.CheckConstraint(
                condition=Q(amount_original__isnull=True, amount_redeemed=0)
                | Q(
                    amount_original__gt=0,
                    amount_redeemed__gte=0,
                    amount_redeemed__lte=F("amount_original"),
                ),
                name="voucher_redeems_at_most_its_amount",
                violation_error_message="A voucher redeems between nothing and its "
                "amount.",
            ),
            models.CheckConstraint(
                condition=Q(discount_ratio__isnull=True)
                | Q(discount_ratio__gt=0, discount_ratio__lte=1),
                name="voucher_share_is_a_share",
                violation_error_message="A share is above 0 and up to 1.",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=VoucherStatus.REDEEMED.value,
                    redeemed_at__isnull=False,
                    claimed_at__isnull=False,
                )
                | (
                    ~Q(status=VoucherStatus.REDEEMED.value)
                    & Q(
                        redeemed_at__isnull=True,
                        amount_redeemed=0,
                        redeemed_for_basket="",
                        redemption_key="",
                    )
                ),
                name="voucher_redeemed_has_its_moment",
                violation_error_message="A redeemed voucher, and no other, has the "
                "moment and the amount of its redemption.",
            ),
            models.CheckConstraint(
                condition=Q(status=VoucherStatus.VOID.value, voided_at__isnull=False)
                | (~Q(status=VoucherStatus.VOID.value) & Q(voided_at__isnull=True)),
                name="voucher_taken_back_has_its_moment",
                violation_error_message="A voucher that was taken back, and no other, "
                "has the moment of it.",
            ),
            models.CheckConstraint(
                condition=~Q(status=VoucherStatus.CLAIMED.value)
                | Q(claimed_at__isnull=False),
                name="voucher_claimed_has_its_moment",
                violation_error_message="A claimed voucher has the moment of it.",
            ),
            models.CheckConstraint(
                condition=Q(
                    locked_until__isnull=True, locked_for_basket="", locking_code=""
                )
                | Q(status=VoucherStatus.CLAIMED.value, locked_until__isnull=False)
                & ~Q(locked_for_basket=""),
                name="voucher_locked_names_its_basket",
                violation_error_message="Only a claimed voucher is locked, for a "
                "basket and until a moment.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def status_at(self, moment: datetime) -> str:
        """Return the status that counts at ``moment``: at its end it is expired."""
        is_over = self.expires_at is not None and self.expires_at <= moment
        return VoucherStatus.EXPIRED.value if is_over and self.is_open else self.status

    def is_locked_at(self, moment: datetime) -> bool:
        """Return whether a basket holds it; ``locked_until`` is outside."""
        return self.locked_until is not None and moment < self.locked_until

    @property
    def is_open(self) -> bool:
        """Whether it was given and neither used, taken back nor marked expired."""
        return self.status in OPEN_STATUSES


class VoucherEventKind(models.TextChoices):
    """What happened to a voucher."""

    ISSUED = "issued", "Given"
    REGENERATED = "regenerated", "Made from the rest of another"
    CLAIMED = "claimed", "Claimed"
    UNCLAIMED = "unclaimed", "Claim taken back"
    LOCKED = "locked", "Locked for a basket"
    UNLOCKED = "unlocked", "Unlocked"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"
    VOIDED = "voided", "Taken back: its activity was reversed"
    CANCELLED = "cancelled", "Cancelled by staff"


class VoucherEvent(models.Model):
    """One step of a voucher's life; append-only, by database too."""

    voucher = models.ForeignKey(
        Voucher, on_delete=models.PROTECT, related_name="events"
    )
    kind = models.CharField("what", max_length=12, choices=VoucherEventKind.choices)
    amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    basket_code = models.CharField("basket", max_length=100, blank=True)
    actor = models.CharField("by", max_length=150, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("when")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0),
                name="voucher_event_amount_is_not_negative",
                violation_error_message="Amounts are never negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.voucher_id}"
