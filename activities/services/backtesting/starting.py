"""Asking for a backtest, and calling it off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max, Min

from activities.models import Activity, Backtest, BacktestDates, BacktestStatus
from activities.services.backtesting.trial import Span, UnknownTrial
from campaigns.models import Campaign
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from decimal import Decimal

    from loyalty.models import Program


class EmptyPeriod(LoyaltyError):
    """The period ends before, or when, it starts."""

    code = "empty_period"


class BacktestEnded(LoyaltyError):
    """The backtest is at its end already."""

    code = "backtest_ended"


class BacktestNotFailed(LoyaltyError):
    """The backtest waits, runs, or came to its end."""

    code = "backtest_not_failed"


@dataclass(frozen=True)
class NewBacktest:
    """What is to be tried: campaigns by number, over which period, at what cost."""

    span: Span
    campaign_ids: Collection[int] = ()
    dates: str = BacktestDates.PERIOD.value
    cost_per_point: Decimal | None = None
    created_by: Any = field(default=None)
    actor: str = ""


def create_backtest(
    program: Program, wanted: NewBacktest, *, now: datetime
) -> Backtest:
    """Write down a backtest; it waits for a worker.

    Raises:
        UnknownTrial: the program has no such campaign.
        EmptyPeriod: the period ends before it starts.
    """
    if wanted.span.ends_at <= wanted.span.starts_at:
        raise EmptyPeriod("The period must end after it starts.", field="until")
    ids = set(wanted.campaign_ids)
    known = set(
        Campaign.objects.filter(program=program, pk__in=ids).values_list(
            "pk", flat=True
        )
    )
    for unknown in sorted(ids - known):
        raise UnknownTrial(f"There is no campaign {unknown}.", field="campaigns")
    with transaction.atomic():
        backtest = Backtest.objects.create(
            program=program,
            starts_at=wanted.span.starts_at,
            ends_at=wanted.span.ends_at,
            dates=wanted.dates,
            cost_per_point=wanted.cost_per_point,
            created_by=wanted.created_by,
            actor=wanted.actor,
            created_at=now,
        )
        backtest.campaigns.set(known)
    return backtest


def cancel_backtest(backtest: Backtest, *, now: datetime) -> Backtest:
    """Call a backtest off; its worker stops within a second or so.

    Raises:
        BacktestEnded: it is finished, or was cancelled before.
    """
    changed = Backtest.objects.filter(
        pk=backtest.pk, status__in=[BacktestStatus.QUEUED, BacktestStatus.RUNNING]
    ).update(status=BacktestStatus.CANCELLED, finished_at=now, partial={}, plan=[])
    if not changed:
        raise BacktestEnded("This backtest is at its end already.")
    backtest.refresh_from_db()
    return backtest


def restart_backtest(backtest: Backtest) -> Backtest:
    """Let a backtest that failed run once more; attempts count anew.

    Raises:
        BacktestNotFailed: it has not failed.
    """
    changed = Backtest.objects.filter(
        pk=backtest.pk, status=BacktestStatus.FAILED
    ).update(status=BacktestStatus.QUEUED, failure="", tries=0, touched_at=None)
    if not changed:
        raise BacktestNotFailed("Only a backtest that failed can be started again.")
    backtest.refresh_from_db()
    return backtest


def recorded_span(program: Program) -> Span | None:
    """Return from the first to the last activity's moment; None without any."""
    found = Activity.objects.filter(program=program).aggregate(
        first=Min("occurred_at"), last=Max("occurred_at")
    )
    return Span(found["first"], found["last"]) if found["first"] else None
