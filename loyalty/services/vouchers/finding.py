"""Finding vouchers by code, to look at or to change; and logging what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from loyalty.engine.codes import code_key
from loyalty.models import Voucher, VoucherEvent, VoucherEventKind
from loyalty.services.vouchers.refusals import UnknownVoucher

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import QuerySet


class Asker(NamedTuple):
    """Who asks: with ``member_id`` that member, otherwise staff or a client app."""

    actor: str = ""
    member_id: int | None = None


def voucher_with(program_id: int, code: str) -> Voucher:
    """Return the voucher that has this code, however it is typed.

    Raises:
        UnknownVoucher: the program has none.
    """
    rows = Voucher.objects.select_related("voucher_type", "member")
    found = meant(rows.filter(program_id=program_id), [code])
    if code not in found:
        raise _unknown(code)
    return found[code]


def meant(rows: QuerySet[Voucher], codes: Collection[str]) -> dict[str, Voucher]:
    """Return which of the rows each code means, as it is typed; one query.

    The exact spelling goes first: codes from before may differ in signs only.
    """
    asked = {code: code_key(code) for code in codes}
    means = Q(code_key__in=set(asked.values()), is_code_duplicate=False)
    is_spelled = Q(code__in=set(codes), is_code_duplicate=True)
    found = list(rows.filter(means | is_spelled))
    by_key = {one.code_key: one for one in found if not one.is_code_duplicate}
    by_code = {one.code: one for one in found}
    chosen = {code: by_code.get(code, by_key.get(key)) for code, key in asked.items()}
    return {code: one for code, one in chosen.items() if one is not None}


def lock_vouchers(program_id: int, codes: Sequence[str]) -> list[Voucher]:
    """Lock vouchers until the transaction ends, by primary key.

    Returns:
        The vouchers that the codes mean, each once, in the order of the codes.

    Raises:
        UnknownVoucher: the program has no voucher with one of the codes.
    """
    rows = Voucher.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("voucher_type", "member")
    found = meant(rows.filter(program_id=program_id).order_by("pk"), codes)
    for code in codes:
        if code not in found:
            raise _unknown(code)
    return list({found[code].pk: found[code] for code in codes}.values())


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
