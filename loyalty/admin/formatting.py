"""How numbers and links look on the pages of the admin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.safestring import SafeString

    from loyalty.models import Member


def points(amount: int | None, decimals: int) -> str:
    """Return an amount of the wallet's smallest unit as people write it.

    >>> points(1234567, 2)
    '12,345.67'
    """
    if amount is None:
        return "–"
    return f"{Decimal(amount).scaleb(-decimals):,.{decimals}f}"


def number(value: Decimal | int) -> str:
    """Return a number with thousands parted and without empty decimals.

    >>> number(Decimal("2500.5000"))
    '2,500.5'
    """
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    """Return a value with at least two decimals.

    >>> money(Decimal("1.0000")), money(Decimal("0.1250"))
    ('1.00', '0.125')
    """
    text = number(value)
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def name_of(member: Member) -> str:
    """Return what people call a member: the identities, prefetched for lists."""
    values = [one.value for one in member.identities.all()]
    return ", ".join(values) or str(member)


def link(obj: Model, text: str = "") -> SafeString:
    """Return a link to the row's page."""
    return format_html(
        '<a class="loyalty-link" href="{}">{}</a>', page_of(obj), text or str(obj)
    )


def page_of(obj: Model) -> str:
    """Return the address of the row's page."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])


def list_page(model: type[Model], **lookups: Any) -> str:
    """Return the address of a model's list, filtered."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in lookups.items())
    return f"{address}?{query}" if query else address


def bar(share: float, caption: str) -> str:
    """Return a bar filled by ``share`` (0 to 1) with a caption below it."""
    percent = max(0, min(100, round(share * 100)))
    return render_to_string(
        "admin/loyalty/bar.html", {"percent": percent, "caption": caption}
    )
