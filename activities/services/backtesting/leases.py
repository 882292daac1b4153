"""One worker runs a backtest: it holds a lease by number and keeps it alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from activities.models import BacktestStatus

if TYPE_CHECKING:
    from datetime import datetime

LEASE_SECONDS = 20
_SWEPT_AGAIN_AFTER_SECONDS = 60
_JSON = frozenset({"plan", "partial", "result"})


class Superseded(Exception):
    """Another worker took over, or the backtest was cancelled."""


class Lease:
    """The right to run one backtest, until somebody takes it over."""

    def __init__(self, backtest_id: int, attempt: int, now: datetime) -> None:
        """``now`` is the moment at which the lease began."""
        self.backtest_id = backtest_id
        self.attempt = attempt
        self.now = now

    def write(self, **changes: Any) -> None:
        """Write to the backtest's row, and say that somebody is at work.

        Raises:
            Superseded: the lease is lost.
        """
        names = "".join(
            f", {name} = %({name})s{'::jsonb' if name in _JSON else ''}"
            for name in changes
        )
        values = {
            name: orjson.dumps(value).decode() if name in _JSON else value
            for name, value in changes.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE activities_backtest SET touched_at = clock_timestamp(){names}"  # noqa: S608 (own names)
                " WHERE id = %(id)s AND status = %(held)s AND attempt = %(attempt)s",
                {
                    **values,
                    "id": self.backtest_id,
                    "held": BacktestStatus.RUNNING.value,
                    "attempt": self.attempt,
                },
            )
            if not cursor.rowcount:
                raise Superseded


def take_lease(backtest_id: int) -> Lease | None:
    """Claim a backtest that nobody is running; None if somebody is, or it ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE activities_backtest SET status = 'running', attempt = attempt + 1,
                touched_at = clock_timestamp(), failure = '',
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = %s AND (status = 'queued' OR (status = 'running' AND (
                touched_at IS NULL
                OR touched_at < clock_timestamp() - make_interval(secs => %s))))
            RETURNING attempt, clock_timestamp()
            """,
            [backtest_id, LEASE_SECONDS],
        )
        row = cursor.fetchone()
    return Lease(backtest_id, *row) if row else None


def hand_over(lease: Lease) -> None:
    """Let go of the lease, so that the next turn need not wait for its end.

    Raises:
        Superseded: the lease is lost.
    """
    lease.write(status=BacktestStatus.QUEUED.value)


def stalled_backtests() -> list[int]:
    """Return backtests that nobody moves on; each at most once a minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE activities_backtest SET swept_at = clock_timestamp()
            WHERE status IN ('queued', 'running')
              AND coalesce(touched_at, created_at)
                  < clock_timestamp() - make_interval(secs => %s)
              AND (swept_at IS NULL
                   OR swept_at < clock_timestamp() - make_interval(secs => %s))
            RETURNING id
            """,
            [LEASE_SECONDS, _SWEPT_AGAIN_AFTER_SECONDS],
        )
        return [row[0] for row in cursor.fetchall()]
