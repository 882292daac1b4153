"""Backtest: stored activities decided anew, in one worker, without writing.

Months of the demo's baskets are recorded through the upload path; then a backtest of
the configuration as it stands goes through all of them, as its Celery task would. Its
speed is told by itself and against recording the same activities in the same run. The
best round counts, because what disturbs a round only ever makes it slower.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import database, worker
from benchmarks.measures import Measure, at_least, say

if TYPE_CHECKING:
    from loyalty.models import Program

PER_SECOND_AIM = 20_000
# Recording decides as well, and then writes four to five rows for each activity.
RATIO_AIM = 2.5
MEGABYTES_AIM = 300


class Size(NamedTuple):
    """How much is measured: the days whose baskets are recorded, and how often."""

    until: date
    rounds: int


FULL = Size(date(2017, 7, 1), rounds=3)
TINY = Size(date(2017, 1, 2), rounds=1)


def run(size: Size) -> list[Measure]:
    """Measure the speed of a backtest by itself and against recording."""
    from activities.services.demo.configuration import build_configuration
    from benchmarks.bulk import checked

    say("backtest: building the demo programme")
    program = build_configuration()
    upload, _ = checked(program, None, size.until)
    recorded = worker.record(upload.pk)
    database.settle()

    rounds = []
    for number in range(size.rounds):
        rounds.append(worker.backtest(_asked_for(program)))
        say(f"backtest: round {number + 1}: {rounds[-1].seconds:.1f} s")
    best = min(rounds)

    count = upload.activity_count
    speed = count / best.seconds
    return [
        Measure(
            f"backtest: {count:,} activities, a second and worker",
            f"{speed:,.0f} /s",
            aim=f">= {PER_SECOND_AIM:,} /s",
            is_met=speed >= PER_SECOND_AIM,
        ),
        at_least(
            "backtest: the same, against recording them",
            speed,
            count / recorded.seconds,
            RATIO_AIM,
            "/s",
        ),
        Measure(
            "backtest: the worker's own processor time, of all its time",
            f"{best.processor_seconds / count * 1e6:,.0f} µs each",
            f"{best.seconds / count * 1e6:,.0f} µs each",
            f"{best.processor_seconds / best.seconds:.2f}",
        ),
        Measure(
            "backtest: peak memory of the worker",
            f"{best.peak_megabytes:,.0f} MB",
            aim=f"< {MEGABYTES_AIM} MB",
            is_met=best.peak_megabytes < MEGABYTES_AIM,
        ),
    ]


def _asked_for(program: Program) -> int:
    """Return the number of a new backtest of everything that was recorded."""
    from activities.services.backtesting import NewBacktest, Span, create_backtest

    span = Span(datetime(2016, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC))
    return create_backtest(program, NewBacktest(span), now=datetime.now(tz=UTC)).pk
