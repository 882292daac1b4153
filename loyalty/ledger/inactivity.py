"""Points that live as long as their member is active.

As if everything had arrived in order: a late activity is put off by later ones
itself, may reach from what came before it to them, and brings back what had only
expired because it was missing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.engine.points import ExpiryModel, expiry_moment
from loyalty.ledger.due import expired_lots, take_back_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from loyalty.engine.points import ExpiryRule
    from loyalty.engine.programme import Programme
    from loyalty.ledger.awards import AwardPosting
    from loyalty.ledger.holdings import Holdings
    from loyalty.ledger.journal import Journal

_REASON = "An activity that kept the points alive arrived late."


class Stretch(NamedTuple):
    """A time without a gap in a member's activity, by account."""

    account_id: int
    active_from: datetime
    expires_at: datetime


def stretches_of(
    programme: Programme, postings: Sequence[AwardPosting], holdings: Holdings
) -> list[Stretch]:
    """Return for how long the postings keep points alive, with what came later."""
    moments: dict[int, set[datetime]] = defaultdict(set)
    rules: dict[int, ExpiryRule] = {}
    for posting in postings:
        expiry = posting.wallet.expiry
        if expiry is not None and expiry.model is ExpiryModel.INACTIVITY:
            account_id = holdings[posting.member_id, posting.wallet.id].account_id
            moments[account_id].add(posting.occurred_at)
            rules[account_id] = expiry
    if not moments:
        return []
    _add_later_moments(moments)
    zone = programme.rules.clock.zone
    return [
        Stretch(account_id, *one)
        for account_id, some in moments.items()
        for one in _without_gaps(some, rules[account_id], zone)
    ]


def revive(alive: Sequence[Stretch], holdings: Holdings, journal: Journal) -> None:
    """Take back the expiry of lots that were alive all the time; not flushed yet."""
    if not alive:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.entry_id"
            " FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])"
            " AS v(account_id, active_from, expires_at)"
            " JOIN loyalty_lot l ON l.account_id = v.account_id AND l.remaining = 0"
            " AND l.expires_at > v.active_from AND l.expires_at < v.expires_at"
            " AND l.expires_at <= %s ORDER BY l.entry_id",
            [*_columns(alive), journal.created_at],
        )
        lot_ids = [row[0] for row in cursor.fetchall()]
    by_account = {one.account_id: one for one in holdings.values()}
    for expired in expired_lots(lot_ids).values():
        holding = by_account[expired.account_id]
        take_back_expiry(expired, holding, journal, reason=_REASON)


def put_off(alive: Sequence[Stretch]) -> None:
    """Move the expiry of the open lots that were alive at some moment of these."""
    if not alive:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_lot l SET expires_at = v.expires_at"
            " FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])"
            " AS v(account_id, active_from, expires_at)"
            " WHERE l.account_id = v.account_id AND l.remaining > 0"
            " AND l.expires_at > v.active_from AND l.expires_at < v.expires_at",
            _columns(alive),
        )


def _columns(alive: Sequence[Stretch]) -> list[list[object]]:
    return [list(column) for column in zip(*alive, strict=True)]


def _add_later_moments(moments: dict[int, set[datetime]]) -> None:
    """Add when the accounts earned after the first of the moments given."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.account_id, l.earned_at"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(account_id, first_at)"
            " JOIN loyalty_lot l ON l.account_id = v.account_id"
            " AND l.earned_at > v.first_at AND l.expires_at IS NOT NULL",
            [list(moments), [min(some) for some in moments.values()]],
        )
        for account_id, earned_at in cursor.fetchall():
            moments[account_id].add(earned_at)


def _without_gaps(
    moments: Iterable[datetime], rule: ExpiryRule, zone: tzinfo
) -> list[tuple[datetime, datetime]]:
    """Return from when to when activity kept points alive without a gap."""
    found: list[tuple[datetime, datetime]] = []
    for moment in sorted(moments):
        expires_at = expiry_moment(rule, moment, zone)
        if expires_at is None:
            continue
        if found and moment < found[-1][1]:
            found[-1] = (found[-1][0], max(expires_at, found[-1][1]))
        else:
            found.append((moment, expires_at))
    return found
