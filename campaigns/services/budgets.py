"""What offers with a total limit have given and may still give, to the last point.

Each such offer counts in several slots, so that those who pay from it at the same
time seldom wait for each other. A transaction decides by what all slots together
have paid, without a lock, and adds its awards just before it commits: to the slot of
its connection if that stays within its share of the budget, else to all slots, which
evens them out. If others took what it had counted on, it is ``Overtaken``, and starts
again with every slot locked before it decides.

No slot goes above its share, and the shares add up to the budget; so no more is paid
than the budget, though nobody looks at the other slots. Where one is above it, after
a budget was lowered, all slots are taken together until that is over.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from campaigns.models import USAGE_SLOTS
from loyalty.engine.facts import Budget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from loyalty.engine.decisions import Award
    from loyalty.engine.facts import Offer

_USED = (
    "SELECT campaign_id, sum(points_paid)::bigint, sum(awards_paid)::bigint"
    " FROM ({rows}) u GROUP BY campaign_id"
)
_ROWS = (
    "SELECT campaign_id, points_paid, awards_paid FROM campaigns_campaignusage"
    " WHERE campaign_id = ANY(%s)"
)
_NONE = "SELECT NULL::bigint AS activity_id WHERE false"


class Overtaken(Exception):
    """Others took what was needed between deciding and paying."""


class Paid(NamedTuple):
    """Points, and the number of awards; below zero to take them back."""

    points: int = 0
    awards: int = 0

    def plus(self, other: Paid) -> Paid:
        """Return the sum."""
        return Paid(self.points + other.points, self.awards + other.awards)


class Limit(NamedTuple):
    """What may be paid; None is no limit."""

    points: int | None = None
    awards: int | None = None

    def admits(self, paid: Paid) -> bool:
        """Whether ``paid`` is not above it."""
        return (self.points is None or paid.points <= self.points) and (
            self.awards is None or paid.awards <= self.awards
        )

    def on(self, asked: Paid) -> Limit:
        """Return what binds ``asked``: who takes no points needs none to be left."""
        return Limit(
            self.points if asked.points > 0 else None,
            self.awards if asked.awards > 0 else None,
        )

    def of_slot(self, slot: int) -> Limit:
        """Return a slot's share."""
        return Limit(
            None if self.points is None else share(self.points, slot),
            None if self.awards is None else share(self.awards, slot),
        )


def share(total: int, slot: int) -> int:
    """Return the part of ``total`` that falls to a slot; the parts add up to it.

    >>> [share(USAGE_SLOTS + 2, slot) for slot in range(4)]
    [2, 2, 1, 1]
    """
    return (total + USAGE_SLOTS - 1 - slot) // USAGE_SLOTS


def paid_after(
    held: Mapping[int, Paid], asked: Paid, limit: Limit
) -> dict[int, Paid] | None:
    """Return what each locked slot has paid after ``asked``; None if it is too much.

    Args:
        held: what the locked slots have paid: one of them, or all.
        asked: what to add; below zero to take it back, from all slots.
        limit: of all slots together; where it was lowered below what was paid,
            vouchers and blanks still take no points.
    """
    limit = limit.on(asked)
    if len(held) < USAGE_SLOTS:
        ((slot, paid),) = held.items()
        after = paid.plus(asked)
        return {slot: after} if limit.of_slot(slot).admits(after) else None
    total = asked
    for paid in held.values():
        total = total.plus(paid)
    if not limit.admits(total):
        return None
    return {
        slot: Paid(share(total.points, slot), share(total.awards, slot))
        for slot in held
    }


def budgets_of(offers: Mapping[int, Offer], *, lock: bool) -> dict[int, Budget]:
    """Return what is left of each offer's budget.

    With ``lock``, all slots are locked until the transaction ends, by offer and
    slot, after every member lock. Without, the figures may be gone by the time they
    are read; ``take`` finds out.
    """
    used = _used(offers, lock=lock)
    return {
        offer_id: _left(offer, used.get(offer_id, Paid()))
        for offer_id, offer in offers.items()
    }


def open_budgets(
    offers: Mapping[int, Offer], *, undone: str, lock: bool
) -> dict[int, Budget]:
    """Return what is left, for who is going to pay: see ``budgets_of``.

    Offers whose budget is new are counted first, as ``open_missing`` says.
    """
    used = _used(offers, lock=False)
    missing = offers.keys() - used.keys()
    if missing:
        # Before any lock: whoever opens the same budget may hold others already.
        open_missing(missing, undone=undone)
    if missing or lock:
        return budgets_of(offers, lock=lock)
    return {
        offer_id: _left(offer, used[offer_id]) for offer_id, offer in offers.items()
    }


