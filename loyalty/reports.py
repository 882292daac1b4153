"""Numbers for people about members, points and the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.models import Account

if TYPE_CHECKING:
    from loyalty.models import Member, Program, Wallet


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
    """Return a member's wallets; two queries.

    Spendable is what open lots hold at ``now`` that is neither pending nor
    expired; the next expiry is of the lots that expire first.
    """
    lots = _open_lots(member.pk, now)
    accounts = Account.objects.filter(member=member).select_related("wallet")
    return [
        Holding(
            account.wallet,
            account.balance,
            lots.get(account.pk, _NO_LOTS).spendable,
            account.pending,
            account.owed,
            account.lifetime_earned,
            lots.get(account.pk, _NO_LOTS).expires_at,
            lots.get(account.pk, _NO_LOTS).expiring,
        )
        for account in accounts.order_by("wallet__name")
    ]


class _OpenLots(NamedTuple):
    spendable: int
    expires_at: datetime | None
    expiring: int


_NO_LOTS = _OpenLots(0, None, 0)


def _open_lots(member_id: int, now: datetime) -> dict[int, _OpenLots]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH open AS (
                SELECT l.account_id, l.remaining, l.is_pending, l.expires_at,
                       min(l.expires_at) OVER (PARTITION BY l.account_id) AS first
                FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
                WHERE a.member_id = %s AND l.remaining > 0
                  AND (l.expires_at IS NULL OR l.expires_at > %s)
            )
            SELECT account_id,
                   coalesce(sum(remaining) FILTER (WHERE NOT is_pending), 0)::bigint,
                   min(first),
                   coalesce(sum(remaining) FILTER (WHERE expires_at = first), 0)::bigint
            FROM open GROUP BY account_id
            """,
            [member_id, now],
        )
        return {row[0]: _OpenLots(*row[1:]) for row in cursor.fetchall()}


class DayOfPoints(NamedTuple):
    """Points given on one local day, by bucket; in the wallet's smallest unit."""

    day: date
    base: int
    bonus: int
    targeted: int

    @property
    def total(self) -> int:
        """Return the sum of the buckets."""
        return self.base + self.bonus + self.targeted


def points_by_day(
    program: Program, wallet_id: int, *, until: datetime, days: int
) -> list[DayOfPoints]:
    """Return awards by the local day on which they were posted, oldest first.

    Every day of the last ``days`` is there, up to the day of ``until``. Reversed
    awards count on the day they were given.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.day::date,
                   coalesce(sum(points) FILTER (WHERE bucket = 'base'), 0)::bigint,
                   coalesce(sum(points) FILTER (WHERE bucket = 'bonus'), 0)::bigint,
                   coalesce(sum(points) FILTER (WHERE bucket = 'targeted'), 0)::bigint
            FROM generate_series(date_trunc('day', %(until)s::timestamptz
                                     AT TIME ZONE %(zone)s)
                                     - make_interval(days => %(back)s),
                                 %(until)s::timestamptz AT TIME ZONE %(zone)s,
                                 '1 day') AS d(day)
            LEFT JOIN (
                SELECT date_trunc('day', e.created_at AT TIME ZONE %(zone)s) AS day,
                       e.bucket, sum(e.amount) AS points
                FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.debit_account_id
                WHERE e.created_at >= %(until)s::timestamptz
                                      - make_interval(days => %(back)s + 1)
                  AND e.kind = 'award' AND e.program_id = %(program)s
                  AND a.wallet_id = %(wallet)s
                GROUP BY 1, 2
            ) e ON e.day = d.day
            GROUP BY d.day ORDER BY d.day
            """,
            {
                "until": until,
                "zone": program.time_zone,
                "back": days - 1,
                "program": program.pk,
                "wallet": wallet_id,
            },
        )
        return [DayOfPoints(*row) for row in cursor.fetchall()]
