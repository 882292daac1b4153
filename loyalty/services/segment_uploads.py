"""Filling segments from files of members."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from django.db import connection, transaction

from loyalty.models.members import identity_rules
from loyalty.services.lists import copy_names, first_column
from loyalty.services.memberships import refuse_kept_by_rules
from loyalty.services.tables.escaping import csv_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loyalty.models import Segment

_UNKNOWN_SHOWN = 20


class SegmentChange(Enum):
    """What a file of members does to a segment."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True)
class SegmentUpload:
    """What became of a file: counts of members, and names nobody has."""

    line_count: int
    known_count: int
    unknown_count: int
    entered_count: int
    left_count: int
    unknown: list[str]


def upload_members(
    segment: Segment,
    file: IO[bytes],
    *,
    identity_kind: str,
    change: SegmentChange,
    at: datetime,
    has_heading: bool,
) -> SegmentUpload:
    """Let the members of a file enter or leave ``segment`` as of ``at``.

    Who enters is in it from ``at`` on without end; who leaves is out from ``at``
    on; stays before ``at`` keep standing. ``REPLACE`` lets everybody else leave.
    Names that nobody has are counted and change nothing. Takes a million lines in
    constant memory, in a handful of statements, all or nothing.

    Raises:
        UnreadableList: the file is not a list of names.
        SegmentKeptByRules: rules keep the segment.
    """
    refuse_kept_by_rules(segment)
    with transaction.atomic():
        rules = identity_rules(segment.program_id)
        line_count = copy_names(
            first_column(file, has_heading=has_heading),
            key_of=partial(rules.key_of, identity_kind),
        )
        known_count = _find_members(segment, identity_kind)
        unknown_count, unknown = _unknown()
        left_count = 0
        entered_count = 0
        if change is not SegmentChange.ADD:
            left_count = _leave(
                segment, at, keep_listed=change is SegmentChange.REPLACE
            )
        if change is not SegmentChange.REMOVE:
            entered_count = _enter(segment, at)
        _run("DROP TABLE listed_name, listed_member", [])
    return SegmentUpload(
        line_count, known_count, unknown_count, entered_count, left_count, unknown
    )


def preview_members(
    segment: Segment,
    file: IO[bytes],
    *,
    identity_kind: str,
    change: SegmentChange,
    at: datetime,
    has_heading: bool,
) -> SegmentUpload:
    """Return what ``upload_members`` would do; nothing stays changed.

    Raises:
        UnreadableList: the file is not a list of names.
    """
    with transaction.atomic():
        report = upload_members(
            segment,
            file,
            identity_kind=identity_kind,
            change=change,
            at=at,
            has_heading=has_heading,
        )
        transaction.set_rollback(True)
    return report


def member_lines(segment: Segment, identity_kind: str, at: datetime) -> Iterator[str]:
    """Yield the members in ``segment`` at ``at``, as CSV without live formulas."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY (SELECT i.value FROM loyalty_segmentmembership s"
            " JOIN loyalty_identity i ON i.member_id = s.member_id AND i.kind = %s"
            " WHERE s.segment_id = %s AND (s.entered_at IS NULL OR s.entered_at <= %s)"
            " AND (s.left_at IS NULL OR s.left_at > %s) ORDER BY i.value)"
            " TO STDOUT",
            [identity_kind, segment.pk, at, at],
        ) as copy,
    ):
        yield from csv_blocks(copy.rows())


def _find_members(segment: Segment, identity_kind: str) -> int:
    found = _run(
        # By the exact spelling first, then by whoever holds the key.
        "CREATE TEMPORARY TABLE listed_member ON COMMIT DROP AS"
        " SELECT DISTINCT n.name, coalesce(i.member_id, h.member_id) AS member_id"
        " FROM listed_name n"
        " LEFT JOIN loyalty_identity i ON i.program_id = %s AND i.kind = %s"
        " AND i.value = n.name"
        " LEFT JOIN loyalty_identity h ON h.program_id = %s AND h.kind = %s"
        " AND h.key = n.key AND NOT h.is_duplicate",
        [segment.program_id, identity_kind] * 2,
    )
    _run("CREATE INDEX ON listed_member (member_id)", [])
    _run("ANALYZE listed_member", [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT member_id) FROM listed_member")
        row = cursor.fetchone()
    return int(row[0]) if found else 0


def _unknown() -> tuple[int, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM listed_member WHERE member_id IS NULL")
        count = cursor.fetchone()[0]
        cursor.execute(
            "SELECT name FROM listed_member WHERE member_id IS NULL"
            " ORDER BY name LIMIT %s",
            [_UNKNOWN_SHOWN],
        )
        return count, [row[0] for row in cursor.fetchall()]


def _leave(segment: Segment, at: datetime, *, keep_listed: bool) -> int:
    """End the stays of the listed members, or of all others."""
    word = "NOT EXISTS" if keep_listed else "EXISTS"
    whose = f"{word} (SELECT 1 FROM listed_member l WHERE l.member_id = s.member_id)"  # noqa: S608
    later = _run(
        f"DELETE FROM loyalty_segmentmembership s WHERE s.segment_id = %s"  # noqa: S608 (fixed words)
        f" AND s.entered_at >= %s AND {whose}",
        [segment.pk, at],
    )
    now = _run(
        f"UPDATE loyalty_segmentmembership s SET left_at = %s"  # noqa: S608
        f" WHERE s.segment_id = %s AND (s.left_at IS NULL OR s.left_at > %s)"
        f" AND {whose}",
        [at, segment.pk, at],
    )
    return later + now


def _enter(segment: Segment, at: datetime) -> int:
    """Let the listed members be in the segment from ``at`` on."""
    listed = "EXISTS (SELECT 1 FROM listed_member l WHERE l.member_id = s.member_id)"
    # Stays that begin later are part of the one that begins now.
    _run(
        f"DELETE FROM loyalty_segmentmembership s WHERE s.segment_id = %s"  # noqa: S608
        f" AND s.entered_at > %s AND {listed}",
        [segment.pk, at],
    )
    _run(
        f"UPDATE loyalty_segmentmembership s SET left_at = NULL"  # noqa: S608
        f" WHERE s.id IN (SELECT max(s.id) FROM loyalty_segmentmembership s"
        f" WHERE s.segment_id = %s AND s.left_at >= %s AND {listed}"
        f" AND NOT EXISTS (SELECT 1 FROM loyalty_segmentmembership o"
        f" WHERE o.segment_id = s.segment_id AND o.member_id = s.member_id"
        f" AND o.left_at IS NULL) GROUP BY s.member_id)",
        [segment.pk, at],
    )
    return _run(
        "INSERT INTO loyalty_segmentmembership (segment_id, member_id, entered_at)"
        " SELECT DISTINCT %s::bigint, l.member_id, %s::timestamptz"
        " FROM listed_member l WHERE l.member_id IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM loyalty_segmentmembership s WHERE s.segment_id = %s"
        " AND s.member_id = l.member_id AND s.left_at IS NULL)",
        [segment.pk, at, segment.pk],
    )


def _run(statement: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
