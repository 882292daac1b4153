"""Letting members enter and leave a segment, by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from loyalty.errors import LoyaltyError
from loyalty.models import Segment, SegmentKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class UnknownMembers(LoyaltyError):
    """Some numbers are no members of the program; ``facts["unknown"]`` has them."""

    code = "unknown_members"


class SegmentKeptByRules(LoyaltyError):
    """Rules say who is in this segment, not people."""

    code = "segment_kept_by_rules"


def refuse_kept_by_rules(segment: Segment) -> None:
    """Refuse to change by hand what rules keep.

    Raises:
        SegmentKeptByRules: rules keep the segment.
    """
    if segment.kind == SegmentKind.RULES:
        raise SegmentKeptByRules(
            f"“{segment}” is kept by its rules: change the rules instead."
        )


def add_members(segment: Segment, member_ids: Sequence[int], at: datetime) -> int:
    """Let members enter at ``at``; return how many were not in it.

    Raises:
        UnknownMembers: a number is no member of the segment's program.
        SegmentKeptByRules: rules keep the segment.
    """
    refuse_kept_by_rules(segment)
    _refuse_unknown(segment, member_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_segmentmembership (segment_id, member_id, entered_at)"
            " SELECT %s, v.id, %s FROM (SELECT DISTINCT unnest(%s::bigint[])) v(id)"
            " WHERE NOT EXISTS (SELECT 1 FROM loyalty_segmentmembership s"
            " WHERE s.segment_id = %s AND s.member_id = v.id"
            " AND s.left_at IS NULL) ON CONFLICT DO NOTHING",
            [segment.pk, at, list(member_ids), segment.pk],
        )
        return int(cursor.rowcount)


def remove_members(segment: Segment, member_ids: Sequence[int], at: datetime) -> int:
    """Let members leave at ``at``; return how many were in it.

    A stay that would end before it began is taken back altogether.

    Raises:
        SegmentKeptByRules: rules keep the segment.
    """
    refuse_kept_by_rules(segment)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH unbegun AS (DELETE FROM loyalty_segmentmembership"
            " WHERE segment_id = %(segment)s AND member_id = ANY(%(members)s)"
            " AND left_at IS NULL AND entered_at >= %(at)s RETURNING 1),"
            " ended AS (UPDATE loyalty_segmentmembership SET left_at = %(at)s"
            " WHERE segment_id = %(segment)s AND member_id = ANY(%(members)s)"
            " AND left_at IS NULL AND (entered_at IS NULL OR entered_at < %(at)s)"
            " RETURNING 1)"
            " SELECT (SELECT count(*) FROM unbegun) + (SELECT count(*) FROM ended)",
            {"segment": segment.pk, "members": list(member_ids), "at": at},
        )
        (count,) = cursor.fetchone()
        return int(count)


def _refuse_unknown(segment: Segment, member_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id FROM unnest(%s::bigint[]) v(id) WHERE NOT EXISTS"
            " (SELECT 1 FROM loyalty_member m WHERE m.id = v.id"
            " AND m.program_id = %s) ORDER BY v.id LIMIT 100",
            [list(member_ids), segment.program_id],
        )
        unknown = [row[0] for row in cursor.fetchall()]
    if unknown:
        named = ", ".join(map(str, unknown[:5]))
        raise UnknownMembers(
            f"There is no member {named}.", field="members", unknown=unknown
        )
