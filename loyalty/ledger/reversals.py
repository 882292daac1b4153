"""Taking back, exactly and once, what activities earned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.ledger.debits import OpenLots
from loyalty.ledger.holdings import save_holdings
from loyalty.ledger.journal import EntryDraft, Journal
from loyalty.models import EntryKind, Wallet

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from loyalty.ledger.holdings import Holding, Holdings


class Reversed(NamedTuple):
    """One award taken back: ``shortfall`` is the part that is owed instead."""

    activity_id: int
    member_id: int
    wallet_id: int
    offer_id: int
    amount: int
    shortfall: int


class _Award(NamedTuple):
    entry_id: int
    member_id: int
    wallet_id: int
    issued_account_id: int
    amount: int
    bucket: str
    offer_id: int
    business_unit_id: int | None
    activity_id: int
    occurred_at: datetime


def reverse_awards(
    program_id: int,
    activity_ids: Collection[int],
    holdings: Holdings,
    created_at: datetime,
    reason: str,
) -> list[Reversed]:
    """Take back every award of the activities that is not taken back yet.

    First from the award's own lot, then from the member's other lots in order of
    consumption. What is left takes the balance below zero if the wallet allows
    it; otherwise it is owed by the next earnings. Completions are deleted, which
    gives caps and attempts back to the windows they came from.

    Every member must be locked and ``holdings`` loaded after that.
    """
    awards = _awards_of(activity_ids)
    wallets = Wallet.objects.filter(program_id=program_id, allows_negative=True)
    below_zero = set(wallets.values_list("pk", flat=True))
    open_lots = OpenLots({one.account_id for one in holdings.values()})
    journal = Journal(program_id, created_at)
    journal.reserve(max(len(awards), 1))

    undone = []
    for award in awards:
        holding = holdings[award.member_id, award.wallet_id]
        is_allowed = award.wallet_id in below_zero
        shortfall = _take_back(award, holding, open_lots, journal, reason, is_allowed)
        undone.append(
            Reversed(
                award.activity_id,
                award.member_id,
                award.wallet_id,
                award.offer_id,
                award.amount,
                shortfall,
            )
        )

    save_holdings(holdings)
    journal.flush()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM loyalty_completion WHERE activity_id = ANY(%s)",
            [list(activity_ids)],
        )
    return undone


def _awards_of(activity_ids: Collection[int]) -> list[_Award]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, a.member_id, a.wallet_id, e.debit_account_id, e.amount,"
            " e.bucket, e.offer_id, e.business_unit_id, e.activity_id, e.occurred_at"
            " FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.credit_account_id"
            " WHERE e.activity_id = ANY(%s) AND e.kind = %s AND NOT EXISTS"
            " (SELECT 1 FROM loyalty_entry r WHERE r.reverses_id = e.id)"
            " ORDER BY e.id",
            [list(activity_ids), EntryKind.AWARD.value],
        )
        return [_Award(*row) for row in cursor.fetchall()]


def _take_back(
    award: _Award,
    holding: Holding,
    open_lots: OpenLots,
    journal: Journal,
    reason: str,
    may_go_below_zero: bool,  # noqa: FBT001 (a fact of the wallet)
) -> int:
    """Post one reversal; return the shortfall that is owed instead."""
    lots = open_lots.of(holding.account_id)
    own_first = sorted(lots, key=lambda lot: lot.id != award.entry_id)
    at_hand = sum(lot.remaining for lot in lots)
    taken = min(award.amount, at_hand)
    posted = award.amount if may_go_below_zero else taken
    if posted:
        entry_id = journal.entry(
            EntryDraft(
                kind=EntryKind.REVERSAL.value,
                debit_account_id=holding.account_id,
                credit_account_id=award.issued_account_id,
                amount=posted,
                bucket=award.bucket,
                occurred_at=award.occurred_at,
                offer_id=award.offer_id,
                business_unit_id=award.business_unit_id,
                activity_id=award.activity_id,
                reverses_id=award.entry_id,
                reason=reason,
            )
        )
        open_lots.take(taken, holding, own_first, journal, entry_id)
    holding.balance -= posted
    holding.owed += award.amount - posted
    holding.lifetime_earned -= award.amount
    holding.is_changed = True
    return award.amount - posted
