"""Points: accounts, entries, lots and completions. Written by ``ledger`` alone."""

from datetime import datetime
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest

from loyalty.engine.facts import Bucket
from loyalty.models.members import Member
from loyalty.models.offers import Offer
from loyalty.models.programme import BusinessUnit, Program
from loyalty.models.wallets import Wallet


class AccountKind(models.TextChoices):
    """Whose side of the ledger an account stands on."""

    MEMBER = "member", "Member"
    ISSUED = "issued", "Issued"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"
    ADJUSTED = "adjusted", "Adjusted"


# What a member's account ``a`` holds at a moment, which is the one parameter: lots
# whose expiry is not posted yet are gone. ``AccountQuerySet.as_of`` tells the same.
BALANCE_AT = (
    "(a.balance - coalesce((SELECT sum(l.remaining) FROM loyalty_lot l"
    " WHERE l.account_id = a.id AND l.remaining > 0 AND l.expires_at <= %s), 0))"
)


class AccountQuerySet(models.QuerySet["Account"]):
    """Accounts as they are stored, or as they are at a moment."""

    def as_of(self, at: datetime) -> Any:
        """Annotate ``balance_at``, ``pending_at`` and ``spendable_at``.

        They are true at ``at``, whether or not the regular work has posted by then
        what has expired and what has become available.
        """
        lots = Lot.objects.filter(account=OuterRef("pk"), remaining__gt=0)
        is_over = Q(available_at__lte=at) | Q(expires_at__lte=at)
        rows = self.annotate(
            balance_at=F("balance") - _remaining(lots.filter(expires_at__lte=at)),
            pending_at=F("pending") - _remaining(lots.filter(is_over, is_pending=True)),
        )
        return rows.annotate(
            spendable_at=Greatest(F("balance_at") - F("pending_at"), Value(0))
        )


def _remaining(lots: "models.QuerySet[Lot]") -> Coalesce:
    sums = lots.order_by().values("account").annotate(sum=Sum("remaining"))
    return Coalesce(
        Subquery(sums.values("sum")), Value(0), output_field=models.BigIntegerField()
    )


class Account(models.Model):
    """A holding of one wallet: a member's, or one of the program's sides.

    ``balance`` is credits less debits. ``pending`` is what its lots hold that is
    not released yet. ``lifetime_earned`` is awards less their reversals.
    ``owed`` is what reversals could not take and the next earnings repay.
    Program-side accounts store no sums, so no row is hot.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, choices=AccountKind.choices)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="accounts"
    )
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, null=True)
    balance = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    lifetime_earned = models.BigIntegerField(default=0)
    owed = models.BigIntegerField(default=0)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "wallet"], name="one_account_per_member_and_wallet"
            ),
            models.UniqueConstraint(
                fields=["wallet", "business_unit", "kind"],
                condition=Q(member__isnull=True),
                nulls_distinct=False,
                name="one_program_account_per_wallet_unit_and_kind",
                violation_error_message="The program has such an account already.",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.MEMBER.value, member__isnull=False)
                | (~Q(kind=AccountKind.MEMBER.value) & Q(member__isnull=True)),
                name="member_accounts_have_a_member",
                violation_error_message="Only a member's account has a member.",
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False)
                | Q(balance=0, pending=0, lifetime_earned=0, owed=0),
                name="program_accounts_store_no_sums",
                violation_error_message="The program's accounts store no sums.",
            ),
            models.CheckConstraint(
                condition=Q(pending__gte=0, owed__gte=0),
                name="pending_and_owed_are_never_negative",
                violation_error_message="Pending and owed points are never negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.wallet_id} {self.member_id or ''}".strip()


class EntryKind(models.TextChoices):
    """Why points moved."""

    AWARD = "award", "Award"
    REVERSAL = "reversal", "Reversal"
    REPAYMENT = "repayment", "Repayment of owed points"
    SPEND = "spend", "Spending"
    EXPIRY = "expiry", "Expiry"
    ADJUSTMENT = "adjustment", "Adjustment"


class Entry(models.Model):
    """One immutable movement of points from one account to another."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, choices=EntryKind.choices)
    debit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="debits"
    )
    credit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="credits"
    )
    amount = models.BigIntegerField(help_text="In the wallet's smallest unit.")
    bucket = models.CharField(
        max_length=10, choices=[(bucket.value, bucket.value) for bucket in Bucket]
    )
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, null=True)
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, null=True)
    activity_id = models.BigIntegerField(null=True)
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="reversed_by"
    )
    occurred_at = models.DateTimeField(help_text="When the activity happened.")
    created_at = models.DateTimeField(help_text="When the row was written.")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["credit_account", "id"]),
            models.Index(fields=["debit_account", "id"]),
            models.Index(fields=["activity_id"]),
            # Rows stand in the order of this moment: a small index of blocks does.
            BrinIndex(
                fields=["created_at"], name="entry_by_posting", autosummarize=True
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="entry_moves_a_positive_amount",
                violation_error_message="An entry moves a positive amount.",
            ),
            models.CheckConstraint(
                condition=~Q(debit_account=F("credit_account")),
                name="entry_moves_between_two_accounts",
                violation_error_message="An entry moves points between two accounts.",
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="entry_is_reversed_once",
                violation_error_message="This entry is reversed already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class Lot(models.Model):
    """What is left of one credit, from when and until when it can be spent."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lots")
    amount = models.BigIntegerField()
    remaining = models.BigIntegerField()
    earned_at = models.DateTimeField()
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    is_pending = models.BooleanField(
        default=False, help_text="Not released yet; counted in the account's pending."
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "expires_at"],
                condition=Q(remaining__gt=0),
                name="lot_open_by_account",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(remaining__gt=0, expires_at__isnull=False),
                name="lot_open_by_expiry",
            ),
            models.Index(
                fields=["available_at"],
                condition=Q(is_pending=True),
                name="lot_pending_by_release",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")),
                name="lot_holds_between_nothing_and_its_amount",
                violation_error_message="A lot holds between nothing and its amount.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount}"

    def remaining_at(self, at: datetime) -> int:
        """Return what can still be had of it: nothing from the instant it expires."""
        is_gone = self.expires_at is not None and self.expires_at <= at
        return 0 if is_gone else self.remaining

    def is_pending_at(self, at: datetime) -> bool:
        """Return whether it is held back, whenever the regular work releases it."""
        return self.is_pending and self.available_at > at


class LotConsumption(models.Model):
    """How much of a lot an entry took.

    An entry that names the lot's own credit is the part that a negative balance
    swallowed when the credit arrived.
    """

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="consumptions")
    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="consumptions"
    )
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "entry"], name="entry_takes_from_a_lot_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="consumption_takes_a_positive_amount",
                violation_error_message="An entry takes a positive amount from a lot.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of lot {self.lot_id}"


class Completion(models.Model):
    """One completion of an offer with a cap or with required attempts.

    Completing is not being paid: ``is_paid`` marks the completions that were
    awarded, and caps count only those. A reversal deletes the activity's rows,
    which gives their capacity back to the window they came from.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT)
    occurred_at = models.DateTimeField()
    is_paid = models.BooleanField()
    activity_id = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["member", "offer", "occurred_at"]),
            models.Index(fields=["activity_id"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["activity_id", "offer"], name="activity_completes_an_offer_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} completed {self.offer_id}"
