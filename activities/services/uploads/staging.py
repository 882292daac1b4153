"""Staged rows: written with COPY, freed of duplicates, cut into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from activities.services.uploads.normalising import Refusal
from activities.services.uploads.payloads import (
    StagedRow,
    column_in_file,
    rows_as_in_file,
)
from activities.services.uploads.refusals import DuplicateKey, LinesNotTogether
from loyalty.ledger.holdings import copy_lines, copy_text

if TYPE_CHECKING:
    from activities.models import Upload
    from activities.services.uploads.normalising import NewRow

CHUNK_ROWS = 1_000
_DELETED_AT_ONCE = 20_000

_COLUMNS = "id, line, member_value, occurred_at, key, payload"

# Every row whose key stands more than once, with the first row of its key.
_REPEATED = """
    WITH repeated AS (
        SELECT key FROM activities_uploadrow WHERE upload_id = %(upload)s
        GROUP BY key HAVING count(*) > 1
    ), placed AS (
        SELECT r.*, first_value(r.line) OVER by_line AS first_line,
               first_value(r.payload) OVER by_line = r.payload
               AND first_value(r.member_value) OVER by_line = r.member_value
               AS is_same
        FROM activities_uploadrow r JOIN repeated ON repeated.key = r.key
        WHERE r.upload_id = %(upload)s
        WINDOW by_line AS (PARTITION BY r.key ORDER BY r.line, r.id)
    ), judged AS (
        SELECT placed.*, %(has_lines)s AND
               NOT bool_and(is_same) OVER (PARTITION BY key) AS is_torn
        FROM placed
    ), gone AS (
        SELECT * FROM judged WHERE is_torn OR line > first_line
    )
"""


def stage_rows(upload_id: int, rows: list[NewRow]) -> None:
    """Write rows to the staging table; one COPY."""
    copy_lines(
        "activities_uploadrow",
        "upload_id, line, member_value, occurred_at, key, payload",
        [
            f"{upload_id}\t{line}\t{copy_text(member)}\t{at}\t{copy_text(key)}\t"
            f"{copy_text(payload)}\n"
            for line, member, at, key, payload in rows
        ],
    )


def clear_rows(upload_id: int) -> None:
    """Delete the upload's staged rows, in batches of their own transactions."""
    _delete_all("activities_uploadrow", upload_id)


def clear_results(upload_id: int) -> None:
    """Delete what an earlier check of the upload found."""
    _delete_all("activities_uploadrow", upload_id)
    _delete_all("activities_uploadrefusal", upload_id)
    _delete_all("activities_uploadchunk", upload_id)


def _delete_all(table: str, upload_id: int) -> None:
    deleted = _DELETED_AT_ONCE
    while deleted == _DELETED_AT_ONCE:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE id = ANY(ARRAY("  # noqa: S608 (own names)
                f" SELECT id FROM {table} WHERE upload_id = %s LIMIT %s))",
                [upload_id, _DELETED_AT_ONCE],
            )
            deleted = cursor.rowcount


def refresh_statistics() -> None:
    """Tell the planner about the rows just staged."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE activities_uploadrow")


def take_out_duplicates(
    upload: Upload, *, has_lines: bool, kept_max: int
) -> tuple[int, int, list[Refusal]]:
    """Take out rows whose key stood in the file before; the first one stays.

    In a file with a row for each line item, a key that comes back with other
    lines is an activity torn apart: none of its parts is recorded.

    Returns:
        How many duplicates, how many torn, and the first ``kept_max`` of both.
    """
    values = {"upload": upload.pk, "has_lines": has_lines, "limit": kept_max}
    with connection.cursor() as cursor:
        # Statistics from before the rows were staged make nested loops look cheap;
        # for a file without any repeated key they took hours.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(
            _REPEATED + f"SELECT {_COLUMNS}, first_line, is_torn FROM gone"  # noqa: S608
            " ORDER BY line, id LIMIT %(limit)s",
            values,
        )
        kept = [
            _repeated(upload, StagedRow(*row), first_line, is_torn=is_torn)
            for *row, first_line, is_torn in cursor.fetchall()
        ]
        cursor.execute(
            _REPEATED + ", deleted AS (DELETE FROM activities_uploadrow r USING gone"  # noqa: S608
            " WHERE r.id = gone.id RETURNING gone.is_torn)"
            " SELECT count(*) FILTER (WHERE NOT is_torn),"
            " count(*) FILTER (WHERE is_torn) FROM deleted",
            values,
        )
        duplicate_count, torn_count = cursor.fetchone()
        cursor.execute("SET LOCAL enable_nestloop = on")
    return duplicate_count, torn_count, kept


def _repeated(
    upload: Upload, row: StagedRow, first_line: int, *, is_torn: bool
) -> Refusal:
    if is_torn:
        code = LinesNotTogether.code
        message = (
            f"The lines of activity “{row.key[:100]}” do not stand together, or the "
            f"key is used twice (first on line {first_line})."
        )
    else:
        code = DuplicateKey.code
        message = f"The key “{row.key[:100]}” stands on line {first_line} already."
    field = column_in_file(upload, "key")
    return Refusal(row.line, field, code, message, rows_as_in_file(upload, row))


def make_chunks(upload_id: int) -> int:
    """Cut the staged rows into ranges of members; return how many chunks.

    A member belongs to the chunk in which its first row would fall if all rows,
    by member, were cut every ``CHUNK_ROWS``: so none is parted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO activities_uploadchunk
                (upload_id, number, first_member, last_member, status, row_count,
                 recorded_count, duplicate_count, refused_count, reversed_count,
                 activity_ids)
            SELECT %(upload)s, row_number() OVER (ORDER BY min(member_value)),
                   min(member_value), max(member_value), 'pending', sum(rows),
                   0, 0, 0, 0, '{}'
            FROM (
                SELECT member_value, rows,
                       sum(rows) OVER (ORDER BY member_value) - rows AS rows_before
                FROM (
                    SELECT member_value, count(*) AS rows FROM activities_uploadrow
                    WHERE upload_id = %(upload)s GROUP BY member_value
                ) by_member
            ) placed
            GROUP BY div(rows_before, %(rows)s)
            """,
            {"upload": upload_id, "rows": CHUNK_ROWS},
        )
        return int(cursor.rowcount)


def rows_of_chunk(
    upload_id: int, first_member: str, last_member: str
) -> list[StagedRow]:
    """Return the rows of a range of members, by member, moment and key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM activities_uploadrow"  # noqa: S608
            " WHERE upload_id = %s AND member_value BETWEEN %s AND %s"
            " ORDER BY member_value, occurred_at, key",
            [upload_id, first_member, last_member],
        )
        return list(map(StagedRow._make, cursor.fetchall()))


def delete_rows(ids: list[int]) -> None:
    """Delete single staged rows."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM activities_uploadrow WHERE id = ANY(%s)", [ids])