def look_at_budgets(offers: Mapping[int, Offer], *, undone: str) -> dict[int, Budget]:
    """Return what ``open_budgets`` would, and write nothing."""
    used = _used(offers, lock=False)
    missing = offers.keys() - used.keys()
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(_STANDS.format(undone=undone), [sorted(missing)])
            used |= {row[0]: Paid(*row[1:]) for row in cursor.fetchall()}
    return {
        offer_id: _left(offer, used[offer_id]) for offer_id, offer in offers.items()
    }


def paid_by(offer_ids: Collection[int]) -> dict[int, Paid]:
    """Return what offers have paid since their budgets are counted; for people."""
    used = _used(offer_ids, lock=False)
    return {offer_id: used.get(offer_id, Paid()) for offer_id in offer_ids}


def _used(offer_ids: Collection[int], *, lock: bool) -> dict[int, Paid]:
    rows = f"{_ROWS} ORDER BY campaign_id, slot FOR UPDATE" if lock else _ROWS
    with connection.cursor() as cursor:
        cursor.execute(_USED.format(rows=rows), [sorted(offer_ids)])
        return {row[0]: Paid(*row[1:]) for row in cursor.fetchall()}


def _left(offer: Offer, used: Paid) -> Budget:
    points, awards = offer.points_budget, offer.awards_budget
    return Budget(
        None if points is None else points - used.points,
        None if awards is None else awards - used.awards,
    )


def open_missing(offer_ids: Collection[int], *, undone: str = _NONE) -> None:
    """Start counting offers that got a budget after they had paid already.

    A budget looks back: what was paid before it was set counts against it, but for
    activities that were undone; what a quest or a reward method gave counts while it
    stands. The configuration lock keeps recordings under an older revision from
    slipping by.

    Args:
        offer_ids: campaigns, reward methods and quests with a budget.
        undone: SQL that returns ``activity_id`` of undone activities. An undone award
            that was spent leaves no entry behind, only a debt. Quests need none.
    """
    missing = set(offer_ids) - _used(offer_ids, lock=False).keys()
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN.format(stands=_STANDS.format(undone=undone)),
            [sorted(missing), USAGE_SLOTS - 1],
        )


_STANDS = """
SELECT c.id, coalesce(sum(given.points), 0)::bigint AS points,
       count(given.offer_id) AS awards
FROM unnest(%s::bigint[]) AS c(id)
LEFT JOIN LATERAL (
    WITH paying AS (
        SELECT c.id, EXISTS (SELECT 1 FROM campaigns_quest q
                             WHERE q.offer_ptr_id = c.id)
               OR EXISTS (SELECT 1 FROM campaigns_rewardmethod m
                          WHERE m.offer_ptr_id = c.id) AS leaves_completions
        UNION ALL
        SELECT offer_ptr_id, true FROM campaigns_rewardmethod
        WHERE parent_id = c.id
    )
    SELECT either.offer_id, sum(either.points) AS points
    FROM (
        SELECT e.offer_id, e.activity_id, e.amount AS points
        FROM paying o
        JOIN loyalty_entry e ON e.offer_id = o.id AND e.kind = 'award'
        WHERE CASE WHEN o.leaves_completions THEN EXISTS (
                SELECT 1 FROM loyalty_completion p
                WHERE p.activity_id = e.activity_id
                AND p.offer_id = e.offer_id AND p.is_paid)
            ELSE NOT EXISTS (
                SELECT 1 FROM ({undone}) x WHERE x.activity_id = e.activity_id)
            END
        UNION ALL
        SELECT p.offer_id, p.activity_id, 0
        FROM paying o
        JOIN loyalty_completion p ON p.offer_id = o.id AND p.is_paid
        WHERE NOT EXISTS (
            SELECT 1 FROM campaigns_rewardmethod m
            JOIN loyalty_completion q ON q.offer_id = m.offer_ptr_id AND q.is_paid
            WHERE m.parent_id = o.id AND q.activity_id = p.activity_id)
    ) either
    GROUP BY either.offer_id, either.activity_id
) given ON true
GROUP BY c.id
"""
# A campaign that its methods completed has given what they gave, and no more.
# All of it goes into one slot; the first payment evens the slots out.
_OPEN = """
INSERT INTO campaigns_campaignusage (campaign_id, slot, points_paid, awards_paid)
SELECT s.id, slot, CASE slot WHEN 0 THEN s.points ELSE 0 END,
       CASE slot WHEN 0 THEN s.awards ELSE 0 END
FROM ({stands}) s, generate_series(0, %s) AS slot
ORDER BY s.id, slot
ON CONFLICT DO NOTHING
"""


