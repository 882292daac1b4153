"""Points that move without an activity: spending, expiry, release, adjustment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from django.db import connection, transaction

from loyalty.engine import lots
from loyalty.errors import LoyaltyError
from loyalty.ledger.debits import OpenLots
from loyalty.ledger.due import expire_lots, side_account
from loyalty.ledger.holdings import (
    holdings_of,
    lock_members,
    open_missing,
    save_holdings,
)
from loyalty.ledger.journal import EntryDraft, Journal
from loyalty.models import AccountKind, EntryKind, Member

if TYPE_CHECKING:
    from datetime import datetime


class Step(Protocol):
    """Work on some members that is due; returns how many lots, 0 when done."""

    def __call__(
        self, program_id: int, *, at: datetime, member_count_max: int = ...
    ) -> int:
        """Do one step in a transaction of its own."""


_ADJUSTED_BUCKET = "base"


class InsufficientPoints(LoyaltyError):
    """The member cannot spend so many points now."""

    code = "insufficient_points"


class _Reason(NamedTuple):
    """Why points leave a member, and which of the program's accounts gets them."""

    kind: EntryKind
    side: AccountKind


_SPENDING = _Reason(EntryKind.SPEND, AccountKind.REDEEMED)
_WITHDRAWAL = _Reason(EntryKind.ADJUSTMENT, AccountKind.ADJUSTED)


def spend(
    member: Member, wallet_id: int, amount: int, *, at: datetime, reason: str
) -> int:
    """Spend ``amount`` of a member's spendable points; return the entry's id.

    Takes the lots that expire first, then the oldest; neither pending ones nor
    ones that have expired by ``at``.

    Raises:
        InsufficientPoints: fewer can be spent; ``facts`` say how many.
        ValueError: ``amount`` is not above zero.
    """
    return _take(_SPENDING, member, wallet_id, amount, at=at, reason=reason)


def withdraw(
    member: Member, wallet_id: int, amount: int, *, at: datetime, reason: str
) -> int:
    """Take ``amount`` points from a member by hand; return the entry's id.

    The opposite of ``adjust``: the lifetime sum and the tier score stay. Takes and
    raises what ``spend`` does.
    """
    return _take(_WITHDRAWAL, member, wallet_id, amount, at=at, reason=reason)


def _take(
    why: _Reason,
    member: Member,
    wallet_id: int,
    amount: int,
    *,
    at: datetime,
    reason: str,
) -> int:
    _require_positive(amount)
    with transaction.atomic():
        lock_members([member.pk])
        holdings = holdings_of([member.pk])
        open_missing(holdings, member.program_id, [(member.pk, wallet_id)])
        holding = holdings[member.pk, wallet_id]
        open_lots = OpenLots([holding.account_id])
        spendable = [
            lot
            for lot in open_lots.of(holding.account_id)
            if not lot.is_held_back(at) and not lot.has_expired(at)
        ]
        available = sum(lot.remaining for lot in spendable)
        if available < amount:
            raise InsufficientPoints(
                f"{amount} points were asked for, {available} can be spent.",
                field="amount",
                available=available,
            )
        journal = Journal(member.program_id, at)
        entry_id = journal.entry(
            EntryDraft(
                kind=why.kind.value,
                debit_account_id=holding.account_id,
                credit_account_id=side_account(wallet_id, why.side),
                amount=amount,
                bucket=_ADJUSTED_BUCKET,
                occurred_at=at,
                reason=reason,
            )
        )
        open_lots.take(amount, holding, spendable, journal, entry_id)
        holding.balance -= amount
        holding.is_changed = True
        save_holdings(holdings)
        journal.flush()
    return entry_id


