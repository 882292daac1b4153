"""Points that pay for something, within the transaction that gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loyalty.ledger.debits import OpenLots
from loyalty.ledger.due import settle
from loyalty.ledger.holdings import open_missing
from loyalty.ledger.journal import EntryDraft
from loyalty.ledger.movements import InsufficientPoints
from loyalty.models import EntryKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from loyalty.engine.lots import OpenLot
    from loyalty.engine.programme import Programme
    from loyalty.ledger.holdings import Holding, Holdings
    from loyalty.ledger.journal import Journal

_BUCKET = "base"


class Charge(NamedTuple):
    """Points to be paid; ``amount`` is above zero."""

    wallet_id: int
    amount: int
    offer_id: int
    activity_id: int
    reason: str = ""


class Purse:
    """What one locked member can pay with at a moment: the lots that are open."""

    def __init__(
        self,
        programme: Programme,
        member_id: int,
        holdings: Holdings,
        wallet_ids: Collection[int],
        at: datetime,
    ) -> None:
        """Look into the wallets; one query, none without wallets.

        ``holdings`` are the member's, loaded after it was locked.
        """
        self._programme = programme
        self._member_id = member_id
        self._holdings = holdings
        self._at = at
        self._wallet_ids = wallet_ids
        own = [
            holdings[member_id, wallet_id].account_id
            for wallet_id in wallet_ids
            if (member_id, wallet_id) in holdings
        ]
        self._open_lots = OpenLots(own) if own else None

    def spendable(self) -> dict[int, int | None]:
        """Return the points that can be spent, by wallet.

        None where the wallet lets a balance go below zero.
        """
        return {
            wallet_id: None if self._may_overdraw(wallet_id) else self._sum(wallet_id)
            for wallet_id in self._wallet_ids
        }

    def pay(self, charges: Iterable[Charge], journal: Journal) -> None:
        """Let the member pay; the caller saves the holdings and flushes the journal.

        Takes the lots that expire first, then the oldest. Where the wallet lets a
        balance go below zero pending lots are taken too, and then what is not there.
        What is due, expiry and release, is posted before that.

        Raises:
            InsufficientPoints: fewer can be spent; nothing may be written then.
        """
        charges = list(charges)
        wanted = [(self._member_id, one.wallet_id) for one in charges]
        open_missing(self._holdings, self._programme.program_id, wanted)
        for one, key in zip(charges, wanted, strict=True):
            self._pay(one, self._holdings[key], journal)

    def _pay(self, one: Charge, holding: Holding, journal: Journal) -> None:
        may_overdraw = self._may_overdraw(one.wallet_id)
        if may_overdraw and self._open_lots is not None:
            settle(holding, self._open_lots, journal, self._at)
        usable = self._usable(one.wallet_id, takes_pending=may_overdraw)
        available = sum(lot.remaining for lot in usable)
        if available < one.amount and not may_overdraw:
            raise InsufficientPoints(
                f"{one.amount} points were asked for, {available} can be spent.",
                field="amount",
                available=available,
            )
        entry_id = journal.entry(
            EntryDraft(
                kind=EntryKind.SPEND.value,
                debit_account_id=holding.account_id,
                credit_account_id=self._programme.redeemed_accounts[one.wallet_id],
                amount=one.amount,
                bucket=_BUCKET,
                occurred_at=self._at,
                offer_id=one.offer_id,
                activity_id=one.activity_id,
                reason=one.reason,
            )
        )
        if self._open_lots is not None:
            taken = min(one.amount, available)
            self._open_lots.take(taken, holding, usable, journal, entry_id)
        holding.balance -= one.amount
        holding.is_changed = True

    def _may_overdraw(self, wallet_id: int) -> bool:
        return wallet_id in self._programme.overdrawn_wallet_ids

    def _sum(self, wallet_id: int) -> int:
        usable = self._usable(wallet_id, takes_pending=False)
        return sum(lot.remaining for lot in usable)

    def _usable(self, wallet_id: int, *, takes_pending: bool) -> list[OpenLot]:
        """Return the lots that can be taken from, in order; pending ones last."""
        holding = self._holdings.get((self._member_id, wallet_id))
        if holding is None or self._open_lots is None:
            return []
        lots = [
            lot
            for lot in self._open_lots.of(holding.account_id)
            if not lot.has_expired(self._at)
        ]
        free = [lot for lot in lots if not lot.is_held_back(self._at)]
        held_back = [lot for lot in lots if lot.is_held_back(self._at)]
        return free + held_back if takes_pending else free
