"""Which tier a score reaches, and which was held at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class TierStep(NamedTuple):
    """A tier; ``rank`` 0 is the lowest."""

    id: int
    rank: int
    threshold: int


def tier_for(score: int, steps: Sequence[TierStep]) -> int | None:
    """Return the highest tier whose threshold ``score`` reaches, None if none.

    Args:
        score: in the unit of the thresholds; equal to a threshold reaches it.
        steps: sorted, lowest first.

    >>> tier_for(100, [TierStep(7, 0, 0), TierStep(8, 1, 100)])
    8
    """
    for step in reversed(steps):
        if score >= step.threshold:
            return step.id
    return None


def tier_at(
    timeline: Sequence[tuple[datetime, int | None]], moment: datetime
) -> int | None:
    """Return the tier held at ``moment``; a change holds from its instant on.

    Args:
        timeline: instants and the tiers entered then, sorted by instant; of two
            changes at one instant the later in the sequence counts.
        moment: aware.

    Returns:
        None before the first change, and where the timeline says so.

    >>> from datetime import UTC, datetime
    >>> new_year = datetime(2026, 1, 1, tzinfo=UTC)
    >>> tier_at([(new_year, 7)], new_year)
    7
    """
    for since, tier_id in reversed(timeline):
        if since <= moment:
            return tier_id
    return None
