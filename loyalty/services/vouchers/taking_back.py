"""Taking vouchers back: with the activity that earned them, or by staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from loyalty.models import OPEN_STATUSES, Voucher, VoucherStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


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


def void_for_activities(
    activity_ids: Iterable[int], *, now: datetime, reason: str, actor: str
) -> TakenBack:
    """Take back the vouchers that activities earned; return what became of them.

    What is not redeemed becomes void, the rest of a partial redemption too; a
    listed code is not given out again. What is redeemed stays and is returned:
    it cannot be taken back. Vouchers that are expired or void stay so. Call it
    within a transaction, with the members locked; locks the vouchers by primary
    key.
    """
    wanted = sorted(set(activity_ids))
    if not wanted:
        return TakenBack([], [])
    statuses = _lock(wanted)
    open_ids = [pk for pk, status in statuses if status in OPEN_STATUSES]
    if open_ids:
        _void(open_ids, "voided", now=now, reason=reason, actor=actor)
    return TakenBack(open_ids, _redeemed(wanted, statuses))


def _lock(activity_ids: list[int]) -> list[tuple[int, str]]:
    """Lock the activities' vouchers; return number and status of each.

    A voucher that was being redeemed in part has left a rest by the time it is
    locked, which this statement did not see: it looks again until nothing is new.
    """
    found: list[tuple[int, str]] = []
    while True:
        rows = _locked(activity_ids)
        has_new = len(rows) > len(found)
        found = rows
        if not has_new or all(status in OPEN_STATUSES for _, status in rows):
            return found


def _locked(activity_ids: list[int]) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, status FROM loyalty_voucher WHERE activity_id = ANY(%s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [activity_ids],
        )
        return list(cursor.fetchall())


def _redeemed(
    activity_ids: list[int], statuses: list[tuple[int, str]]
) -> list[Voucher]:
    if not any(status == VoucherStatus.REDEEMED for _, status in statuses):
        return []
    rows = Voucher.objects.filter(
        activity_id__in=activity_ids, status=VoucherStatus.REDEEMED
    )
    return list(rows.order_by("pk"))


def _void(ids: list[int], kind: str, **words: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_VOID, {"ids": ids, "kind": kind, **words})
