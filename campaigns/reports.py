"""Numbers for people about campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Collection


class Given(NamedTuple):
    """What an offer has given and not taken back; smallest unit of its wallet."""

    points: int
    awards: int


NOTHING_GIVEN = Given(0, 0)


def given_by(offer_ids: Collection[int]) -> dict[int, Given]:
    """Return what each offer has given so far; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT offer_id, sum(CASE kind WHEN 'award' THEN amount ELSE -amount END),"
            " count(*) FILTER (WHERE kind = 'award')"
            " - count(*) FILTER (WHERE kind = 'reversal')"
            " FROM loyalty_entry WHERE offer_id = ANY(%s)"
            " AND kind IN ('award', 'reversal') GROUP BY offer_id",
            [list(offer_ids)],
        )
        return {row[0]: Given(int(row[1]), row[2]) for row in cursor.fetchall()}
