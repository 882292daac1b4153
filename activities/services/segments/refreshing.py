"""Letting members enter and leave the segments that rules keep."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from activities.services.segments.compiling import Query, Scope, in_order, members_query
from loyalty.models import Segment, SegmentKind, SegmentState
from loyalty.services import jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from loyalty.models import SegmentRule

logger = logging.getLogger("loyalty.jobs")

# First number of the advisory lock that keeps refreshes of one segment apart.
_LOCK = 7302

# One statement. A stay that would end when it began never was.
_MOVE = """
    WITH wanted(id) AS MATERIALIZED ({wanted}),
    held AS (
        SELECT s.id, s.member_id, s.entered_at, w.id IS NOT NULL AS stays
        FROM loyalty_segmentmembership s LEFT JOIN wanted w ON w.id = s.member_id
        WHERE s.segment_id = %s AND s.left_at IS NULL{only}
    ),
    gone AS (
        DELETE FROM loyalty_segmentmembership s USING held h
        WHERE h.id = s.id AND NOT h.stays AND h.entered_at >= %s RETURNING 1
    ),
    ended AS (
        UPDATE loyalty_segmentmembership s SET left_at = %s FROM held h
        WHERE h.id = s.id AND NOT h.stays
          AND (h.entered_at IS NULL OR h.entered_at < %s) RETURNING 1
    ),
    entered AS (
        INSERT INTO loyalty_segmentmembership (segment_id, member_id, entered_at)
        SELECT %s, w.id, %s FROM wanted w LEFT JOIN held h ON h.member_id = w.id
        WHERE h.id IS NULL RETURNING 1
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM entered),
           (SELECT count(*) FROM gone) + (SELECT count(*) FROM ended)
"""


class Refreshed(NamedTuple):
    """What a refresh found: members let in, and how many came and went."""

    member_count: int
    entered_count: int
    left_count: int


def refresh_segment(segment: Segment, *, now: datetime) -> Refreshed:
    """Let a segment's members be those whom its rules let in at ``now``.

    One statement moves everybody. Whoever enters is in the segment from ``now``
    on: activities of before are decided as they were.
    """
    with transaction.atomic():
        found = _move(segment, Scope(segment.program_id, now))
        SegmentState.objects.update_or_create(
            segment=segment,
            defaults={
                **found._asdict(),
                "refreshed_at": now,
                "tries": 0,
                "failure": "",
            },
        )
    return found


def refresh_segments(
    program_id: int | None = None, *, now: datetime
) -> dict[int, Refreshed]:
    """Refresh all segments kept by rules, each in a transaction of its own.

    Segments that others are about come first.
    """
    segments = Segment.objects.filter(kind=SegmentKind.RULES)
    if program_id is not None:
        segments = segments.filter(program=program_id)
    by_id = {segment.pk: segment for segment in segments}
    found = {pk: _attempt(by_id[pk], now) for pk in in_order(by_id)}
    return {pk: one for pk, one in found.items() if one is not None}


def _attempt(segment: Segment, now: datetime) -> Refreshed | None:
    """Refresh a segment unless its attempts are used up; one that fails stops alone."""
    SegmentState.objects.get_or_create(segment=segment)
    states = SegmentState.objects.filter(segment=segment)
    left = states.filter(tries__lt=jobs.ATTEMPTS_MAX)
    if not left.update(tries=F("tries") + 1):
        states.filter(failure="").update(failure=jobs.gave_up("Its refresh"))
        return None
    try:
        return refresh_segment(segment, now=now)
    except (OperationalError, InterfaceError):
        logger.warning("Segment %s is refreshed later", segment.pk, exc_info=True)
    except Exception as error:  # noqa: BLE001 (the other segments go on)
        _stop(segment, error)
    return None


def _stop(segment: Segment, error: Exception) -> None:
    """Refresh the segment no more until somebody asks for it."""
    sentence = jobs.sentence_of(error, f"The refresh of segment {segment.pk}")
    SegmentState.objects.update_or_create(
        segment=segment, defaults={"tries": jobs.ATTEMPTS_MAX, "failure": sentence}
    )


def refresh_members(
    program_id: int, member_ids: Collection[int], *, now: datetime
) -> None:
    """Bring single members up to date in every segment of the program's rules.

    A segment whose refresh failed for good is passed over.
    """
    segments = Segment.objects.filter(program=program_id, kind=SegmentKind.RULES)
    segments = segments.exclude(state__tries__gte=jobs.ATTEMPTS_MAX)
    by_id = {segment.pk: segment for segment in segments}
    for pk in in_order(by_id):
        try:
            with transaction.atomic():
                _move(by_id[pk], Scope(program_id, now, sorted(member_ids)))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 (the other segments go on)
            _stop(by_id[pk], error)


def matching_count(
    program_id: int, rules: Sequence[SegmentRule], *, now: datetime
) -> int:
    """Return how many members rules would let in; they need not be saved."""
    query = members_query(rules, Scope(program_id, now))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query.sql}) x", query.parameters)  # noqa: S608 (own words)
        (count,) = cursor.fetchone()
    return int(count)


def matching_members(
    program_id: int, rules: Sequence[SegmentRule], *, now: datetime, limit: int
) -> list[int]:
    """Return the first members, by number, whom rules would let in."""
    query = members_query(rules, Scope(program_id, now))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM ({query.sql}) x ORDER BY id LIMIT %s",  # noqa: S608 (own words)
            (*query.parameters, limit),
        )
        return [row[0] for row in cursor.fetchall()]


def _move(segment: Segment, scope: Scope) -> Refreshed:
    rules = segment.rules.select_related("wallet").order_by("pk")
    wanted = members_query(list(rules), scope)
    only = Query("") if scope.only is None else Query(" AND s.member_id = ANY(%s)")
    limits = () if scope.only is None else (scope.only,)
    now = scope.now
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, segment.pk])
        cursor.execute(
            _MOVE.format(wanted=wanted.sql, only=only.sql),
            (
                *wanted.parameters,
                *(segment.pk, *limits),
                *(now, now, now),
                *(segment.pk, now),
            ),
        )
        return Refreshed._make(cursor.fetchone())
