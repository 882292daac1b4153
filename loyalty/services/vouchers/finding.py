"""Finding vouchers by code, to look at or to change; and logging what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loyalty.models import Voucher, VoucherEvent, VoucherEventKind
from loyalty.services.vouchers.refusals import UnknownVoucher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal


class Asker(NamedTuple):
    """Who asks: with ``member_id`` that member, otherwise staff or a client app."""

    actor: str = ""
    member_id: int | None = None


def voucher_with(program_id: int, code: str) -> Voucher:
    """Return the voucher that has this code.

    Raises:
        UnknownVoucher: the program has none.
    """
    rows = Voucher.objects.select_related("voucher_type", "member")
    voucher = rows.filter(program_id=program_id, code=code).first()
    if voucher is None:
        raise _unknown(code)
    return voucher


def lock_vouchers(program_id: int, codes: Sequence[str]) -> list[Voucher]:
    """Lock vouchers until the transaction ends, by primary key.

    Returns:
        One for each code, in the order of the codes.

    Raises:
        UnknownVoucher: the program has no voucher with one of the codes.
    """
    rows = Voucher.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("voucher_type", "member")
    asked = rows.filter(program_id=program_id, code__in=set(codes)).order_by("pk")
    found = {voucher.code: voucher for voucher in asked}
    for code in codes:
        if code not in found:
            raise _unknown(code)
    return [found[code] for code in codes]


def log(
    voucher: Voucher,
    kind: VoucherEventKind,
    *,
    asker: Asker,
    now: datetime,
    amount: Decimal | None = None,
    basket_code: str = "",
) -> None:
    """Add a step to the voucher's history."""
    actor = asker.actor if asker.member_id is None else f"member {asker.member_id}"
    VoucherEvent.objects.create(
        voucher=voucher,
        kind=kind,
        amount=amount,
        basket_code=basket_code,
        actor=actor[:150],
        created_at=now,
    )


def _unknown(code: str) -> UnknownVoucher:
    return UnknownVoucher("There is no voucher with this code.", voucher=code[:100])
