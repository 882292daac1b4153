"""Collects rows of the ledger and writes them with one COPY per table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connection

from loyalty.ledger.holdings import copy_lines, copy_moment, copy_text, reserve_ids

if TYPE_CHECKING:
    from datetime import datetime

_ENTRY_COLUMNS = (
    "id, program_id, kind, debit_account_id, credit_account_id, amount, bucket,"
    " offer_id, business_unit_id, activity_id, reverses_id, occurred_at, created_at,"
    " reason"
)
_LOT_COLUMNS = (
    "entry_id, account_id, amount, remaining, earned_at, available_at, expires_at,"
    " is_pending"
)


@dataclass(slots=True)
class EntryDraft:
    """One entry about to be written."""

    kind: str
    debit_account_id: int
    credit_account_id: int
    amount: int
    bucket: str
    occurred_at: datetime
    offer_id: int | None = None
    business_unit_id: int | None = None
    activity_id: int | None = None
    reverses_id: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Journal:
    """The rows of one transaction; ``flush`` writes them."""

    program_id: int
    created_at: datetime
    _ids: list[int] = field(default_factory=list)
    _entries: list[str] = field(default_factory=list)
    _lots: list[str] = field(default_factory=list)
    _consumptions: list[str] = field(default_factory=list)
    _lots_left: dict[int, int] = field(default_factory=dict)
    _released: list[int] = field(default_factory=list)

    def reserve(self, count: int) -> None:
        """Fetch ids for ``count`` entries at once."""
        self._ids.extend(reversed(reserve_ids("loyalty_entry", count)))

    def entry(self, draft: EntryDraft) -> int:
        """Add an entry and return its id."""
        if not self._ids:
            self.reserve(16)
        entry_id = self._ids.pop()
        reason = copy_text(draft.reason) if draft.reason else ""
        self._entries.append(
            f"{entry_id}\t{self.program_id}\t{draft.kind}\t{draft.debit_account_id}\t"
            f"{draft.credit_account_id}\t{draft.amount}\t{draft.bucket}\t"
            f"{_null(draft.offer_id)}\t{_null(draft.business_unit_id)}\t"
            f"{_null(draft.activity_id)}\t{_null(draft.reverses_id)}\t"
            f"{copy_moment(draft.occurred_at)}\t{copy_moment(self.created_at)}\t"
            f"{reason}\n"
        )
        return entry_id

    def lot(  # noqa: PLR0913 (one argument for each column)
        self,
        *,
        entry_id: int,
        account_id: int,
        amount: int,
        remaining: int,
        earned_at: datetime,
        available_at: datetime,
        expires_at: datetime | None,
        is_pending: bool,
    ) -> None:
        """Add the lot of a credit."""
        expires = "\\N" if expires_at is None else copy_moment(expires_at)
        self._lots.append(
            f"{entry_id}\t{account_id}\t{amount}\t{remaining}\t"
            f"{copy_moment(earned_at)}\t{copy_moment(available_at)}\t{expires}\t"
            f"{'t' if is_pending else 'f'}\n"
        )

    def consumption(self, lot_id: int, entry_id: int, amount: int) -> None:
        """Note that an entry took from a lot that this journal itself opens."""
        self._consumptions.append(f"{lot_id}\t{entry_id}\t{amount}\n")

    def take(self, lot_id: int, entry_id: int, amount: int) -> None:
        """Note that an entry took from a lot that stands in the database."""
        self.consumption(lot_id, entry_id, amount)
        self._lots_left[lot_id] = self._lots_left.get(lot_id, 0) + amount

    def give_back(self, lot_id: int, amount: int) -> None:
        """Note that a lot that stands in the database holds ``amount`` again."""
        self._lots_left[lot_id] = self._lots_left.get(lot_id, 0) - amount

    def release(self, lot_id: int) -> None:
        """Note that a pending lot can be spent from now on."""
        self._released.append(lot_id)

    def flush(self) -> None:
        """Write everything collected, in the order that foreign keys need."""
        copy_lines("loyalty_entry", _ENTRY_COLUMNS, self._entries)
        copy_lines("loyalty_lot", _LOT_COLUMNS, self._lots)
        copy_lines(
            "loyalty_lotconsumption", "lot_id, entry_id, amount", self._consumptions
        )
        if self._lots_left:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE loyalty_lot l SET remaining = l.remaining - v.taken"
                    " FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, taken)"
                    " WHERE l.entry_id = v.id",
                    [list(self._lots_left), list(self._lots_left.values())],
                )
        if self._released:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE loyalty_lot SET is_pending = false"
                    " WHERE entry_id = ANY(%s)",
                    [self._released],
                )
        self._entries, self._lots, self._consumptions = [], [], []
        self._lots_left, self._released = {}, []


def _null(value: int | None) -> str:
    return "\\N" if value is None else str(value)