def take(
    awards: Iterable[Award], offers: Mapping[int, Offer], *, is_locked: bool
) -> None:
    """Add awards to the usage of their offers; the last that a transaction does.

    Args:
        awards: decided by ``open_budgets``, in this transaction. That of a reward
            method counts against its campaign, too.
        offers: of the program, by number.
        is_locked: whether all slots were locked for the decision.

    Raises:
        Overtaken: others were quicker, and not all of it is left. Roll back, and
            decide again with the slots locked.
    """
    asked: dict[int, Paid] = defaultdict(Paid)
    for award in awards:
        for offer in _limited(award.offer, offers):
            asked[offer.id] = asked[offer.id].plus(Paid(award.points, 1))
    limits = {
        one: Limit(offers[one].points_budget, offers[one].awards_budget)
        for one in asked
    }
    _add(asked, limits, in_all=is_locked)


def give_back(given: Iterable[tuple[int, int]], offers: Mapping[int, Offer]) -> None:
    """Return what awards that were taken back had taken from budgets.

    Args:
        given: number of the offer and points of each award.
        offers: of the program, by number.

    Locks all slots, by offer and slot; the members must be locked already.
    """
    asked: dict[int, Paid] = defaultdict(Paid)
    for offer_id, points in given:
        for offer in _limited(offers[offer_id], offers):
            asked[offer.id] = asked[offer.id].plus(Paid(-points, -1))
    _add(asked, {}, in_all=True)


def _limited(offer: Offer, offers: Mapping[int, Offer]) -> Iterator[Offer]:
    """Yield an offer and its campaign, if they have a budget."""
    if offer.has_budget:
        yield offer
    if offer.campaign_id is not None and offers[offer.campaign_id].has_budget:
        yield offers[offer.campaign_id]


def _add(
    asked: Mapping[int, Paid], limits: Mapping[int, Limit], *, in_all: bool
) -> None:
    """Add to the slot of this connection where that is enough, else to all."""
    if not asked:
        return
    after = []
    for offer_id, held in _locked(asked, limits, in_all=in_all).items():
        limit = limits.get(offer_id, Limit())
        found = paid_after(held, asked[offer_id], limit)
        if found is None:
            raise Overtaken(f"Offer {offer_id} has less left than it had.")
        after += [(offer_id, slot, *paid) for slot, paid in found.items()]
    if after:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_campaignusage u"
                " SET points_paid = v.points, awards_paid = v.awards"
                " FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[])"
                " AS v(campaign_id, slot, points, awards)"
                " WHERE u.campaign_id = v.campaign_id AND u.slot = v.slot",
                [list(column) for column in zip(*after, strict=True)],
            )


def _locked(
    asked: Mapping[int, Paid], limits: Mapping[int, Limit], *, in_all: bool
) -> dict[int, dict[int, Paid]]:
    """Lock one slot of each offer, or all; return what they have paid.

    One is enough if, with ``asked`` in it, no slot is above its share. Whoever waited
    for a slot may find another figure in it than was looked at.
    """
    if connection.connection is None:
        raise AssertionError("There is a transaction.")
    own = connection.connection.info.backend_pid % USAGE_SLOTS
    wanted = [
        (offer_id, *paid, *limits.get(offer_id, Limit()))
        for offer_id, paid in sorted(asked.items())
    ]
    held: dict[int, dict[int, Paid]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK.format(slots=USAGE_SLOTS, own=own),
            [*map(list, zip(*wanted, strict=True)), in_all],
        )
        for offer_id, slot, points, awards in cursor.fetchall():
            held[offer_id][slot] = Paid(points, awards)
    return held


_LOCK = """
SELECT u.campaign_id, u.slot, u.points_paid, u.awards_paid
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
     AS a(campaign_id, points, awards, points_most, awards_most)
CROSS JOIN LATERAL (
    SELECT bool_or(
        s.points_paid + CASE s.slot WHEN {own} THEN a.points ELSE 0 END
            > (a.points_most + {slots} - 1 - s.slot) / {slots}
        OR s.awards_paid + CASE s.slot WHEN {own} THEN a.awards ELSE 0 END
            > (a.awards_most + {slots} - 1 - s.slot) / {slots}) AS is_above
    FROM campaigns_campaignusage s WHERE s.campaign_id = a.campaign_id) share
JOIN campaigns_campaignusage u ON u.campaign_id = a.campaign_id
    AND (u.slot = {own} OR %s OR share.is_above)
ORDER BY u.campaign_id, u.slot
FOR UPDATE OF u
"""
