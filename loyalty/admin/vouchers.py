"""Pages of vouchers: who has which, how it stands, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from loyalty.admin.bases import (
    OwnProgramFilter,
    ReadOnlyAdmin,
    ReadOnlyInline,
    of_member_called,
)
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, money, name_of
from loyalty.admin.moments import last_day
from loyalty.admin.points import link_to
from loyalty.admin.voucher_types import worth_in_words
from loyalty.errors import LoyaltyError
from loyalty.models import Voucher, VoucherEvent, VoucherStatus
from loyalty.services import clock, vouchers
from loyalty.services.vouchers.finding import meant

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

STATUS_LABELS = {
    "Listed, not given": "default",
    "Given, not claimed": "info",
    "Claimed": "success",
    "Redeemed": "default",
    "Expired": "warning",
    "Taken back": "danger",
}
_REASON_CHARACTERS = 200


def status_shown(voucher: Voucher, now: datetime) -> str:
    """Return how it stands at ``now``, in words."""
    return str(VoucherStatus(voucher.status_at(now)).label)


def worth_of(voucher: Voucher) -> str:
    """Return what the voucher itself is worth; a listed code, what it will be."""
    voucher_type = voucher.voucher_type
    if voucher.status == VoucherStatus.AVAILABLE:
        amount, ratio = voucher_type.amount, voucher_type.discount_ratio
    else:
        amount, ratio = voucher.amount_original, voucher.discount_ratio
    return worth_in_words(voucher_type, amount=amount, ratio=ratio)


class CancellationForm(forms.Form):
    """Why a voucher is taken back."""

    reason = forms.CharField(
        max_length=_REASON_CHARACTERS,
        help_text="Kept in the voucher's history.",
        widget=UnfoldAdminTextInputWidget,
    )


class EventInline(ReadOnlyInline):
    """What happened to the voucher."""

    model = VoucherEvent
    verbose_name_plural = "History"
    fields = ("created_at", "kind", "amount_shown", "basket_code", "actor", "reason")
    readonly_fields = fields
    ordering = ("pk",)
    tab = False
    hide_title = True

    @display(description="Amount")
    def amount_shown(self, event: VoucherEvent) -> str:
        """Return the amount, if it is about one."""
        return "–" if event.amount is None else money(event.amount)


@admin.register(Voucher)
class VoucherAdmin(ReadOnlyAdmin):
    """Single vouchers, found by their code or by who has them."""

    list_display = (
        "code",
        "voucher_type",
        "status_now",
        "worth_shown",
        "whose",
        "issued_at",
        "valid_through",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("voucher_type", OwnProgramFilter),
        ("offer", AutocompleteSelectFilter),
        ("issued_at", DaysFilter),
    )
    search_fields = ("code",)
    search_help_text = "A whole code, or a whole customer number or other identity."
    list_select_related = ("voucher_type", "member")
    actions_detail = ("cancel_voucher",)
    inlines = (EventInline,)
    readonly_fields = (
        "valid_through",
        "status_now",
        "worth_shown",
        "whose",
        "redeemed_shown",
        "lock",
        "activity",
        "rest_of",
        "rest",
        "qr",
    )
    fieldsets = (
        ("What", {"fields": ("code", "voucher_type", "worth_shown", "status_now")}),
        ("Who has it, and why", {"fields": ("whose", "offer", "activity")}),
        (
            "When",
            {
                "fields": (
                    "issued_at",
                    "claimed_at",
                    "valid_through",
                    "voided_at",
                    "lock",
                )
            },
        ),
        (
            "What was redeemed",
            {"fields": ("redeemed_at", "redeemed_shown", "rest_of", "rest")},
        ),
        ("For the till", {"fields": ("qr",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Find a voucher by its whole code, or those of a member; both by index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = meant(queryset, [term])
        rows = queryset.filter(pk__in=[one.pk for one in found.values()])
        if not found:
            rows = of_member_called(request, queryset, "member", term)
        return rows, False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the links of members and of types."""
        allowed = {"member__id__exact", "voucher_type__id__exact"}
        return lookup in allowed or super().lookup_allowed(lookup, value, request)

    @display(description="Status", ordering="status", label=STATUS_LABELS)
    def status_now(self, voucher: Voucher) -> str:
        """Return how it stands now."""
        return status_shown(voucher, clock.now())

    @display(description="Worth", ordering="amount_original")
    def worth_shown(self, voucher: Voucher) -> str:
        """Return what it is worth."""
        return worth_of(voucher)

    @display(description="Member")
    def whose(self, voucher: Voucher) -> SafeString | str:
        """Return who has it."""
        if voucher.member is None:
            return "–"
        return link(voucher.member, name_of(voucher.member))

    @display(description="Redeemed")
    def redeemed_shown(self, voucher: Voucher) -> str:
        """Return how much was redeemed, and for which basket."""
        if voucher.redeemed_at is None:
            return "–"
        text = "the whole voucher"
        if voucher.amount_original is not None:
            text = (
                f"{money(voucher.amount_redeemed)} of {money(voucher.amount_original)}"
            )
        basket = voucher.redeemed_for_basket
        return f"{text}, for basket {basket}" if basket else text

    @display(description="Held by a basket")
    def lock(self, voucher: Voucher) -> str:
        """Return which basket holds it now, and until when."""
        if not voucher.is_locked_at(clock.now()) or voucher.locked_until is None:
            return "–"
        until = timezone.localtime(voucher.locked_until)
        return f"{voucher.locked_for_basket}, until {until.day} {until:%b %Y, %H:%M:%S}"

    @display(description="Activity")
    def activity(self, voucher: Voucher) -> SafeString | str:
        """Return a link to what earned it; an interaction has no page there."""
        if voucher.activity_id is None:
            return "–"
        return link_to(
            f"/admin/activities/activity/{voucher.activity_id}/change/",
            f"Activity {voucher.activity_id}",
        )

    @display(description="Rest of")
    def rest_of(self, voucher: Voucher) -> SafeString | str:
        """Return the voucher that was redeemed in part before."""
        parent = voucher.regenerated_from
        return "–" if parent is None else link(parent)

    @display(description="Rest")
    def rest(self, voucher: Voucher) -> SafeString | str:
        """Return the voucher that holds what was left."""
        found = voucher.regenerated_vouchers.first()
        return "–" if found is None else link(found)

    @display(description="QR code")
    def qr(self, voucher: Voucher) -> SafeString:
        """Return the picture that scanners read; the code in it is escaped."""
        return mark_safe(vouchers.svg_of(voucher.code).decode())  # noqa: S308 (own drawing)

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may take vouchers back."""
        return request.user.has_perm("loyalty.change_voucher")

    @action(description="Take back", permissions=["cancel"], icon="block")
    def cancel_voucher(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a reason, then take the voucher back."""
        voucher = self.row_or_404(request, object_id)
        form = CancellationForm(request.POST if is_confirmed(request) else None)
        if is_confirmed(request) and form.is_valid():
            self._cancel(request, voucher, form.cleaned_data["reason"])
            return self.back_to(voucher)
        stands = status_shown(voucher, clock.now()).lower()
        if not (voucher.is_open or voucher.status == VoucherStatus.AVAILABLE):
            text = f"Nothing to take back: this voucher is {stands}."
            self.message_user(request, text, messages.WARNING)
            return self.back_to(voucher)
        question = Question(
            f"Take the voucher {voucher.code} back?",
            f"It is worth {worth_of(voucher)} and {_holder(voucher)}. Afterwards "
            "nobody can redeem it, and its code is not given again. This cannot be "
            "undone.",
            "Take it back",
            is_dangerous=True,
        )
        back = self.address_of("change", voucher.pk)
        return ask(request, self, question, form=form, back=back, obj=voucher)

    def _cancel(self, request: HttpRequest, voucher: Voucher, reason: str) -> None:
        try:
            vouchers.cancel(
                voucher.program_id,
                voucher.code,
                reason=reason,
                asker=vouchers.Asker(request.user.get_username()),
                now=clock.now(),
            )
        except LoyaltyError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return
        self.log_change(request, voucher, f"Taken back. {reason}")
        self.message_of(request, f"The voucher {voucher.code} is taken back.")


def _holder(voucher: Voucher) -> str:
    if voucher.member is None:
        return "nobody has it yet"
    return f"belongs to {name_of(voucher.member)}"


def vouchers_of(member: Any, count: int) -> list[dict[str, Any]]:
    """Return a member's newest vouchers as the member's page shows them."""
    now = clock.now()
    rows = Voucher.objects.filter(member=member).select_related("voucher_type")
    return [
        {
            "voucher": one,
            "worth": worth_of(one),
            "status": status_shown(one, now),
            "css": STATUS_LABELS[status_shown(one, now)],
            "through": last_day(one.expires_at),
        }
        for one in rows.order_by("-pk")[:count]
    ]
