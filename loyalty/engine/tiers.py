"""Which tier a score reaches, and which was held at a moment.

Scores and thresholds are points, whatever the decimals of the wallets that count:
integers of 1/10,000 point, so that wallets of different decimals add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.numbers import UNITS_PER_ONE, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class TierStep(NamedTuple):
    """A tier; ``rank`` 0 is the lowest, ``threshold`` is in 1/10,000 point."""

    id: int
    rank: int
    threshold: int


def units_of_score(decimals: int) -> int:
    """Return what the smallest unit of a wallet adds to a score, in 1/10,000 point.

    >>> units_of_score(0), units_of_score(1), units_of_score(4)
    (10000, 1000, 1)
    """
    units: int = 10 ** (4 - decimals)
    return units


def score_told(units: int) -> int | str:
    """Return a score in points as records tell it: a fraction as decimal text.

    >>> score_told(1_000_000), score_told(105_000)
    (100, '10.5')
    """
    points, fraction = divmod(units, UNITS_PER_ONE)
    return format_value(units) if fraction else points


def tier_for(score: int, steps: Sequence[TierStep]) -> int | None:
    """Return the highest tier whose threshold ``score`` reaches, None if none.

    Args:
        score: in 1/10,000 point like the thresholds; equal to one reaches it.
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
