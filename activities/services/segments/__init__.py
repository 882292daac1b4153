"""Use cases of segments that rules keep up to date."""

from activities.services.segments.compiling import SegmentCycle, refuse_cycle
from activities.services.segments.rechecking import note_moved, recheck_members
from activities.services.segments.refreshing import (
    Refreshed,
    matching_count,
    matching_members,
    refresh_members,
    refresh_segment,
    refresh_segments,
)

__all__ = [
    "Refreshed",
    "SegmentCycle",
    "matching_count",
    "matching_members",
    "note_moved",
    "recheck_members",
    "refresh_members",
    "refresh_segment",
    "refresh_segments",
    "refuse_cycle",
]
