"""Taking points out of lots: shared by spending, expiry and reversal."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

from loyalty.engine.lots import OpenLot, allocate, order_of_consumption

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from loyalty.ledger.holdings import Holding
    from loyalty.ledger.journal import Journal


class OpenLots:
    """The open lots of locked accounts, in the order in which they are consumed."""

    def __init__(self, account_ids: Collection[int]) -> None:
        """Load every lot of the accounts that holds something."""
        self._by_account: dict[int, list[OpenLot]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, entry_id, remaining, earned_at, expires_at,"
                " is_pending, available_at FROM loyalty_lot"
                " WHERE account_id = ANY(%s) AND remaining > 0",
                [list(account_ids)],
            )
            for account_id, *lot in cursor.fetchall():
                self._by_account[account_id].append(OpenLot(*lot))
        for some in self._by_account.values():
            some.sort(key=order_of_consumption)

    def of(self, account_id: int) -> list[OpenLot]:
        """Return the account's open lots in order of consumption."""
        return self._by_account[account_id]

    def take(
        self,
        amount: int,
        holding: Holding,
        lots: Iterable[OpenLot],
        journal: Journal,
        entry_id: int,
    ) -> None:
        """Let an entry take ``amount`` from ``lots`` of the holding."""
        for lot, share in allocate(amount, list(lots)):
            journal.take(lot.id, entry_id, share)
            if lot.is_pending:
                holding.pending -= share
            self._leave(holding.account_id, lot, lot.remaining - share)

    def add(self, account_id: int, lot: OpenLot) -> None:
        """Add a lot that holds something again."""
        some = self._by_account[account_id]
        some.append(lot)
        some.sort(key=order_of_consumption)

    def release(self, lot: OpenLot, holding: Holding, journal: Journal) -> None:
        """Let a pending lot of the holding be spent from now on."""
        some = self._by_account[holding.account_id]
        some[some.index(lot)] = lot._replace(is_pending=False)
        journal.release(lot.id)
        holding.pending -= lot.remaining
        holding.is_changed = True

    def _leave(self, account_id: int, lot: OpenLot, remaining: int) -> None:
        some = self._by_account[account_id]
        place = some.index(lot)
        if remaining:
            some[place] = lot._replace(remaining=remaining)
        else:
            del some[place]
