"""Taking back, exactly and once, what activities earned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.ledger.debits import OpenLots
from loyalty.ledger.due import expired_lots, settle, take_back_expiry
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


class Undoing(NamedTuple):
    """What is to be undone, when and why.

    ``also`` are single awards of other activities and ``but`` those of these ones
    that stay, as (activity, offer).
    """

    program_id: int
    activity_ids: Collection[int]
    created_at: datetime
    reason: str
    also: Collection[tuple[int, int]] = ()
    but: Collection[tuple[int, int]] = ()


def reverse_awards(undoing: Undoing, holdings: Holdings) -> list[Reversed]:
    """Take back every award of the activities that is not taken back yet.

    What has expired of an award is gone and is neither taken again nor owed: its
    expiry is taken back with it. The rest is taken first from the award's own lot,
    then from the member's other lots in order of consumption. What is left takes the
    balance below zero if the wallet allows it; otherwise it is owed by the next
    earnings. Completions are deleted, which gives caps and attempts back to the
    windows they came from.

    Every member must be locked and ``holdings`` loaded after that.
    """
    awards = _awards_of(undoing)
    program_id = undoing.program_id
    wallets = Wallet.objects.filter(program_id=program_id, allows_negative=True)
    below_zero = set(wallets.values_list("pk", flat=True))
    open_lots = OpenLots({one.account_id for one in holdings.values()})
    journal = Journal(program_id, undoing.created_at)
    journal.reserve(max(len(awards), 1))
    for holding in holdings.values():
        settle(holding, open_lots, journal, undoing.created_at)
    journal.flush()
    expired = expired_lots([award.entry_id for award in awards])

    undone = []
    for award in awards:
        holding = holdings[award.member_id, award.wallet_id]
        if award.entry_id in expired:
            gone = expired[award.entry_id]
            lot = take_back_expiry(
                gone,
                holding,
                journal,
                reason=undoing.reason,
                activity_id=award.activity_id,
            )
            if lot.remaining:
                open_lots.add(holding.account_id, lot)
        is_allowed = award.wallet_id in below_zero
        shortfall = _take_back(
            award, holding, open_lots, journal, undoing.reason, is_allowed
        )
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
    _delete_completions(undoing)
    return undone


def _awards_of(undoing: Undoing) -> list[_Award]:
    own, also = frozenset(undoing.activity_ids), frozenset(undoing.also)
    but = frozenset(undoing.but)
    every = [*own, *(activity_id for activity_id, _ in also)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, a.member_id, a.wallet_id, e.debit_account_id, e.amount,"
            " e.bucket, e.offer_id, e.business_unit_id, e.activity_id, e.occurred_at"
            " FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.credit_account_id"
            " WHERE e.activity_id = ANY(%s) AND e.kind = %s AND NOT EXISTS"
            " (SELECT 1 FROM loyalty_entry r WHERE r.reverses_id = e.id)"
            # A prize that was spent when it was taken back has no such entry.
            " AND (NOT EXISTS (SELECT 1 FROM loyalty_offer o"
            "  WHERE o.id = e.offer_id AND o.kind = 'quest')"
            " OR EXISTS (SELECT 1 FROM loyalty_completion c"
            "  WHERE c.activity_id = e.activity_id AND c.offer_id = e.offer_id"
            "  AND c.is_paid))"
            " ORDER BY e.id",
            [every, EntryKind.AWARD.value],
        )
        awards = [_Award(*row) for row in cursor.fetchall()]
    chosen = []
    for award in awards:
        name = (award.activity_id, award.offer_id)
        if name in also or (award.activity_id in own and name not in but):
            chosen.append(award)
    return chosen


def _delete_completions(undoing: Undoing) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM loyalty_completion c WHERE activity_id = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM unnest(%s::bigint[], %s::bigint[])"
            " AS v(activity_id, offer_id)"
            " WHERE v.activity_id = c.activity_id AND v.offer_id = c.offer_id)",
            [list(undoing.activity_ids), *_columns(undoing.but)],
        )
        if undoing.also:
            cursor.execute(
                "DELETE FROM loyalty_completion c"
                " USING unnest(%s::bigint[], %s::bigint[]) AS v(activity_id, offer_id)"
                " WHERE v.activity_id = c.activity_id AND v.offer_id = c.offer_id",
                _columns(undoing.also),
            )


def _columns(pairs: Collection[tuple[int, int]]) -> list[list[int]]:
    return [[one for one, _ in pairs], [other for _, other in pairs]]


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
