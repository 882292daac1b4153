"""What the clock has done to points: it is posted before anything else moves them.

A lot is gone at the instant it expires and free at the instant it becomes
available, whether or not the regular work has run. So whoever takes points posts
first what is due, and the order in which work and movements come never shows in
what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.engine import lots
from loyalty.ledger.journal import EntryDraft
from loyalty.models import Account, AccountKind, EntryKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from loyalty.ledger.debits import OpenLots
    from loyalty.ledger.holdings import Holding
    from loyalty.ledger.journal import Journal

_BUCKET = "base"


def settle(
    holding: Holding, open_lots: OpenLots, journal: Journal, at: datetime
) -> None:
    """Post what is due at ``at`` on a locked holding: expiry, then release."""
    expire_lots(holding, open_lots, journal, at)
    for lot in list(open_lots.of(holding.account_id)):
        if lot.is_pending and not lot.is_held_back(at):
            open_lots.release(lot, holding, journal)


def expire_lots(
    holding: Holding, open_lots: OpenLots, journal: Journal, at: datetime
) -> int:
    """Post the expiry of a locked holding's lots due at ``at``; return how many."""
    due = [lot for lot in open_lots.of(holding.account_id) if lot.has_expired(at)]
    if due:
        side = side_account(holding.wallet_id, AccountKind.EXPIRED)
        for lot in due:
            _expire(lot, holding, side, open_lots, journal)
    return len(due)


def _expire(
    lot: lots.OpenLot,
    holding: Holding,
    expired_account_id: int,
    open_lots: OpenLots,
    journal: Journal,
) -> None:
    if lot.expires_at is None:
        return
    entry_id = journal.entry(
        EntryDraft(
            kind=EntryKind.EXPIRY.value,
            debit_account_id=holding.account_id,
            credit_account_id=expired_account_id,
            amount=lot.remaining,
            bucket=_BUCKET,
            occurred_at=lot.expires_at,
        )
    )
    open_lots.take(lot.remaining, holding, [lot], journal, entry_id)
    holding.balance -= lot.remaining
    holding.is_changed = True


class Expired(NamedTuple):
    """A lot that expired with something left, as its expiry was posted."""

    lot: lots.OpenLot
    account_id: int
    entry_id: int
    amount: int
    expired_account_id: int
    occurred_at: datetime


def expired_lots(lot_ids: Collection[int]) -> dict[int, Expired]:
    """Return those of the lots whose expiry is posted and stands; one query."""
    if not lot_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.entry_id, l.remaining, l.earned_at, l.expires_at, l.is_pending,"
            " l.available_at, l.account_id, e.id, c.amount, e.credit_account_id,"
            " e.occurred_at FROM loyalty_lot l"
            " JOIN loyalty_lotconsumption c ON c.lot_id = l.entry_id"
            " JOIN loyalty_entry e ON e.id = c.entry_id"
            " WHERE l.entry_id = ANY(%s) AND e.kind = %s"
            " AND e.debit_account_id = l.account_id AND NOT EXISTS"
            " (SELECT 1 FROM loyalty_entry r WHERE r.reverses_id = e.id)",
            [list(lot_ids), EntryKind.EXPIRY.value],
        )
        found = [Expired(lots.OpenLot(*row[:6]), *row[6:]) for row in cursor.fetchall()]
    return {one.lot.id: one for one in found}


def take_back_expiry(
    expired: Expired,
    holding: Holding,
    journal: Journal,
    *,
    reason: str,
    activity_id: int | None = None,
) -> lots.OpenLot:
    """Post that what expired of a lot did not expire; return the lot as it is then.

    Fills a negative balance first, like every credit. The lot itself holds the rest
    again: points that come back are no new points.
    """
    entry_id = journal.entry(
        EntryDraft(
            kind=EntryKind.EXPIRY.value,
            debit_account_id=expired.expired_account_id,
            credit_account_id=holding.account_id,
            amount=expired.amount,
            bucket=_BUCKET,
            occurred_at=expired.occurred_at,
            activity_id=activity_id,
            reverses_id=expired.entry_id,
            reason=reason,
        )
    )
    split = lots.credit(expired.amount, holding.balance, owed=0)
    journal.give_back(expired.lot.id, expired.amount)
    if split.absorbed:
        journal.take(expired.lot.id, entry_id, split.absorbed)
    holding.balance += expired.amount
    if expired.lot.is_pending:
        holding.pending += split.remaining
    holding.is_changed = True
    return expired.lot._replace(remaining=expired.lot.remaining + split.remaining)


def side_account(wallet_id: int, kind: AccountKind) -> int:
    """Return the program's own account of a kind in a wallet."""
    account: int = Account.objects.values_list("pk", flat=True).get(
        wallet_id=wallet_id, kind=kind, business_unit__isnull=True
    )
    return account
