"""Running a backtest: range of members by range of members, each committed alone."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db import connection

from activities.models import Backtest, BacktestDates, BacktestStatus
from activities.services.backtesting.histories import budgets_at
from activities.services.backtesting.leases import BACKTEST
from activities.services.backtesting.reading import Members, stored_activities
from activities.services.backtesting.replaying import Replay
from activities.services.backtesting.results import recorded_sums, result_of
from activities.services.backtesting.tallying import (
    Counted,
    Tally,
    merged,
    summary_of,
)
from activities.services.backtesting.trial import (
    Span,
    shares_limits,
    trial_programme,
    within,
)
from loyalty.models import Member
from loyalty.services import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from loyalty.engine.programme import Programme
    from loyalty.services.jobs import Lease

MEMBERS_AT_ONCE = 2_000
_EVERY_MEMBER = 2**63 - 1
_WRITE_EVERY_SECONDS = 1.0


def run_backtest(backtest_id: int, *, until: datetime | None = None) -> bool:
    """Run a backtest that nobody runs, for a while; return whether some is left.

    Every range of members commits with its mark: whoever goes on after a worker that
    died does only what was not done. Where members share a limit there is only one
    range, which then starts anew. If the configuration changes in between, all of it
    does: a result is always of one revision.
    """
    return bool(
        jobs.attempt(
            BACKTEST, backtest_id, lambda lease: _Run(lease).go_on(until), _fail
        )
    )


def counted_awards(programme: Programme, tried: frozenset[int]) -> Counted:
    """Return which offers people are shown as the cost of a backtest."""
    offers = programme.offers.values()
    chosen = frozenset(
        one.id
        for one in offers
        if not tried or one.id in tried or one.campaign_id in tried
    )
    return Counted(chosen, {one.id: one.wallet.decimals for one in offers})


class _Run:
    """One turn of one worker."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._row = Backtest.objects.select_related("program").get(pk=lease.job_id)
        self._tried = frozenset(self._row.campaigns.values_list("pk", flat=True))
        self._span = Span(self._row.starts_at, self._row.ends_at)
        over = self._span if self._row.dates == BacktestDates.PERIOD else None
        self._programme = trial_programme(self._row.program_id, self._tried, over)
        self._is_shared = shares_limits(self._programme, self._span)
        self._written_at = time.monotonic()

    def go_on(self, until: datetime | None) -> bool:
        row = self._row
        if row.revision != self._programme.revision or not row.plan:
            self._begin()
        for number in range(row.chunks_done, len(row.plan)):
            if until is not None and _clock() >= until:
                self._lease.put_back()
                return True
            if jobs.is_stopping():
                raise jobs.Stopping
            self._run_chunk(number)
        self._finish()
        return False

    def _begin(self) -> None:
        row = self._row
        row.plan = list(_ranges(row.program_id, is_shared=self._is_shared))
        row.revision, row.chunks_done, row.done_count = self._programme.revision, 0, 0
        row.partial = {}
        row.activity_count = _activity_count(row.program_id, self._span)
        self._lease.write(
            plan=row.plan,
            revision=row.revision,
            chunks_done=0,
            done_count=0,
            partial={},
            activity_count=row.activity_count,
        )

    def _run_chunk(self, number: int) -> None:
        row = self._row
        members = Members(*row.plan[number])
        tally = Tally(self._tried, self._programme.rules.clock)
        with _collecting_afterwards():
            replay = replayed(
                self._programme,
                self._span,
                members,
                tally,
                beat=lambda done: self._beat(row.done_count + done),
            )
        counted = counted_awards(self._programme, self._tried)
        summary = summary_of(tally, counted, replay.member_count)
        summary["recorded"] = recorded_sums(row.program_id, self._span, members)
        row.partial = merged(row.partial, summary)
        row.done_count += tally.activity_count
        row.chunks_done = number + 1
        self._lease.write(
            partial=row.partial,
            done_count=row.done_count,
            chunks_done=row.chunks_done,
            # What is done stays done: from here on attempts count anew.
            tries=0,
        )
        self._lease.tries = 0

    def _beat(self, done: int) -> None:
        """Say how far it is, now and then, and look whether to go on."""
        self._lease.look()
        if time.monotonic() - self._written_at >= _WRITE_EVERY_SECONDS:
            self._lease.write(done_count=done)
            self._written_at = time.monotonic()

    def _finish(self) -> None:
        result = result_of(self._row, self._programme, self._tried)
        self._lease.write(
            status=BacktestStatus.FINISHED.value,
            finished_at=_clock(),
            result=result,
            partial={},
            plan=[],
        )


def replayed(
    programme: Programme,
    span: Span,
    members: Members,
    tally: Tally,
    beat: Callable[[int], Any] = lambda _: None,
) -> Replay:
    """Decide what some members did within ``span`` anew; ``tally`` counts it.

    ``beat`` is told how many activities are done. Nothing is written.
    """
    budgets = budgets_at(programme, span.starts_at)
    in_files = shares_limits(programme, span)
    programme = within(programme, span)
    replay = Replay(programme, span, tally, budgets)
    for rows in stored_activities(programme, span, members, in_files=in_files):
        replay.take(rows)
        beat(tally.activity_count)
    replay.finish()
    return replay


@contextmanager
def _collecting_afterwards() -> Iterator[None]:
    """Look for garbage in cycles once, at the end: deciding makes none.

    Looking through all histories again and again took a quarter of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _ranges(program_id: int, *, is_shared: bool) -> Iterator[tuple[int, int]]:
    """Yield the ranges of members; the last is open for those who join meanwhile."""
    if is_shared:
        yield (0, _EVERY_MEMBER)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place"
            " FROM loyalty_member WHERE program_id = %s) m"
            " WHERE place > 1 AND (place - 1) %% %s = 0 ORDER BY id",
            [program_id, MEMBERS_AT_ONCE],
        )
        cuts = [0, *(row[0] for row in cursor.fetchall()), _EVERY_MEMBER]
    yield from pairwise(cuts)


def _activity_count(program_id: int, span: Span) -> int:
    if not Member.objects.filter(program=program_id).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM activities_activity WHERE program_id = %s"
            " AND member_id IS NOT NULL AND occurred_at >= %s AND occurred_at < %s",
            [program_id, *span],
        )
        return int(cursor.fetchone()[0])


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _fail(lease: Lease, reason: str) -> None:
    lease.write(status=BacktestStatus.FAILED.value, failure=reason)
