"""Where members stood at a moment: tiers held and segments they were in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import EVER, NEVER, MemberHistory, Stay
from loyalty.engine.tiers import tier_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from loyalty.engine.programme import Programme


class Standing(NamedTuple):
    """The tier that a member held and the segments it was in, at one moment."""

    tier_id: int | None
    segment_ids: frozenset[int]


def standing_of(member_id: int, programme: Programme, moment: datetime) -> Standing:
    """Return where a member stood at ``moment``; two queries at most."""
    history = MemberHistory()
    load_standings(programme, {member_id: history})
    return Standing(
        tier_at(history.tier_timeline, moment), segments_at(history, moment)
    )


def load_standings(
    programme: Programme, histories: Mapping[int, MemberHistory]
) -> None:
    """Fill in tiers and segments of the members, by number; two queries at most.

    Only segments are loaded that the configuration uses.
    """
    if programme.rules.tiers:
        _load_tiers(histories)
    if programme.segment_ids:
        _load_stays(programme, histories)


def _load_tiers(histories: Mapping[int, MemberHistory]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, since, tier_id FROM loyalty_membertier"
            " WHERE member_id = ANY(%s) ORDER BY since, id",
            [list(histories)],
        )
        for member_id, since, tier_id in cursor.fetchall():
            histories[member_id].tier_timeline.append((since, tier_id))


def _load_stays(programme: Programme, histories: Mapping[int, MemberHistory]) -> None:
    stays: dict[int, list[Stay]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, segment_id, entered_at, left_at"
            " FROM loyalty_segmentmembership"
            " WHERE member_id = ANY(%s) AND segment_id = ANY(%s)",
            [list(histories), list(programme.segment_ids)],
        )
        for member_id, segment_id, entered, left in cursor.fetchall():
            stays[member_id].append(Stay(segment_id, entered or EVER, left or NEVER))
    for member_id, some in stays.items():
        histories[member_id].stays = tuple(some)
