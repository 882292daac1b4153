"""Taking vouchers back: with the activity that earned them, or by staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F

from loyalty.models import (
    OPEN_STATUSES,
    Voucher,
    VoucherEventKind,
    VoucherStatus,
    VoucherStock,
)
from loyalty.services.vouchers.finding import Asker, lock_vouchers, voucher_with
from loyalty.services.vouchers.issuing import stock_of
from loyalty.services.vouchers.rules import require_open

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

_REASON_CHARACTERS = 200
_ACTOR_CHARACTERS = 150


class TakenBack(NamedTuple):
    """What became of vouchers: numbers of those void now, and those that stay."""

    voided: list[int]
    redeemed: list[Voucher]


_VOID = (
    "WITH void AS (UPDATE loyalty_voucher SET status = 'void', voided_at = %(now)s,"
    " locked_until = NULL, locked_for_basket = '', locking_code = ''"
    " WHERE id = ANY(%(ids)s) RETURNING id, amount_original),"
    " logged AS (INSERT INTO loyalty_voucherevent"
    " (voucher_id, kind, amount, basket_code, actor, reason, created_at)"
    " SELECT id, %(kind)s, amount_original, '', %(actor)s, %(reason)s, %(now)s"
    " FROM void) SELECT count(*) FROM void"
)


class Reversal(NamedTuple):
    """Whose vouchers go: those of the activities, single ones more, some not.

    ``also`` are vouchers of other activities and ``but`` those of these ones that
    stay, as (activity, offer): a quest's prize goes with whichever activity is the
    last to hold it.
    """

    activity_ids: Collection[int]
    also: Collection[tuple[int, int]] = ()
    but: Collection[tuple[int, int]] = ()

    def takes(self, activity_id: int, offer_id: int | None) -> bool:
        """Return whether a voucher is taken back."""
        name = (activity_id, offer_id or 0)
        return name in self.also or (
            activity_id in self.activity_ids and name not in self.but
        )


def void_for_activities(
    reversal: Reversal, *, now: datetime, reason: str, actor: str
) -> TakenBack:
    """Take back the vouchers that activities earned; return what became of them.

    What is not redeemed becomes void, the rest of a partial redemption too; a
    listed code is not given out again. What is redeemed stays and is returned:
    it cannot be taken back. Vouchers that are expired or void stay so. Call it
    within a transaction, with the members locked; locks the vouchers by primary
    key.
    """
    wanted = sorted(
        {*reversal.activity_ids, *(activity_id for activity_id, _ in reversal.also)}
    )
    if not wanted:
        return TakenBack([], [])
    statuses = [
        (pk, status)
        for pk, status, activity_id, offer_id in _lock(wanted)
        if reversal.takes(activity_id, offer_id)
    ]
    open_ids = [pk for pk, status in statuses if status in OPEN_STATUSES]
    if open_ids:
        _void(
            open_ids,
            VoucherEventKind.VOIDED.value,
            now=now,
            reason=reason[:_REASON_CHARACTERS],
            actor=actor[:_ACTOR_CHARACTERS],
        )
    return TakenBack(open_ids, _redeemed(statuses))


# Number, status, activity, offer.
_Locked = tuple[int, str, int, int | None]


def _lock(activity_ids: list[int]) -> list[_Locked]:
    """Lock the activities' vouchers; return what is known of each.

    A voucher that was being redeemed in part has left a rest by the time it is
    locked, which this statement did not see: it looks again until nothing is new.
    """
    found: list[_Locked] = []
    while True:
        rows = _locked(activity_ids)
        has_new = len(rows) > len(found)
        found = rows
        if not has_new or all(status in OPEN_STATUSES for _, status, *_ in rows):
            return found


def _locked(activity_ids: list[int]) -> list[_Locked]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, status, activity_id, offer_id FROM loyalty_voucher"
            " WHERE activity_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [activity_ids],
        )
        return list(cursor.fetchall())


def _redeemed(statuses: list[tuple[int, str]]) -> list[Voucher]:
    ids = [pk for pk, status in statuses if status == VoucherStatus.REDEEMED]
    return list(Voucher.objects.filter(pk__in=ids).order_by("pk")) if ids else []


def _void(ids: list[int], kind: str, **words: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_VOID, {"ids": ids, "kind": kind, **words})


def cancel(
    program_id: int, code: str, *, reason: str, asker: Asker, now: datetime
) -> Voucher:
    """Make a voucher void, or a listed code that nobody has; void ones stay so.

    Locks the stock of its list if it has one, then the voucher.

    Raises:
        UnknownVoucher, VoucherAlreadyRedeemed, VoucherExpired
    """
    with transaction.atomic():
        stock_of([voucher_with(program_id, code).voucher_type_id])
        (voucher,) = lock_vouchers(program_id, [code])
        if voucher.status == VoucherStatus.VOID:
            return voucher
        was_available = voucher.status == VoucherStatus.AVAILABLE
        if not was_available:
            require_open(voucher, now)

        _void(
            [voucher.pk],
            VoucherEventKind.CANCELLED.value,
            now=now,
            reason=reason[:_REASON_CHARACTERS],
            actor=asker.actor[:_ACTOR_CHARACTERS],
        )
        if was_available:
            VoucherStock.objects.filter(voucher_type=voucher.voucher_type).update(
                codes_left=F("codes_left") - 1
            )
        voucher.refresh_from_db()
    return voucher
