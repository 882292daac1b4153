"""Read-only pages of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin, of_member_called
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, list_page, name_of, points
from loyalty.models import Account, Completion, Entry, Lot, Offer
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

BUCKET_LABELS = {"Base": "info", "Bonus": "success", "Targeted": "primary"}


def holder(account: Account) -> SafeString | str:
    """Return whose account it is, linked to the member."""
    if account.member is not None:
        return link(account.member, name_of(account.member))
    return f"Program: {account.get_kind_display().lower()}"


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    """What can pay, for searching in filters; campaigns and types have own pages."""

    list_display = ("name", "code", "kind", "is_enabled")
    search_fields = ("name", "code")
    ordering = ("name", "pk")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Who holds how much of which wallet."""

    list_display = (
        "holder",
        "wallet",
        "balance_now",
        "pending_now",
        "owed_now",
        "earned",
    )
    # The holder's name is a link of its own, to the member.
    list_display_links = ("wallet",)
    list_filter = (
        ("wallet", OwnProgramFilter),
        ("kind", ChoicesDropdownFilter),
    )
    search_fields = ("member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = ("wallet", "member", "business_unit")
    fields = (
        "holder",
        "wallet",
        "business_unit",
        "balance_now",
        "pending_now",
        "owed_now",
        "earned",
        "entries",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows: Any = super().get_queryset(request)
        return rows.as_of(clock.now()).prefetch_related("member__identities")

    @display(description="Holder")
    def holder(self, account: Account) -> SafeString | str:
        """Return the member or the program's side."""
        return holder(account)

    @display(description="Balance", ordering="balance_at")
    def balance_now(self, account: Any) -> str:
        """Return the balance of a member's account; the program's is not stored."""
        return self._amount(account, account.balance_at)

    @display(description="Pending", ordering="pending_at")
    def pending_now(self, account: Any) -> str:
        """Return what cannot be spent yet."""
        return self._amount(account, account.pending_at)

    @display(description="Owed", ordering="owed")
    def owed_now(self, account: Account) -> str:
        """Return what the next earnings repay."""
        return self._amount(account, account.owed)

    @display(description="Earned ever", ordering="lifetime_earned")
    def earned(self, account: Account) -> str:
        """Return awards less reversals."""
        return self._amount(account, account.lifetime_earned)

    @display(description="Entries")
    def entries(self, account: Account) -> SafeString:
        """Return a link to the entries that moved points here."""
        if account.member_id is not None:
            page = reverse("admin:loyalty_member_statement", args=[account.member_id])
            return link_to(f"{page}?wallet={account.wallet_id}")
        return link_to(list_page(Entry, credit_account__id__exact=account.pk))

    def _amount(self, account: Account, amount: int) -> str:
        if account.member_id is None:
            return "–"
        return points(amount, account.wallet.decimals)


def link_to(address: str, text: str = "Show") -> SafeString:
    """Return a link to an address."""
    from django.utils.html import format_html

    return format_html('<a class="loyalty-link" href="{}">{}</a>', address, text)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Movements of points."""

    list_display = (
        "created_at",
        "kind",
        "amount_of",
        "bucket_name",
        "whose",
        "offer",
        "reason",
    )
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("bucket", ChoicesDropdownFilter),
        ("business_unit", OwnProgramFilter),
        ("offer", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("credit_account__member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = (
        "credit_account__member",
        "credit_account__wallet",
        "debit_account__member",
        "debit_account__wallet",
        "offer",
    )
    fields = (
        "created_at",
        "occurred_at",
        "kind",
        "amount_of",
        "bucket_name",
        "from_account",
        "to_account",
        "offer",
        "business_unit",
        "activity",
        "reverses",
        "reason",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                "credit_account__member__identities",
                "debit_account__member__identities",
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Find what a member got and gave, by a whole identity."""
        term = search_term.strip()
        if not term:
            return queryset, False
        accounts = of_member_called(request, Account.objects.all(), "member", term)
        ids = list(accounts.values_list("pk", flat=True))
        is_theirs = Q(credit_account__in=ids) | Q(debit_account__in=ids)
        return queryset.filter(is_theirs), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the links of accounts, members and activities."""
        allowed = {
            "activity_id__exact",
            "credit_account__id__exact",
            "credit_account__member__id__exact",
        }
        return lookup in allowed or super().lookup_allowed(lookup, value, request)

    @display(description="Points", ordering="amount")
    def amount_of(self, entry: Entry) -> str:
        """Return the amount, with a minus where a member gives."""
        amount = points(entry.amount, entry.credit_account.wallet.decimals)
        return amount if entry.credit_account.member_id else f"−{amount}"

    @display(description="Bucket", ordering="bucket", label=BUCKET_LABELS)
    def bucket_name(self, entry: Entry) -> str:
        """Return the bucket, with a capital."""
        return entry.bucket.capitalize()

    @display(description="Member")
    def whose(self, entry: Entry) -> SafeString | str:
        """Return the member whose points moved."""
        account = entry.credit_account
        return holder(account if account.member_id else entry.debit_account)

    @display(description="From")
    def from_account(self, entry: Entry) -> SafeString | str:
        """Return the account that gave."""
        return holder(entry.debit_account)

    @display(description="To")
    def to_account(self, entry: Entry) -> SafeString | str:
        """Return the account that got."""
        return holder(entry.credit_account)

    @display(description="Activity")
    def activity(self, entry: Entry) -> SafeString | str:
        """Return a link to what the member did."""
        if entry.activity_id is None:
            return "–"
        return link_to(
            f"/admin/activities/activity/{entry.activity_id}/change/",
            f"Activity {entry.activity_id}",
        )


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """What is left of each credit, and until when."""

    program_path = "account__program"
    list_display = (
        "earned_at",
        "whose",
        "earned",
        "left",
        "available_at",
        "valid_through",
        "is_pending",
    )
    list_filter = (
        "is_pending",
        ("account__wallet", OwnProgramFilter),
        ("expires_at", DaysFilter),
    )
    search_fields = ("account__member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = ("account__member", "account__wallet")
    fields = list_display
    readonly_fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.prefetch_related("account__member__identities")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the link of members."""
        return lookup == "account__member__id__exact" or super().lookup_allowed(
            lookup, value, request
        )

    @display(description="Member")
    def whose(self, lot: Lot) -> SafeString | str:
        """Return the member who holds it."""
        return holder(lot.account)

    @display(description="Earned", ordering="amount")
    def earned(self, lot: Lot) -> str:
        """Return what was credited."""
        return points(lot.amount, lot.account.wallet.decimals)

    @display(description="Left", ordering="remaining")
    def left(self, lot: Lot) -> str:
        """Return what nobody has spent."""
        return points(lot.remaining, lot.account.wallet.decimals)


@admin.register(Completion)
class CompletionAdmin(ReadOnlyAdmin):
    """Completions that caps and required attempts count."""

    program_path = "offer__program"
    list_display = ("occurred_at", "whose", "offer", "is_paid")
    list_filter = ("is_paid", ("offer", AutocompleteSelectFilter))
    search_fields = ("member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = ("member", "offer")
    fields = ("occurred_at", "whose", "offer", "is_paid")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    @display(description="Member")
    def whose(self, completion: Completion) -> SafeString:
        """Return who completed it."""
        return link(completion.member, name_of(completion.member))
