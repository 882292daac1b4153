"""Checking the ledger regularly, and keeping what was found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models.functions import Now

from activities.models import LedgerCheck
from activities.services.statistics import refresh_statistics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from loyalty.ledger import Mismatch

MISMATCHES_KEPT_MAX = 100
_KEPT_FOR = timedelta(days=90)
# A check that started this long ago and has not ended has lost its worker.
_LOST_AFTER = timedelta(hours=6)


def keep_check(found: Iterable[Mismatch], *, now: datetime) -> LedgerCheck | None:
    """Keep what a check finds; None, and nothing looked at, if another still runs.

    ``found`` is looked through here, while the check counts as running.

    Checks older than 90 days are forgotten.
    """
    running = LedgerCheck.objects.filter(
        finished_at=None, started_at__gt=now - _LOST_AFTER
    )
    if running.exists():
        return None
    check = LedgerCheck.objects.create(started_at=now)
    refresh_statistics()
    for one in found:
        check.mismatch_count += 1
        if check.mismatch_count <= MISMATCHES_KEPT_MAX:
            numbers = (one.stored, one.expected)
            stored, expected = (None if n is None else int(n) for n in numbers)
            check.mismatches.append(
                {
                    "law": one.law,
                    "where": one.where,
                    "stored": stored,
                    "expected": expected,
                }
            )
    LedgerCheck.objects.filter(pk=check.pk).update(
        finished_at=Now(),
        mismatch_count=check.mismatch_count,
        mismatches=check.mismatches,
    )
    LedgerCheck.objects.filter(started_at__lt=now - _KEPT_FOR).delete()
    return check


def last_check() -> LedgerCheck | None:
    """Return the newest check that came to its end."""
    ended = LedgerCheck.objects.exclude(finished_at=None)
    return ended.order_by("-started_at").first()
