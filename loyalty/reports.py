"""Numbers for people about members, points and the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from loyalty.models import Account, Lot, Wallet

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from loyalty.models import Member, Program


@dataclass(frozen=True)
class Holding:
    """What a member has in one wallet, in its smallest unit."""

    wallet: Wallet
    balance: int
    spendable: int
    pending: int
    owed: int
    lifetime_earned: int
    next_expiry_at: datetime | None
    next_expiry: int


def holdings_of(member: Member, now: datetime) -> list[Holding]:
    """Return a member's wallets as they are at ``now``; two queries.

    The next expiry is of the lots that expire first.
    """
    lots = _open_lots(member.pk, now)
    accounts = Account.objects.as_of(now).filter(member=member)
    accounts = accounts.select_related("wallet")
    return [
        Holding(
            account.wallet,
            account.balance_at,
            account.spendable_at,
            account.pending_at,
            account.owed,
            account.lifetime_earned,
            lots.get(account.pk, _NO_LOTS).expires_at,
            lots.get(account.pk, _NO_LOTS).expiring,
        )
        for account in accounts.order_by("wallet__name")
    ]


class _OpenLots(NamedTuple):
    expires_at: datetime | None
    expiring: int


_NO_LOTS = _OpenLots(None, 0)


def _open_lots(member_id: int, now: datetime) -> dict[int, _OpenLots]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH open AS (
                SELECT l.account_id, l.remaining, l.expires_at,
                       min(l.expires_at) OVER (PARTITION BY l.account_id) AS first
                FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
                WHERE a.member_id = %s AND l.remaining > 0
                  AND (l.expires_at IS NULL OR l.expires_at > %s)
            )
            SELECT account_id, min(first),
                   coalesce(sum(remaining) FILTER (WHERE expires_at = first), 0)::bigint
            FROM open GROUP BY account_id
            """,
            [member_id, now],
        )
        return {row[0]: _OpenLots(*row[1:]) for row in cursor.fetchall()}


class Movement(NamedTuple):
    """One line of a member's statement, in the wallet's smallest unit.

    ``amount`` is below zero where points left the member; ``balance`` is what the
    wallet held after it, counted from its first movement on.
    """

    entry_id: int
    booked_at: datetime
    occurred_at: datetime
    kind: str
    bucket: str
    amount: int
    balance: int
    offer: str
    activity_id: int | None
    reason: str
    is_reversed: bool


class Span(NamedTuple):
    """From when (inclusive) until when (exclusive); None: open."""

    since: datetime | None = None
    until: datetime | None = None


def movements_of(
    account_id: int, span: Span, *, skip: int = 0, limit: int | None = 50
) -> list[Movement]:
    """Return an account's movements, newest first, each with the balance after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                SELECT id, created_at, occurred_at, kind, bucket, amount, offer_id,
                       activity_id, reason
                FROM loyalty_entry WHERE credit_account_id = %(account)s
                UNION ALL
                SELECT id, created_at, occurred_at, kind, bucket, -amount, offer_id,
                       activity_id, reason
                FROM loyalty_entry WHERE debit_account_id = %(account)s
            ), counted AS (
                SELECT *, sum(amount) OVER (ORDER BY id)::bigint AS balance FROM moved
            ), shown AS (
                SELECT * FROM counted
                WHERE (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
                  AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
                ORDER BY id DESC OFFSET %(skip)s LIMIT %(limit)s
            )
            SELECT s.id, s.created_at, s.occurred_at, s.kind, s.bucket, s.amount,
                   s.balance, coalesce(o.name, ''), s.activity_id, s.reason,
                   EXISTS (SELECT FROM loyalty_entry r WHERE r.reverses_id = s.id)
            FROM shown s LEFT JOIN loyalty_offer o ON o.id = s.offer_id
            ORDER BY s.id DESC
            """,
            {
                "account": account_id,
                "since": span.since,
                "until": span.until,
                "skip": skip,
                "limit": limit,
            },
        )
        return [Movement(*row) for row in cursor.fetchall()]


class MonthOfExpiry(NamedTuple):
    """What expires in one month of the program's calendar, if nobody spends it."""

    wallet_id: int
    month: date
    amount: int


def expiring_by_month(member: Member, now: datetime, zone: str) -> list[MonthOfExpiry]:
    """Return what a member's open lots lose, by wallet and month, soonest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.wallet_id,
                   date_trunc('month', l.expires_at AT TIME ZONE %s)::date AS month,
                   sum(l.remaining)::bigint
            FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
            WHERE a.member_id = %s AND l.remaining > 0 AND l.expires_at > %s
            GROUP BY 1, 2 ORDER BY 2, 1
            """,
            [zone, member.pk, now],
        )
        return [MonthOfExpiry(*row) for row in cursor.fetchall()]


