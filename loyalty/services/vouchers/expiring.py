"""The end of vouchers whose time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from datetime import datetime

STEP = 10_000
# Vouchers that somebody is using right now are left for the next time.
_EXPIRE = (
    "WITH due AS (SELECT id FROM loyalty_voucher WHERE status IN"
    " ('generated', 'claimed') AND expires_at <= %(at)s ORDER BY expires_at"
    " LIMIT %(step)s FOR NO KEY UPDATE SKIP LOCKED),"
    " over AS (UPDATE loyalty_voucher v SET status = 'expired', locked_until = NULL,"
    " locked_for_basket = '', locking_code = '' FROM due WHERE v.id = due.id"
    " RETURNING v.id, v.amount_original),"
    " logged AS (INSERT INTO loyalty_voucherevent"
    " (voucher_id, kind, amount, basket_code, actor, reason, created_at)"
    " SELECT id, 'expired', amount_original, '', '', '', %(at)s FROM over)"
    " SELECT count(*) FROM over"
)


def expire_vouchers(*, at: datetime) -> int:
    """Mark every voucher whose time is over at ``at``; return how many.

    Small transactions: stopped anywhere, it goes on where it was when it is
    called again. Nobody has to wait for it: past its end a voucher counts as
    expired everywhere.
    """
    total = 0
    while count := _expire_some(at):
        total += count
    return total


def _expire_some(at: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"at": at, "step": STEP})
        (count,) = cursor.fetchone()
        return int(count)
