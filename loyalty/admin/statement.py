"""A member's statement: each movement of points with the balance after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.template.response import TemplateResponse
from django.utils import timezone

from loyalty.admin.filters import DaysForm, start_of
from loyalty.admin.formatting import points
from loyalty.models import Account, EntryKind
from loyalty.reports import Movement, Span, expiring_by_month, movements_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.http import HttpRequest
    from unfold.admin import ModelAdmin

    from loyalty.models import Member

_PER_PAGE = 50
_PAGE_MAX = 100_000
_KINDS = dict(EntryKind.choices)


class Line(NamedTuple):
    """A movement as people read it."""

    entry_id: int
    booked_at: datetime
    occurred_at: datetime
    what: str
    bucket: str
    amount: str
    balance: str
    activity_id: int | None
    is_reversed: bool


class ExpiringLine(NamedTuple):
    """What expires in a month, as people read it."""

    month: date
    wallet: str
    amount: str


def statement_page(
    request: HttpRequest, pages: ModelAdmin, member: Member
) -> TemplateResponse:
    """Return the page of one wallet's movements, narrowed by days, 50 at a time."""
    accounts = list(
        Account.objects.filter(member=member)
        .select_related("wallet")
        .order_by("wallet__name", "pk")
    )
    account = _chosen(accounts, request.GET.get("wallet", ""))
    sent = {f"booked_{end}": request.GET.get(f"booked_{end}", "") for end in _ENDS}
    form = DaysForm("booked", "Booked", sent)
    number = _page_number(request.GET.get("p", ""))
    lines: list[Line] = []
    if account is not None and form.is_valid():
        found = movements_of(
            account.pk, _span(form), skip=number * _PER_PAGE, limit=_PER_PAGE + 1
        )
        lines = [_line(one, account.wallet.decimals) for one in found]
    kept = {"wallet": account.wallet_id if account else "", **sent}
    context = {
        **pages.admin_site.each_context(request),
        "title": f"Statement of {member}",
        "opts": pages.model._meta,
        "original": member,
        "member": member,
        "accounts": accounts,
        "account": account,
        "balance": account and points(account.balance, account.wallet.decimals),
        "form": form,
        "lines": lines[:_PER_PAGE],
        "newer": number > 0 and f"?{urlencode({**kept, 'p': number - 1})}",
        "older": len(lines) > _PER_PAGE and f"?{urlencode({**kept, 'p': number + 1})}",
        "media": pages.media + form.media,
    }
    return TemplateResponse(request, "admin/loyalty/statement.html", context)


def last_movements(member: Member, count: int) -> list[Line]:
    """Return the newest movements of all of a member's wallets, debits too."""
    lines: list[Line] = []
    for account in Account.objects.filter(member=member).select_related("wallet"):
        found = movements_of(account.pk, Span(), limit=count)
        lines += [_line(one, account.wallet.decimals) for one in found]
    return sorted(lines, key=lambda one: -one.entry_id)[:count]


def expiring_lines(member: Member, now: datetime) -> list[ExpiringLine]:
    """Return what a member loses month by month if nothing is spent."""
    zone = timezone.get_current_timezone_name()
    accounts = Account.objects.filter(member=member).select_related("wallet")
    wallets = {account.wallet_id: account.wallet for account in accounts}
    return [
        ExpiringLine(
            one.month,
            str(wallets[one.wallet_id]),
            points(one.amount, wallets[one.wallet_id].decimals),
        )
        for one in expiring_by_month(member, now, zone)
    ]


_ENDS = ("from", "to")


def _chosen(accounts: list[Account], wallet: str) -> Account | None:
    for account in accounts:
        if str(account.wallet_id) == wallet:
            return account
    return accounts[0] if accounts else None


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 9
    return min(int(text), _PAGE_MAX) if is_number else 0


def _span(form: DaysForm) -> Span:
    first, after = form.days()
    return Span(
        None if first is None else start_of(first),
        None if after is None else start_of(after),
    )


def _line(one: Movement, decimals: int) -> Line:
    sign = "−" if one.amount < 0 else "+"
    below = "−" if one.balance < 0 else ""
    parts: list[Any] = [_KINDS.get(one.kind, one.kind), one.offer, one.reason]
    return Line(
        one.entry_id,
        one.booked_at,
        one.occurred_at,
        ": ".join(str(part) for part in parts if part),
        one.bucket.capitalize(),
        f"{sign}{points(abs(one.amount), decimals)}",
        f"{below}{points(abs(one.balance), decimals)}",
        one.activity_id,
        one.is_reversed,
    )
