"""How an activity type stands in the list that a member is shown."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from loyalty.engine.conditions import failure_of_segments, failure_of_tier

if TYPE_CHECKING:
    from loyalty.engine.facts import Offer, Rules


class Showing(Enum):
    """What a member sees of an activity type."""

    OPEN = "open"
    LOCKED = "locked"
    HIDDEN = "hidden"


def showing_of(
    offer: Offer,
    segment_ids: frozenset[int],
    tier_id: int | None,
    rules: Rules,
    *,
    locks_by_tier: bool,
) -> Showing:
    """Return how a member sees a type that is live.

    Args:
        offer: the type's own rule; the same conditions decide what it pays.
        segment_ids: segments that the member is in.
        tier_id: tier that the member holds.
        rules: clock and tiers of the program.
        locks_by_tier: members below the tier see it locked instead of not at all.
    """
    if failure_of_segments(offer, segment_ids):
        return Showing.HIDDEN
    if failure_of_tier(offer, tier_id, rules):
        return Showing.LOCKED if locks_by_tier else Showing.HIDDEN
    return Showing.OPEN