class DayOfPoints(NamedTuple):
    """Points earned on one local day, by bucket; in the wallet's smallest unit."""

    day: date
    base: int
    bonus: int
    targeted: int

    @property
    def total(self) -> int:
        """Return the sum of the buckets."""
        return self.base + self.bonus + self.targeted


def points_by_day(
    program: Program, wallet_id: int, *, posted_since: datetime, days: int
) -> list[DayOfPoints]:
    """Return awards by the local day of their activity, oldest first.

    Looks at what was posted since ``posted_since``, so that its cost does not grow
    with the ledger. Every one of the ``days`` up to the last day with an award is
    there; nothing is, where nothing was posted. What was taken back since does not
    count: it lowers the day on which it was earned.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                SELECT e.occurred_at, e.bucket, e.amount
                FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.debit_account_id
                WHERE e.created_at >= %(since)s AND e.kind = 'award'
                  AND e.program_id = %(program)s AND a.wallet_id = %(wallet)s
                UNION ALL
                SELECT e.occurred_at, e.bucket, -r.amount
                FROM loyalty_entry r JOIN loyalty_entry e ON e.id = r.reverses_id
                JOIN loyalty_account a ON a.id = e.debit_account_id
                WHERE r.created_at >= %(since)s AND r.kind = 'reversal'
                  AND e.created_at >= %(since)s AND e.kind = 'award'
                  AND r.program_id = %(program)s AND a.wallet_id = %(wallet)s
            ), recent AS (
                SELECT (occurred_at AT TIME ZONE %(zone)s)::date AS day,
                       coalesce(sum(amount) FILTER (WHERE bucket = 'base'), 0) AS base,
                       coalesce(sum(amount) FILTER (WHERE bucket = 'bonus'), 0)
                           AS bonus,
                       coalesce(sum(amount) FILTER (WHERE bucket = 'targeted'), 0)
                           AS targeted
                FROM moved GROUP BY 1
            ), last AS (
                SELECT max(day) AS day FROM recent WHERE base + bonus + targeted > 0
            )
            SELECT d.day::date, coalesce(r.base, 0)::bigint,
                   coalesce(r.bonus, 0)::bigint, coalesce(r.targeted, 0)::bigint
            FROM last, generate_series(last.day - %(back)s, last.day, '1 day') AS d(day)
            LEFT JOIN recent r ON r.day = d.day::date
            ORDER BY d.day
            """,
            {
                "zone": program.time_zone,
                "since": posted_since,
                "program": program.pk,
                "wallet": wallet_id,
                "back": days - 1,
            },
        )
        return [DayOfPoints(*row) for row in cursor.fetchall()]


class Outstanding(NamedTuple):
    """What all members together hold of a wallet; in its smallest unit."""

    wallet: Wallet
    points: int
    pending: int
    expiring: int


def outstanding_points(
    program: Program, *, at: datetime, expiring_until: datetime
) -> list[Outstanding]:
    """Return the program's debt at ``at`` by wallet.

    What expires after that, by another moment, is part of it; what has expired is
    not, whether or not the regular work has posted it.
    """
    accounts = Account.objects.filter(wallet=OuterRef("pk"), member__isnull=False)
    lots = Lot.objects.filter(account__wallet=OuterRef("pk"), remaining__gt=0)
    is_over = Q(available_at__lte=at) | Q(expires_at__lte=at)
    by = "account__wallet"
    wallets = Wallet.objects.filter(program=program).annotate(
        held=_sum_of(accounts, "wallet", "balance"),
        held_back=_sum_of(accounts, "wallet", "pending"),
        gone=_sum_of(lots.filter(expires_at__lte=at), by, "remaining"),
        free=_sum_of(lots.filter(is_over, is_pending=True), by, "remaining"),
        expiring=_sum_of(
            lots.filter(expires_at__gt=at, expires_at__lte=expiring_until),
            by,
            "remaining",
        ),
    )
    return [
        Outstanding(
            wallet,
            wallet.held - wallet.gone,
            wallet.held_back - wallet.free,
            wallet.expiring,
        )
        for wallet in wallets.order_by("pk")
    ]


def _sum_of(rows: QuerySet[Any], by: str, field: str) -> Coalesce:
    sums = rows.order_by().values(by).annotate(sum=Sum(field)).values("sum")
    return Coalesce(Subquery(sums), Value(0), output_field=BigIntegerField())
