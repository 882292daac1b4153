"""What campaigns with a total limit have given and may still give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from loyalty.engine.facts import Budget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from loyalty.engine.facts import Award, Offer
    from loyalty.ledger import Reversed

_USED = (
    "SELECT campaign_id, points_paid, awards_paid FROM campaigns_campaignusage"
    " WHERE campaign_id = ANY(%s) ORDER BY campaign_id"
)
_NONE = "SELECT NULL::bigint AS activity_id WHERE false"
_USED_AND_LOCKED = _USED + " FOR UPDATE"


def budgets_of(offers: Mapping[int, Offer], *, lock: bool) -> dict[int, Budget]:
    """Return what is left of each offer's budget.

    With ``lock``, the usage rows are locked until the transaction ends, by
    primary key, after every member lock: two writers cannot both see the last
    point. Without, the figures may be gone by the time they are read.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _USED_AND_LOCKED if lock else _USED,
            [sorted(offers)],
        )
        used = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    return {
        offer_id: _left(offer, *used.get(offer_id, (0, 0)))
        for offer_id, offer in offers.items()
    }


def _left(offer: Offer, points_paid: int, awards_paid: int) -> Budget:
    points, awards = offer.points_budget, offer.awards_budget
    return Budget(
        None if points is None else points - points_paid,
        None if awards is None else awards - awards_paid,
    )


def open_missing(campaign_ids: Collection[int], *, undone: str = _NONE) -> None:
    """Start counting campaigns that got a budget after they had paid already.

    A budget looks back: what was paid before it was set counts against it, but for
    activities that were undone; a quest's prize counts while it stands. The
    configuration lock keeps recordings under an older revision from slipping by.

    Args:
        campaign_ids: campaigns and quests with a budget.
        undone: SQL that returns ``activity_id`` of undone activities. An undone award
            that was spent leaves no entry behind, only a debt. Quests need none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_campaignusage"  # noqa: S608 (the caller's own words)
            " (campaign_id, points_paid, awards_paid)"
            " SELECT c.id, coalesce(sum(e.amount), 0), count(e.id)"
            " FROM unnest(%s::bigint[]) AS c(id)"
            " LEFT JOIN loyalty_offer o ON o.id = c.id"
            " LEFT JOIN loyalty_entry e ON e.offer_id = c.id AND e.kind = 'award'"
            " AND CASE WHEN o.kind = 'quest' THEN EXISTS (SELECT 1"
            "  FROM loyalty_completion p WHERE p.activity_id = e.activity_id"
            "  AND p.offer_id = e.offer_id AND p.is_paid)"
            f" ELSE NOT EXISTS (SELECT 1 FROM ({undone}) x"
            "  WHERE x.activity_id = e.activity_id) END"
            " WHERE NOT EXISTS (SELECT 1 FROM campaigns_campaignusage u"
            " WHERE u.campaign_id = c.id)"
            " GROUP BY c.id ON CONFLICT DO NOTHING",
            [sorted(campaign_ids)],
        )


def take(awards: Iterable[Award]) -> None:
    """Add awards to the usage of their campaigns; the rows must be locked."""
    _move([(a.offer.id, a.points, 1) for a in awards if a.offer.has_budget])


def give_back(reversals: Iterable[Reversed]) -> None:
    """Return what reversed awards had taken from budgets.

    Locks the usage rows by primary key; the members must be locked already.
    """
    rows = [(one.offer_id, -one.amount, -1) for one in reversals]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM campaigns_campaignusage WHERE campaign_id = ANY(%s)"
                " ORDER BY campaign_id FOR UPDATE",
                [sorted({row[0] for row in rows})],
            )
        _move(rows)


def _move(rows: list[tuple[int, int, int]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_campaignusage u"
            " SET points_paid = u.points_paid + v.points,"
            " awards_paid = u.awards_paid + v.awards"
            " FROM (SELECT id, sum(points) AS points, sum(awards) AS awards"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])"
            " AS r(id, points, awards) GROUP BY id) v WHERE u.campaign_id = v.id",
            [list(column) for column in zip(*rows, strict=True)],
        )
