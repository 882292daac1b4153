"""Points that pay for something, within the transaction that gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.ledger.debits import OpenLots
from loyalty.ledger.holdings import open_missing, save_holdings
from loyalty.ledger.journal import EntryDraft, Journal
from loyalty.ledger.movements import InsufficientPoints, expire_lots, side_account
from loyalty.models import AccountKind, EntryKind, Wallet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from loyalty.engine.lots import OpenLot
    from loyalty.ledger.holdings import Holding, Holdings

_BUCKET = "base"


class Charge(NamedTuple):
    """Points to be paid by a member; ``amount`` is above zero."""

    program_id: int
    member_id: int
    wallet_id: int
    amount: int
    offer_id: int
    activity_id: int
    reason: str = ""


def spendable(
    holdings: Holdings, wallet_ids: Collection[int], at: datetime
) -> dict[int, int | None]:
    """Return what one locked member can spend of each wallet at ``at``.

    None where the wallet lets a balance go below zero.
    """
    below_zero = set(
        Wallet.objects.filter(pk__in=wallet_ids, allows_negative=True).values_list(
            "pk", flat=True
        )
    )
    found: dict[int, int | None] = {
        wallet_id: None if wallet_id in below_zero else 0 for wallet_id in wallet_ids
    }
    own = {
        one.account_id: one.wallet_id
        for one in holdings.values()
        if one.wallet_id in wallet_ids and one.wallet_id not in below_zero
    }
    if own:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, sum(remaining) FROM loyalty_lot"
                " WHERE account_id = ANY(%s) AND remaining > 0 AND NOT is_pending"
                " AND (expires_at IS NULL OR expires_at > %s) GROUP BY account_id",
                [list(own), at],
            )
            for account_id, points in cursor.fetchall():
                found[own[account_id]] = int(points)
    return found


def charge(charges: Iterable[Charge], holdings: Holdings, *, at: datetime) -> None:
    """Let a locked member pay; saves ``holdings``, which must be loaded since.

    Takes the lots that expire first, then the oldest. Where the wallet lets a
    balance go below zero pending lots are taken too, and then what is not there;
    lots that have expired are posted as that first.

    Raises:
        InsufficientPoints: fewer can be spent; nothing was written.
    """
    charges = list(charges)
    if not charges:
        return
    program_id = charges[0].program_id
    open_missing(holdings, program_id, {(c.member_id, c.wallet_id) for c in charges})
    below_zero = set(
        Wallet.objects.filter(
            pk__in={one.wallet_id for one in charges}, allows_negative=True
        ).values_list("pk", flat=True)
    )
    paying = [holdings[one.member_id, one.wallet_id] for one in charges]
    open_lots = OpenLots({holding.account_id for holding in paying})
    journal = Journal(program_id, at)
    for one, holding in zip(charges, paying, strict=True):
        may_go_below_zero = one.wallet_id in below_zero
        if may_go_below_zero:
            expire_lots(holding, open_lots, journal, at)
        _pay(one, holding, open_lots, journal, may_go_below_zero=may_go_below_zero)
    save_holdings(holdings)
    journal.flush()


def _pay(
    one: Charge,
    holding: Holding,
    open_lots: OpenLots,
    journal: Journal,
    *,
    may_go_below_zero: bool,
) -> None:
    at = journal.created_at
    lots = open_lots.of(holding.account_id)
    usable = [lot for lot in lots if _is_spendable(lot, at)]
    if may_go_below_zero:
        usable += [lot for lot in lots if lot.is_pending]
    available = sum(lot.remaining for lot in usable)
    if available < one.amount and not may_go_below_zero:
        raise InsufficientPoints(
            f"{one.amount} points were asked for, {available} can be spent.",
            field="amount",
            available=available,
        )
    entry_id = journal.entry(
        EntryDraft(
            kind=EntryKind.SPEND.value,
            debit_account_id=holding.account_id,
            credit_account_id=side_account(one.wallet_id, AccountKind.REDEEMED),
            amount=one.amount,
            bucket=_BUCKET,
            occurred_at=at,
            offer_id=one.offer_id,
            activity_id=one.activity_id,
            reason=one.reason,
        )
    )
    open_lots.take(min(one.amount, available), holding, usable, journal, entry_id)
    holding.balance -= one.amount
    holding.is_changed = True


def _is_spendable(lot: OpenLot, at: datetime) -> bool:
    return not lot.is_pending and (lot.expires_at is None or lot.expires_at > at)
