"""Numbers for people about campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import Count

from campaigns.models import Handling
from loyalty.models import Completion
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from campaigns.models import Campaign, RewardMethod


class InWallet(NamedTuple):
    """Points in one wallet, in its smallest unit."""

    wallet: str
    decimals: int
    points: int


class Given(NamedTuple):
    """What an offer has given and not taken back; smallest unit of its wallet.

    What its reward methods gave counts; their points into other wallets are apart.
    """

    points: int
    awards: int
    elsewhere: tuple[InWallet, ...] = ()


NOTHING_GIVEN = Given(0, 0)

# What is left of a voucher redeemed in part is no other award.
_GIVEN = """
    WITH paying AS (
        SELECT o.id, o.wallet_id, coalesce(m.parent_id, o.id) AS owner_id
        FROM loyalty_offer o
        LEFT JOIN campaigns_rewardmethod m ON m.offer_ptr_id = o.id
        WHERE o.id = ANY(%(ids)s) OR m.parent_id = ANY(%(ids)s)
    ), parts AS (
        SELECT p.owner_id, p.wallet_id,
            sum(CASE WHEN e.kind = 'award' THEN e.amount ELSE -e.amount END) AS points,
            count(*) FILTER (WHERE e.kind = 'award')
                - count(*) FILTER (WHERE e.kind = 'reversal') AS awards
        FROM loyalty_entry e JOIN paying p ON p.id = e.offer_id
        WHERE e.kind IN ('award', 'reversal') GROUP BY p.owner_id, p.wallet_id
        UNION ALL
        SELECT p.owner_id, NULL, 0, count(*)
        FROM loyalty_voucher v JOIN paying p ON p.id = v.offer_id
        WHERE v.status <> 'void' AND v.regenerated_from_id IS NULL
        GROUP BY p.owner_id
    )
    SELECT parts.owner_id, parts.wallet_id = o.wallet_id, w.name, w.decimals,
        parts.points, parts.awards
    FROM parts JOIN loyalty_offer o ON o.id = parts.owner_id
    LEFT JOIN loyalty_wallet w ON w.id = parts.wallet_id
    ORDER BY parts.owner_id, parts.wallet_id
"""


def given_by(offer_ids: Collection[int]) -> dict[int, Given]:
    """Return what each offer has given so far; one query for all of them.

    Of campaigns, what their reward methods gave is theirs. A voucher is an award
    without points.
    """
    found: dict[int, Given] = {}
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, {"ids": list(offer_ids)})
        for owner_id, is_own, name, decimals, points, awards in cursor.fetchall():
            given = found.get(owner_id, NOTHING_GIVEN)
            given = given._replace(awards=given.awards + int(awards))
            if is_own:
                given = given._replace(points=int(points))
            elif points:
                other = InWallet(name, decimals, int(points))
                given = given._replace(elsewhere=(*given.elsewhere, other))
            found[owner_id] = given
    return found


class Standing(NamedTuple):
    """How a reward method stands: how often given, what is left, its chance now.

    ``left`` is None without a limit, of stock or of codes on a list; ``chance`` is
    0 to 1, None outside draws.
    """

    method: RewardMethod
    given: int
    left: int | None
    chance: float | None


def standings_of(campaign: Campaign, methods: Sequence[RewardMethod]) -> list[Standing]:
    """Return how the reward methods of a campaign stand; two queries at most.

    Chances are those of a member whom every method is open to; one that is disabled
    or used up has none, and its share falls to the others.
    """
    uses = _uses_of([method.pk for method in methods])
    types = {one.voucher_type_id for one in methods if one.voucher_type_id is not None}
    codes = vouchers.stock_of(types, lock=False) if types else {}
    rows = []
    for method in methods:
        given = uses.get(method.pk, 0)
        limit = method.usage_limit
        limits = [] if limit is None else [max(limit - given, 0)]
        of_list = codes.get(method.voucher_type_id or 0)
        limits += [] if of_list is None else [of_list]
        rows.append(Standing(method, given, min(limits, default=None), None))
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
