"""Stored activities as the engine wants them, streamed in the order of decision."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import connection

from activities.services.backtesting.drawing import seed_of
from activities.services.gathering import with_methods
from campaigns.services.items import listed
from loyalty.engine.baskets import netted
from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import ActivityFacts, Item
from loyalty.engine.money import converted_lines, scaled_rate
from loyalty.engine.numbers import parse_value
from loyalty.engine.programme import lists_of_offer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from activities.services.backtesting.trial import Span
    from loyalty.engine.baskets import Product
    from loyalty.engine.facts import MemberHistory, Offer
    from loyalty.engine.programme import Programme

ROWS_AT_ONCE = 5_000
_REMEMBERED = 400_000
_NO_LINES: tuple[Any, ...] = ()

# Prices repeat.
_units = lru_cache(maxsize=65_536)(parse_value)


class Members(NamedTuple):
    """A range of members, by number: ``first`` is inside, ``until`` is not."""

    first: int
    until: int


class Stored(NamedTuple):
    """One stored activity.

    ``decided_text`` is when it was decided: few rows need it as a moment.
    ``was_unknown`` says that nobody knew its person then, and that it did not earn
    later either.
    """

    id: int
    member_id: int
    decided_text: str
    occurred_at: datetime
    activity_type_id: int
    channel_id: int | None
    business_unit_id: int | None
    units: int
    currency: str
    line_count: int
    lines: str | None
    given_points: int | None
    was_unknown: bool
    reversed_at: datetime | None
    is_return: bool
    rate: Decimal | None
    seed: str | None


def stored_activities(
    programme: Programme, span: Span, members: Members, *, in_files: bool = False
) -> Iterator[list[Stored]]:
    """Yield the activities of some members in pieces, in the order of decision.

    That order is the ledger's: what arrives late is decided when it arrives. What
    one batch brought is in order of occurrence, then of key. With ``in_files`` a
    whole file counts as one batch: where members share a limit it is then given out
    in order of time, not member by member. Only one piece is in memory at a time.
    """
    lines = "a.items::text" if reads_lines(programme) else "NULL"
    seed = (
        "(SELECT d.seed FROM activities_draw d WHERE d.activity_id = a.id LIMIT 1)"
        if programme.has_draws
        else "NULL"
    )
    decided_at = "coalesce(l.created_at, a.created_at)"
    files = ""
    if in_files:
        decided_at = "coalesce(l.created_at, u.began_at, a.created_at)"
        files = _FILES
    query = _ACTIVITIES.format(
        decided_at=decided_at, lines=lines, seed=seed, files=files
    )
    program_ids = [programme.program_id] * (2 if in_files else 1)
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [*program_ids, *members, *span])
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield [
                Stored(row[0], row[1], row[2], moment_of(row[3]), *row[4:])
                for row in rows
            ]


# Moments come as text: reading them here is several times as fast as Django's own
# loader, and half of the time that reading takes.
moment_of = datetime.fromisoformat

_FILES = """
LEFT JOIN (
    SELECT f.id, (
        SELECT x.created_at FROM activities_activity x
        WHERE x.upload_id = f.id ORDER BY x.id LIMIT 1
    ) AS began_at
    FROM activities_upload f WHERE f.program_id = %s
) u ON u.id = a.upload_id
"""
_ACTIVITIES = """
SELECT a.id, a.member_id, {decided_at}::text,
    a.occurred_at::text, a.activity_type_id, a.channel_id, a.business_unit_id,
    coalesce((coalesce(a.counted_value, a.value) * 10000)::bigint, 0), a.currency,
    jsonb_array_length(a.items),
    {lines},
    (coalesce(l.decision, a.decision) ->> 'given')::bigint,
    a.anonymous_profile_id IS NOT NULL AND l.activity_id IS NULL
        AND a.decision -> 'rejections' @> '[{{"reason": "member_unknown"}}]',
    r.created_at, a.is_return, a.rate, {seed}
FROM activities_activity a
LEFT JOIN activities_latedecision l ON l.activity_id = a.id
LEFT JOIN activities_activityreversal r ON r.activity_id = a.id
{files}
WHERE a.program_id = %s AND a.member_id >= %s AND a.member_id < %s
    AND a.occurred_at >= %s AND a.occurred_at < %s
