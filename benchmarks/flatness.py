"""Flatness: what an activity costs must not grow with what it has no part in.

Neither with campaigns that cannot apply nor with the rows that were written before.
Costs are compared between programs of one database, and between a copy of a
database and itself filled up; all take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import database
from benchmarks.measures import Measure, at_most, say
from benchmarks.recorder import Recorder, Turn, recorder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loyalty.models import Program

CAMPAIGNS_AIM = 1.3
ROWS_AIM = 1.2
# Awards of an activity in the rows filled up; each is an entry and its lot.
_AWARDS = 10
_FILLED_AT_ONCE = 100_000


class Size(NamedTuple):
    """How much is compared; ``rows`` are entries and lots of the ledger together."""

    campaigns: tuple[int, ...]
    rows: tuple[int, int]
    members: int
    rounds: int
    batches: int


FULL = Size((10, 1_000, 10_000), (10_000, 3_000_000), 10_000, rounds=15, batches=2)
TINY = Size((10, 100), (100, 2_000), 50, rounds=1, batches=1)

_SHAPES = {"in batches of 500": 500, "one by one": 1}
_BATCHES_OF_ONE = 60


def run(size: Size) -> list[Measure]:
    """Measure both kinds of flatness."""
    from benchmarks.programmes import build_program

    for count in size.campaigns:
        started = time.perf_counter()
        build_program(f"flat-{count}", count, size.members)
        say(f"flatness: {count:,} campaigns: {time.perf_counter() - started:.0f} s")
    measures = _campaigns(size)
    program = build_program("rows", 10, size.members)
    return [*measures, *_rows(size, program)]


def _campaigns(size: Size) -> list[Measure]:
    database.settle()
    costs: dict[tuple[str, int], list[float]] = {}
    with recorder(database.current_address()) as one:
        for shape, turns in _turns(
            [(f"flat-{count}", count) for count in size.campaigns], size
        ):
            for count, turn in turns:
                cost = one.seconds(turn)
                costs.setdefault((shape, count), []).append(cost)
    least, *others = size.campaigns
    return [
        _compared(
            f"flatness: {count:,} live campaigns against {least}, {shape}",
            costs[shape, count],
            costs[shape, least],
            CAMPAIGNS_AIM,
        )
        for shape in _SHAPES
        for count in others
    ]


def _turns(
    programs: list[tuple[str, int]], size: Size
) -> Iterable[tuple[str, list[tuple[int, Turn]]]]:
    """Yield the turns of each round; the first round, of cold caches, too."""
    for _ in range(size.rounds):
        for shape, batch in _SHAPES.items():
            batches = size.batches if batch > 1 else _BATCHES_OF_ONE
            yield (
                shape,
                [
                    (number, Turn(code, batch, batches, size.members))
                    for code, number in programs
                ],
            )


def _rows(size: Size, program: Program) -> list[Measure]:
    few, many = size.rows
    _fill(program, few)
    database.settle()
    costs: dict[tuple[str, str], list[float]] = {}
    with database.copied("few") as address, recorder(address) as small:
        _fill(program, many - few)
        database.settle()
        with recorder(database.current_address()) as large:
            _compare(size, {"few": small, "many": large}, costs)
    return [
        _compared(
            f"flatness: {many:,} ledger rows against {few:,}, {shape}",
            costs[shape, "many"],
            costs[shape, "few"],
            ROWS_AIM,
        )
        for shape in _SHAPES
    ]


def _compare(
    size: Size,
    recorders: dict[str, Recorder],
    costs: dict[tuple[str, str], list[float]],
) -> None:
    for shape, turns in _turns([("rows", 0)], size):
        ((_, turn),) = turns
        for name, one in recorders.items():
            costs.setdefault((shape, name), []).append(one.seconds(turn))


def _compared(
    name: str, costs: list[float], references: list[float], aim: float
) -> Measure:
    # The first round fills the caches.
    cost, reference = (
        statistics.median(some[1:] or some) * 1_000 for some in (costs, references)
    )
    return at_most(name, cost, reference, aim, "ms")


def _fill(program: Program, count: int) -> None:
    """Write so many rows, as if members had earned points over the years."""
    started = time.perf_counter()
    left = count
    while left > 0:
        portion = min(left, _FILLED_AT_ONCE)
        database.execute(
            _FILLING.format(
                program=program.pk, activities=portion // 2 // _AWARDS, awards=_AWARDS
            )
        )
        left -= portion
    database.execute(_BALANCES)
    say(f"flatness: {count:,} ledger rows: {time.perf_counter() - started:.0f} s")


# Every constraint and trigger holds; only the fingerprints are made up.
_FILLING = """
WITH places AS (
    SELECT n, row_number() OVER () AS place
    FROM generate_series(1, {activities}) AS n
), holders AS (
    SELECT a.member_id, a.id AS account_id, row_number() OVER (ORDER BY a.id) AS place
    FROM loyalty_account a
    WHERE a.program_id = {program} AND a.kind = 'member'
), configuration AS (
    SELECT o.id AS type_id, o.wallet_id, i.id AS issued_id,
           u.id AS unit_id, c.id AS channel_id
    FROM loyalty_offer o
    JOIN loyalty_businessunit u ON u.program_id = o.program_id AND u.code = 'grocery'
    JOIN loyalty_channel c ON c.program_id = o.program_id
    JOIN loyalty_account i ON i.wallet_id = o.wallet_id AND i.kind = 'issued'
         AND i.business_unit_id = u.id
    WHERE o.program_id = {program} AND o.code = 'PURCHASE'
), written AS (
    INSERT INTO activities_activity (
        program_id, source, key, fingerprint, member_id, activity_type_id, channel_id,
        business_unit_id, occurred_at, occurred_at_text, zone_assumed, received_at,
        created_at, is_late, value, currency, items, data, decision)
    SELECT {program}, 'filling', gen_random_uuid()::text, '\\x00', h.member_id,
           f.type_id, f.channel_id, f.unit_id, m.moment, '', false, m.moment, m.moment,
           false, 42.5, '', '[]', '{{}}', '{{}}'
    FROM places p
    CROSS JOIN configuration f
    JOIN holders h ON h.place = 1 + p.place % (SELECT count(*) FROM holders)
    CROSS JOIN LATERAL (
        SELECT now() - '1 day'::interval * (1 + p.n % 700) AS moment) m
    RETURNING id, member_id, occurred_at
), earned AS (
    INSERT INTO loyalty_entry (
        program_id, kind, debit_account_id, credit_account_id, amount, bucket,
        offer_id, business_unit_id, activity_id, occurred_at, created_at, reason)
    SELECT {program}, 'award', f.issued_id, h.account_id, 10, 'base', f.type_id,
           f.unit_id, w.id, w.occurred_at, w.occurred_at, ''
    FROM written w
    JOIN holders h ON h.member_id = w.member_id
    CROSS JOIN configuration f
    CROSS JOIN generate_series(1, {awards})
    RETURNING id, credit_account_id, amount, occurred_at
)
INSERT INTO loyalty_lot (
    entry_id, account_id, amount, remaining, earned_at, available_at, is_pending)
SELECT id, credit_account_id, amount, amount, occurred_at, occurred_at, false
FROM earned
"""
_BALANCES = """
UPDATE loyalty_account a SET balance = s.amount, lifetime_earned = s.amount
FROM (SELECT account_id, sum(amount) AS amount FROM loyalty_lot GROUP BY 1) s
WHERE s.account_id = a.id
"""
