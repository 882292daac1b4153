"""Keeping draws, and drawing them again to prove that they were fair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson
from django.db import connection

from activities.models import Draw
from loyalty.engine.draw import ticket_of, winner_of
from loyalty.ledger.holdings import copy_lines, copy_moment, copy_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from loyalty.engine import decisions

_COLUMNS = (
    "program_id, campaign_id, member_id, activity_id, seed, candidates, ticket,"
    " winner_id, occurred_at, created_at"
)


class Drawn(NamedTuple):
    """A draw to be kept: whose it is, and the activity or interaction it is for."""

    member_id: int
    activity_id: int
    occurred_at: datetime
    draw: decisions.Draw


def write(program_id: int, drawn: Iterable[Drawn], now: datetime) -> None:
    """Keep draws; one COPY, none where nothing was drawn."""
    copy_lines(
        "activities_draw",
        _COLUMNS,
        [
            f"{program_id}\t{one.draw.campaign_id}\t{one.member_id}\t"
            f"{one.activity_id}\t{one.draw.seed:032x}\t"
            f"{copy_text(orjson.dumps(one.draw.candidates).decode())}\t"
            f"{one.draw.ticket}\t{one.draw.winner_id}\t"
            f"{copy_moment(one.occurred_at)}\t{copy_moment(now)}\n"
            for one in drawn
        ],
    )


class WrongDraw(NamedTuple):
    """A draw that does not come out as it was kept, and in what."""

    draw_id: int
    activity_id: int
    problem: str


def wrong_draws(program_id: int | None = None) -> Iterator[WrongDraw]:
    """Draw every kept draw again; yield those that do not come out the same.

    Each must have the ticket and the winner that its random number gives, must stand
    like that in the decision record of its activity or interaction, and its winner
    must be what was then given: the reward method's completion stands, unless the
    activity was reversed.
    """
    rows = Draw.objects.order_by("pk")
    if program_id is not None:
        rows = rows.filter(program=program_id)
    for row in rows.iterator(chunk_size=2000):
        problem = _problem_of(row)
        if problem:
            yield WrongDraw(row.pk, row.activity_id, problem)
    for draw_id, activity_id in _without(_TOLD, program_id):
        problem = "the decision record tells another draw"
        yield WrongDraw(draw_id, activity_id, problem)
    for draw_id, activity_id in _without(_GIVEN, program_id):
        yield WrongDraw(draw_id, activity_id, "the winner was not given")


def _problem_of(row: Draw) -> str:
    try:
        seed = int(row.seed, 16)
        pairs = [(int(number), int(weight)) for number, weight in row.candidates]
    except (TypeError, ValueError):
        return "its random number or its candidates cannot be read"
    total = sum(weight for _, weight in pairs)
    if total <= 0 or any(weight < 0 for _, weight in pairs):
        return "nobody could have won"
    if pairs != sorted(pairs):
        return "the candidates are out of order"
    ticket = ticket_of(row.campaign_id, seed, total)
    if ticket != row.ticket:
        return f"the ticket is {ticket}, not {row.ticket}"
    winner = winner_of(pairs, ticket)
    if winner != row.winner_id:
        return f"the winner is {winner}, not {row.winner_id}"
    return ""


# What must stand beside a draw, as SQL.
_TOLD = (
    "SELECT 1 FROM (SELECT decision FROM activities_activity a"
    "  WHERE a.id = d.activity_id AND a.member_id = d.member_id UNION ALL"
    " SELECT l.decision FROM activities_latedecision l"
    "  WHERE l.activity_id = d.activity_id UNION ALL"
    " SELECT i.decision FROM activities_interaction i"
    "  WHERE i.id = d.activity_id AND i.member_id = d.member_id) told"
    " WHERE told.decision -> 'draws' @> jsonb_build_array(jsonb_build_object("
    " 'campaign', d.campaign_id, 'seed', d.seed, 'candidates', d.candidates,"
    " 'ticket', d.ticket, 'winner', d.winner_id))"
)
_GIVEN = (
    "SELECT 1 FROM loyalty_completion c WHERE c.activity_id = d.activity_id"
    " AND c.offer_id = d.winner_id AND c.member_id = d.member_id AND c.is_paid"
    " UNION ALL SELECT 1 FROM activities_activityreversal r"
    " WHERE r.activity_id = d.activity_id"
)


def _without(rows: str, program_id: int | None) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id, d.activity_id FROM activities_draw d"  # noqa: S608 (constants)
            " WHERE (%s::bigint IS NULL OR d.program_id = %s)"
            f" AND NOT EXISTS ({rows}) ORDER BY d.id",
            [program_id, program_id],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]
