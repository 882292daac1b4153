"""One worker runs a backtest: it holds a lease by number and keeps it alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from activities.models import BacktestStatus
from loyalty.services import jobs
from loyalty.services.jobs import LEASE_SECONDS

if TYPE_CHECKING:
    from loyalty.services.jobs import Lease

_SWEPT_AGAIN_AFTER_SECONDS = 60

BACKTEST = jobs.Kind(
    what="This backtest",
    table="activities_backtest",
    waiting=BacktestStatus.QUEUED.value,
    held=BacktestStatus.RUNNING.value,
    starting="failure = '', started_at = coalesce(started_at, clock_timestamp())",
    json_columns=frozenset({"plan", "partial", "result"}),
)


def take_lease(backtest_id: int) -> Lease | None:
    """Claim a backtest that nobody is running; None if somebody is, or it ended."""
    return jobs.take(BACKTEST, backtest_id)


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
