"""Members of a file whom nobody knows, though somebody has nearly the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from activities.services.uploads.normalising import Refusal
from activities.services.uploads.payloads import (
    StagedRow,
    column_in_file,
    member_of,
    rows_as_in_file,
)
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from activities.models import Upload

_EXAMPLES = 5
_ROWS_AT_ONCE = 5_000
_PLAIN = "ltrim(lower(regexp_replace(normalize({}, NFC), '[\\s-]', '', 'g')), '0')"

# Members whom nobody knows by what they are compared by, with those who nearly are.
_SIMILAR = f"""
    CREATE TEMPORARY TABLE similar_member ON COMMIT DROP AS
    WITH named AS (
        SELECT DISTINCT member_value FROM activities_uploadrow
        WHERE upload_id = %(upload)s
    ), unknown AS (
        SELECT member_value, {_PLAIN.format("member_value")} AS plain FROM named
        WHERE NOT EXISTS (
            SELECT FROM loyalty_identity i WHERE i.program_id = %(program)s
            AND i.kind = %(kind)s AND i.key = named.member_value)
        AND NOT EXISTS (
            SELECT FROM loyalty_identity i WHERE i.program_id = %(program)s
            AND i.kind = %(kind)s AND i.value = named.member_value)
    )
    SELECT u.member_value, count(DISTINCT i.member_id) AS many,
           (array_agg(i.value ORDER BY i.value))[1] AS existing,
           (array_agg(coalesce(i.key, i.value) ORDER BY i.value))[1] AS existing_key
    FROM unknown u JOIN loyalty_identity i
    ON i.program_id = %(program)s AND i.kind = %(kind)s
    AND {_PLAIN.format("i.value")} = u.plain
    WHERE u.plain <> '' GROUP BY u.member_value
"""  # noqa: S608 (fixed expressions)


class SimilarMember(LoyaltyError):
    """Nobody has this number, but somebody has nearly the same."""

    code = "similar_member"


def find_similar_members(upload: Upload) -> int:
    """Fill the temporary table ``similar_member``; return how many there are.

    It lives as long as the transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SIMILAR,
            {
                "upload": upload.pk,
                "program": upload.program_id,
                "kind": upload.identity_kind,
            },
        )
        cursor.execute("SELECT count(*) FROM similar_member")
        return int(cursor.fetchone()[0])


def similar_question(upload: Upload, count: int, column: str) -> dict[str, Any]:
    """Return the question about the members found, with examples."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.member_value, s.existing, min(r.line) FROM similar_member s"
            " JOIN activities_uploadrow r ON r.upload_id = %s"
            " AND r.member_value = s.member_value"
            " GROUP BY 1, 2 ORDER BY 3 LIMIT %s",
            [upload.pk, _EXAMPLES],
        )
        examples = [
            {"line": line, "column": column, "text": text, "existing": existing}
            for text, existing, line in cursor.fetchall()
        ]
    return {
        "code": "similar_members",
        "count": count,
        "columns": [column],
        "examples": examples,
    }


def match_similar_members(upload: Upload) -> None:
    """Let the rows of members with one near namesake be that member's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE activities_uploadrow r SET member_value = s.existing_key,"
            # The last part is how the member is spelled.
            " payload = left(r.payload, -1) || ',' ||"
            " json_build_object('member', s.existing)::text || ']'"
            " FROM similar_member s WHERE r.upload_id = %s AND s.many = 1"
            " AND r.member_value = s.member_value",
            [upload.pk],
        )
        cursor.execute("DELETE FROM similar_member WHERE many = 1")


def refuse_similar_members(upload: Upload, kept_max: int) -> tuple[int, list[Refusal]]:
    """Take the rows of the members in the table out; return how many, and the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id, r.line, r.member_value, r.occurred_at, r.key, r.payload,"
            " s.existing, s.many FROM activities_uploadrow r JOIN similar_member s"
            " ON s.member_value = r.member_value WHERE r.upload_id = %s"
            " ORDER BY r.line, r.id LIMIT %s",
            [upload.pk, min(kept_max, _ROWS_AT_ONCE)],
        )
        kept = [
            _refusal(upload, StagedRow(*row), existing, many)
            for *row, existing, many in cursor.fetchall()
        ]
        cursor.execute(
            "DELETE FROM activities_uploadrow r USING similar_member s"
            " WHERE r.upload_id = %s AND s.member_value = r.member_value",
            [upload.pk],
        )
        return int(cursor.rowcount), kept


def _refusal(upload: Upload, row: StagedRow, existing: str, many: int) -> Refusal:
    others = f" and {many - 1} more" if many > 1 else ""
    message = (
        f"Nobody has the number “{member_of(row)[:60]}”, but “{existing[:60]}”"
        f"{others} differs only by leading zeros or spelling."
    )
    raw = rows_as_in_file(upload, row)
    field = column_in_file(upload, "member")
    return Refusal(row.line, field, SimilarMember.code, message, raw)
