"""Members whom an activity could move into a segment of rules, or out of one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection, transaction

from activities.services.segments.refreshing import refresh_members
from loyalty.ledger.holdings import copy_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from loyalty.engine.programme import Programme

MEMBERS_AT_ONCE = 1_000


def note_moved(programme: Programme, member_ids: Iterable[int | None]) -> None:
    """Remember members to be looked at, in the caller's transaction.

    Programs without segments of rules pay nothing for it.
    """
    if not programme.has_rule_segments:
        return
    copy_lines(
        "activities_segmentrecheck",
        "program_id, member_id",
        [
            f"{programme.program_id}\t{member_id}\n"
            for member_id in sorted({one for one in member_ids if one is not None})
        ],
    )


def recheck_members(*, now: datetime) -> int:
    """Look at the members who wait, up to a thousand; return how many waited.

    What they waited for and where they then belong commit together. Any number of
    workers may do so at once.
    """
    with transaction.atomic():
        waiting = _take()
        for program_id, member_ids in sorted(waiting.items()):
            refresh_members(program_id, member_ids, now=now)
    return sum(map(len, waiting.values()))


def _take() -> dict[int, set[int]]:
    waiting: dict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM activities_segmentrecheck WHERE id IN ("
            " SELECT id FROM activities_segmentrecheck ORDER BY id LIMIT %s"
            " FOR UPDATE SKIP LOCKED) RETURNING program_id, member_id",
            [MEMBERS_AT_ONCE],
        )
        for program_id, member_id in cursor.fetchall():
            waiting[program_id].add(member_id)
    return waiting
