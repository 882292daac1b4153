"""What time does to points: they are released, and they expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty import ledger
from loyalty.models import Program

if TYPE_CHECKING:
    from datetime import datetime


def expire_points(*, at: datetime) -> int:
    """Post the expiry of every lot due at ``at``; return how many lots.

    Members are done in small transactions: stopped anywhere, it goes on where it
    was when it is called again.
    """
    return _in_steps(ledger.expire_due, at)


def release_points(*, at: datetime) -> int:
    """Release every pending lot due at ``at``; return how many lots."""
    return _in_steps(ledger.release_due, at)


def _in_steps(step: ledger.Step, at: datetime) -> int:
    total = 0
    for program_id in Program.objects.order_by("pk").values_list("pk", flat=True):
        while count := step(program_id, at=at):
            total += count
    return total
