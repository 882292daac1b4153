"""Numbers for people about campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import Count

from campaigns.models import Handling
from loyalty.models import Completion

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from campaigns.models import Campaign, RewardMethod


class Given(NamedTuple):
    """What an offer has given and not taken back; smallest unit of its wallet.

    What its reward methods gave counts; points into other wallets as awards only.
    """

    points: int
    awards: int


NOTHING_GIVEN = Given(0, 0)

_GIVEN = """
    WITH paying AS (
        SELECT o.id, coalesce(m.parent_id, o.id) AS owner_id,
            o.wallet_id = w.wallet_id AS in_its_wallet
        FROM loyalty_offer o
        LEFT JOIN campaigns_rewardmethod m ON m.offer_ptr_id = o.id
        JOIN loyalty_offer w ON w.id = coalesce(m.parent_id, o.id)
        WHERE o.id = ANY(%(ids)s) OR m.parent_id = ANY(%(ids)s)
    )
    SELECT owner_id, sum(points), sum(awards) FROM (
        SELECT p.owner_id, 1 AS source,
            sum(CASE WHEN NOT p.in_its_wallet THEN 0
                WHEN e.kind = 'award' THEN e.amount ELSE -e.amount END) AS points,
            count(*) FILTER (WHERE e.kind = 'award')
                - count(*) FILTER (WHERE e.kind = 'reversal') AS awards
        FROM loyalty_entry e JOIN paying p ON p.id = e.offer_id
        WHERE e.kind IN ('award', 'reversal') GROUP BY p.owner_id
        UNION ALL
        SELECT p.owner_id, 2, 0, count(*)
        FROM loyalty_voucher v JOIN paying p ON p.id = v.offer_id
        WHERE v.status <> 'void' GROUP BY p.owner_id
    ) parts GROUP BY owner_id
"""


def given_by(offer_ids: Collection[int]) -> dict[int, Given]:
    """Return what each offer has given so far; one query for all of them.

    Of campaigns, what their reward methods gave is theirs. A voucher is an award
    without points.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, {"ids": list(offer_ids)})
        return {row[0]: Given(int(row[1]), int(row[2])) for row in cursor.fetchall()}


class Standing(NamedTuple):
    """How a reward method stands: how often given, what is left, its chance now.

    ``left`` is None without a limit; ``chance`` is 0 to 1, None outside draws.
    """

    method: RewardMethod
    given: int
    left: int | None
    chance: float | None


def standings_of(campaign: Campaign, methods: Sequence[RewardMethod]) -> list[Standing]:
    """Return how the reward methods of a campaign stand; one query.

    Chances are those of a member whom every method is open to; one that is disabled
    or used up has none, and its share falls to the others.
    """
    uses = _uses_of([method.pk for method in methods])
    rows = []
    for method in methods:
        given = uses.get(method.pk, 0)
        limit = method.usage_limit
        left = None if limit is None else max(limit - given, 0)
        rows.append(Standing(method, given, left, None))
    if campaign.handling != Handling.RANDOM_DRAW:
        return rows
    total = sum(_weight(row) for row in rows)
    return [row._replace(chance=_weight(row) / total if total else 0) for row in rows]


def _weight(row: Standing) -> int:
    return row.method.weight if row.method.is_enabled and row.left != 0 else 0


def _uses_of(method_ids: Collection[int]) -> dict[int, int]:
    rows = Completion.objects.filter(offer__in=method_ids, is_paid=True)
    counted = rows.values("offer").annotate(uses=Count("pk")).order_by()
    return dict(counted.values_list("offer", "uses"))


def participants_of(quest_ids: Collection[int]) -> dict[int, int]:
    """Return how many members take part in each quest; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quest_id, count(DISTINCT member_id) FROM campaigns_questoptin"
            " WHERE quest_id = ANY(%s) GROUP BY quest_id",
            [list(quest_ids)],
        )
        return dict(cursor.fetchall())