ORDER BY {decided_at}, a.occurred_at, a.key COLLATE "C"
"""


def reads_lines(programme: Programme) -> bool:
    """Return whether any rule looks at the products of a basket."""
    return (
        bool(programme.item_list_ids)
        or programme.counts_unlisted
        or any(
            requirement.restricted_to
            for quest in programme.quests
            for requirement in quest.requirements
        )
    )


class Met(NamedTuple):
    """What an activity of one kind, at one time, of a member in some segments meets.

    ``offers`` are the campaigns that could pay it, whatever was bought; ``list_ids``
    the lists of products that they look at.
    """

    offers: tuple[Offer, ...]
    list_ids: frozenset[int]


class Reader:
    """Turns rows into what the engine asks for: facts and candidates.

    The index of campaigns is asked once for each kind of activity between two dates
    at which campaigns start or end; of a basket only the products are read that the
    campaigns found there look at.
    """

    def __init__(self, programme: Programme) -> None:
        """Read for ``programme``."""
        self._programme = programme
        self._types = {rule.offer.id: rule.offer for rule in programme.types.values()}
        moments = {offer.starts_at for offer in programme.campaigns}
        self._boundaries = sorted(
            moments | {one.ends_at for one in programme.campaigns}
        )
        self._met: dict[tuple[Any, ...], Met] = {}
        self._listed: dict[str, tuple[int, ...]] = {}

    def lines_of(self, rows: Sequence[Stored]) -> list[Sequence[dict[str, Any]]]:
        """Return each row's line items, and look up where their products stand."""
        lines = [orjson.loads(row.lines) if row.lines else _NO_LINES for row in rows]
        item_ids = {line["item_id"] for some in lines for line in some}
        if len(self._listed) > _REMEMBERED:
            self._listed = {}
        unknown = item_ids - self._listed.keys()
        if unknown and self._programme.item_list_ids:
            self._listed.update(listed(unknown, self._programme.item_list_ids))
        return lines

    def read(
        self, row: Stored, products: Sequence[Product], history: MemberHistory
    ) -> tuple[ActivityFacts, list[Offer]]:
        """Return what happened, as far as a rule can ask, and who could pay it."""
        met = self._met_by(row, segments_at(history, row.occurred_at))
        are_others, stands_on = met.list_ids.isdisjoint, self._listed.get
        matching = [
            Item(one.item_id, one.units, list_ids, one.quantity, one.came_back)
            for one in products
            if (list_ids := stands_on(one.item_id)) and not are_others(list_ids)
        ]
        facts = ActivityFacts(
            row.occurred_at,
            row.activity_type_id,
            row.units,
            row.channel_id,
            row.business_unit_id,
            tuple(matching),
            row.given_points,
            row.line_count,
            currency=row.currency or self._programme.currency,
            seed=seed_of(row.id, row.seed) if self._programme.has_draws else 0,
            is_return=row.is_return,
        )
        if self._programme.counts_unlisted:
            facts = _with_others(facts, products)
        found = {list_id for item in matching for list_id in item.list_ids}
        candidates = [
            offer
            for offer in met.offers
            if offer.item_list_id is None or offer.item_list_id in found
        ]
        return facts, candidates

    def _met_by(self, row: Stored, segment_ids: frozenset[int]) -> Met:
        key = (
            bisect_right(self._boundaries, row.occurred_at),
            row.activity_type_id,
            row.business_unit_id,
            row.channel_id,
            segment_ids,
        )
        met = self._met.get(key)
        if met is None:
            if len(self._met) > _REMEMBERED:
                self._met.clear()
            met = self._met[key] = self._looked_up(row, segment_ids)
        return met

    def _looked_up(self, row: Stored, segment_ids: frozenset[int]) -> Met:
        offers = self._programme.index.candidates(
            row.occurred_at,
            row.activity_type_id,
            row.business_unit_id,
            row.channel_id,
            segment_ids,
            self._programme.item_list_ids,
        )
        every = [self._types[row.activity_type_id], *with_methods(offers)]
        return Met(tuple(offers), frozenset().union(*map(lists_of_offer, every)))


def _with_others(facts: ActivityFacts, products: Sequence[Product]) -> ActivityFacts:
    """Return the facts with the sums of the products that are not told one by one."""
    units = sum([one.units for one in products])
    quantity = sum([one.quantity for one in products])
    return facts._replace(
        unlisted_units=units - sum([item.units for item in facts.items]),
        unlisted_quantity=quantity - sum([item.quantity for item in facts.items]),
    )


def products_of(row: Stored, lines: Sequence[dict[str, Any]]) -> list[Product]:
    """Return the products of stored lines, netted out as a recording nets them."""
    told = [
        (line["item_id"], _units(line.get("value", "0")), line.get("quantity", ""))
        for line in lines
    ]
    return netted(
        converted_lines(told, None if row.rate is None else scaled_rate(row.rate))
    )