def adjust(
    member: Member, wallet_id: int, amount: int, *, at: datetime, reason: str
) -> int:
    """Give a member ``amount`` points by hand; return the entry's id.

    Goodwill is no earning: the lifetime sum and the tier score stay.
    """
    _require_positive(amount)
    with transaction.atomic():
        lock_members([member.pk])
        holdings = holdings_of([member.pk])
        open_missing(holdings, member.program_id, [(member.pk, wallet_id)])
        holding = holdings[member.pk, wallet_id]
        journal = Journal(member.program_id, at)
        entry_id = journal.entry(
            EntryDraft(
                kind=EntryKind.ADJUSTMENT.value,
                debit_account_id=side_account(wallet_id, AccountKind.ADJUSTED),
                credit_account_id=holding.account_id,
                amount=amount,
                bucket=_ADJUSTED_BUCKET,
                occurred_at=at,
                reason=reason,
            )
        )
        split = lots.credit(amount, holding.balance, owed=0)
        if split.absorbed:
            journal.consumption(entry_id, entry_id, split.absorbed)
        journal.lot(
            entry_id=entry_id,
            account_id=holding.account_id,
            amount=amount,
            remaining=split.remaining,
            earned_at=at,
            available_at=at,
            expires_at=None,
            is_pending=False,
        )
        holding.balance += amount
        holding.is_changed = True
        save_holdings(holdings)
        journal.flush()
    return entry_id


def expire_due(program_id: int, *, at: datetime, member_count_max: int = 1000) -> int:
    """Post the expiry of lots due at ``at``, for some members; return how many lots.

    Each entry bears the instant at which its lot expired, whenever this runs.
    Call it until it returns 0.
    """
    with transaction.atomic():
        member_ids = _members_with(
            _MEMBERS_WITH_EXPIRED_LOTS, program_id, at, member_count_max
        )
        if not member_ids:
            return 0
        lock_members(member_ids)
        holdings = holdings_of(member_ids)
        by_account = {one.account_id: one for one in holdings.values()}
        open_lots = OpenLots(list(by_account))
        journal = Journal(program_id, at)
        expired = 0
        for holding in by_account.values():
            expired += expire_lots(holding, open_lots, journal, at)
        save_holdings(holdings)
        journal.flush()
    return expired


def release_due(program_id: int, *, at: datetime, member_count_max: int = 1000) -> int:
    """Release pending lots due at ``at``, for some members; return how many lots.

    Call it until it returns 0.
    """
    with transaction.atomic():
        member_ids = _members_with(
            _MEMBERS_WITH_LOTS_TO_RELEASE, program_id, at, member_count_max
        )
        if not member_ids:
            return 0
        lock_members(member_ids)
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH released AS (UPDATE loyalty_lot l SET is_pending = false"
                " FROM loyalty_account a WHERE a.id = l.account_id"
                " AND a.member_id = ANY(%s) AND l.is_pending AND l.available_at <= %s"
                " RETURNING l.account_id, l.remaining), sums AS (SELECT account_id,"
                " sum(remaining) AS points FROM released GROUP BY account_id),"
                " moved AS (UPDATE loyalty_account a SET pending = a.pending - s.points"
                " FROM sums s WHERE a.id = s.account_id)"
                " SELECT count(*) FROM released",
                [member_ids, at],
            )
            row = cursor.fetchone()
    return int(row[0])


_MEMBERS_WITH_EXPIRED_LOTS = (
    "SELECT DISTINCT a.member_id FROM loyalty_lot l"
    " JOIN loyalty_account a ON a.id = l.account_id"
    " WHERE a.program_id = %s AND l.remaining > 0 AND l.expires_at <= %s LIMIT %s"
)
_MEMBERS_WITH_LOTS_TO_RELEASE = (
    "SELECT DISTINCT a.member_id FROM loyalty_lot l"
    " JOIN loyalty_account a ON a.id = l.account_id"
    " WHERE a.program_id = %s AND l.is_pending AND l.available_at <= %s LIMIT %s"
)


def _members_with(
    query: str, program_id: int, at: datetime, count_max: int
) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, [program_id, at, count_max])
        return sorted(row[0] for row in cursor.fetchall())


def _require_positive(amount: int) -> None:
    if amount <= 0:
        raise ValueError(f"An amount is above zero, not {amount}.")
