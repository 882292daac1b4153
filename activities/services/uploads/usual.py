"""What activities of a program usually come to, to hold a file against."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

USUAL_DAYS = 90
# The newest so many are enough, and keep the question cheap however many there are.
_SAMPLE_MAX = 10_000

_USUAL = """
SELECT count(*),
    percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY points),
    percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY value)
FROM (
    SELECT coalesce(a.counted_value, a.value, 0) AS value, (
        SELECT coalesce(sum((w ->> 'points')::numeric
            / 10::numeric ^ coalesce((w ->> 'decimals')::int, 0)), 0)
        FROM jsonb_array_elements(a.decision -> 'awards') w
    ) AS points
    FROM (
        SELECT * FROM activities_activity
        WHERE program_id = %s ORDER BY id DESC LIMIT %s
    ) a
    WHERE a.occurred_at >= %s AND a.occurred_at < %s AND NOT a.is_return
) recent
"""


def usual_of(program_id: int, now: datetime) -> dict[str, Any] | None:
    """Return the median and the 99th percentile of points and value; one query.

    Of the newest 10,000 activities of the last 90 days, returns left out; numbers as
    decimal text. None if there was nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _USUAL,
            [program_id, _SAMPLE_MAX, now - timedelta(days=USUAL_DAYS), now],
        )
        count, points, value = cursor.fetchone()
    if not count:
        return None
    return {
        "days": USUAL_DAYS,
        "activities": count,
        "points": _spread(points),
        "value": _spread(value),
    }


def _spread(numbers: list[Decimal]) -> dict[str, str]:
    median, high = (f"{one.normalize():f}" for one in numbers)
    return {"median": median, "p99": high}
