"""What members have done in quests: loading it, adding to it, taking it back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.engine.facts import NEVER, Contribution, OptIn, QuestHistory
from loyalty.engine.quests import prizes_to_take_back
from loyalty.ledger.holdings import copy_lines, copy_moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from loyalty.engine.decisions import QuestStep
    from loyalty.engine.programme import Programme

# Member and quest.
Pair = tuple[int, int]
# Activity and quest.
Prize = tuple[int, int]


class Histories(NamedTuple):
    """What members have done in some quests, and when they joined the program."""

    by_pair: dict[Pair, QuestHistory]
    enrolled_at: dict[int, datetime]


def histories_of(
    member_ids: Collection[int],
    quest_ids: Collection[int],
    enough: Mapping[int, int | None] | None = None,
) -> Histories:
    """Return what the members have done in the quests; three queries.

    There is a history for every member and quest. Lock the members first if
    something is to follow from it. Who has as many prizes of a quest as ``enough``
    names for it can win no more: what counted for them is left out.
    """
    found: dict[Pair, QuestHistory] = {
        (member_id, quest_id): QuestHistory()
        for member_id in member_ids
        for quest_id in quest_ids
    }
    enrolled_at: dict[int, datetime] = {}
    wanted = [sorted(quest_ids), sorted(member_ids)]
    with connection.cursor() as cursor:
        cursor.execute(_OPT_INS, wanted)
        for member_id, joined, quest_id, row_id, since, until, auto in cursor:
            enrolled_at[member_id] = joined
            if quest_id is not None:
                opt_in = OptIn(row_id, since, until or NEVER, auto)
                found[member_id, quest_id].opt_ins.append(opt_in)
        cursor.execute(_PRIZES, wanted)
        for member_id, quest_id, at, activity_id in cursor:
            found[member_id, quest_id].prizes.append((at, activity_id))
        pairs = [pair for pair, one in found.items() if one.opt_ins]
        if enough is not None:
            pairs = [pair for pair in pairs if not _has_enough(pair, found, enough)]
        cursor.execute(_CONTRIBUTIONS, list(_columns(pairs)))
        for member_id, quest_id, activity_id, at, ids, units in cursor:
            amounts = tuple(zip(ids, units, strict=True))
            contribution = Contribution(at, amounts, activity_id)
            found[member_id, quest_id].contributions.append(contribution)
    return Histories(found, enrolled_at)


_OPT_INS = (
    "SELECT m.id, m.enrolled_at, o.quest_id, o.id, o.opted_in_at,"
    " o.expires_at, o.is_automatic"
    " FROM loyalty_member m LEFT JOIN campaigns_questoptin o"
    " ON o.member_id = m.id AND o.quest_id = ANY(%s)"
    " WHERE m.id = ANY(%s) ORDER BY o.opted_in_at, o.id"
)
_PRIZES = (
    "SELECT member_id, offer_id, occurred_at, activity_id FROM loyalty_completion"
    " WHERE offer_id = ANY(%s) AND member_id = ANY(%s)"
)
_CONTRIBUTIONS = (
    "SELECT c.member_id, r.quest_id, c.activity_id, c.occurred_at,"
    " array_agg(c.requirement_id ORDER BY c.requirement_id),"
    " array_agg(c.units ORDER BY c.requirement_id)"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS v(member_id, quest_id)"
    " JOIN campaigns_questrequirement r ON r.quest_id = v.quest_id"
    " JOIN campaigns_questcontribution c"
    " ON c.requirement_id = r.id AND c.member_id = v.member_id"
    " GROUP BY c.member_id, r.quest_id, c.activity_id, c.occurred_at"
)


def _has_enough(
    pair: Pair, found: Mapping[Pair, QuestHistory], enough: Mapping[int, int | None]
) -> bool:
    most = enough[pair[1]]
    return most is not None and len(found[pair].prizes) >= most


def _columns(pairs: Collection[Pair]) -> tuple[list[int], list[int]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


class Taken(NamedTuple):
    """One step to be written: who, by which activity, and when it happened."""

    member_id: int
    activity_id: int
    occurred_at: datetime
    step: QuestStep


def write_steps(steps: Iterable[Taken], now: datetime) -> None:
    """Write what counted, and who takes part from now on without being asked."""
    opt_ins = []
    contributions = []
    for member_id, activity_id, at, step in steps:
        if step.new_opt_in is not None:
            opt_ins.append(_opt_in_line(member_id, step.quest_id, step.new_opt_in, now))
        contributions += [
            f"{requirement_id}\t{member_id}\t{activity_id}\t{copy_moment(at)}\t"
            f"{units}\n"
            for requirement_id, units in step.contribution.amounts
        ]
    copy_lines(
        "campaigns_questoptin",
        "quest_id, member_id, opted_in_at, expires_at, is_automatic, created_at",
        opt_ins,
    )
    copy_lines(
        "campaigns_questcontribution",
        "requirement_id, member_id, activity_id, occurred_at, units",
        contributions,
    )


def _opt_in_line(member_id: int, quest_id: int, opt_in: OptIn, now: datetime) -> str:
    until = "\\N" if opt_in.ends_at == NEVER else copy_moment(opt_in.ends_at)
    return (
        f"{quest_id}\t{member_id}\t{copy_moment(opt_in.starts_at)}\t{until}\t"
        f"{'t' if opt_in.is_automatic else 'f'}\t{copy_moment(now)}\n"
    )


class Undone(NamedTuple):
    """Which prizes go with reversed activities, and which stay.

    ``taken`` may have come with other activities; ``kept`` came with reversed ones
    and are held by others.
    """

    taken: frozenset[Prize] = frozenset()
    kept: frozenset[Prize] = frozenset()


def take_back(programme: Programme, activity_ids: Collection[int]) -> Undone:
    """Take the activities out of all quests; return what that does to prizes.

    Their members must be locked. The prizes themselves are the ledger's.
    """
    if not programme.quests:
        return Undone()
    pairs = _pairs_of(activity_ids)
    if not pairs:
        return Undone()
    quests = {quest.id: quest for quest in programme.quests}
    histories = histories_of(
        {member_id for member_id, _ in pairs}, {quest_id for _, quest_id in pairs}
    )
    reversed_ids = frozenset(activity_ids)
    taken: set[Prize] = set()
    kept: set[Prize] = set()
    for pair in pairs:
        history = histories.by_pair[pair]
        gone = prizes_to_take_back(quests[pair[1]], history, reversed_ids)
        taken |= {(activity_id, pair[1]) for activity_id in gone}
        kept |= {
            (activity_id, pair[1])
            for _, activity_id in history.prizes
            if activity_id in reversed_ids and activity_id not in gone
        }
    _delete_contributions(activity_ids)
    return Undone(frozenset(taken), frozenset(kept))


def _pairs_of(activity_ids: Collection[int]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.member_id, r.quest_id"
            " FROM campaigns_questcontribution c"
            " JOIN campaigns_questrequirement r ON r.id = c.requirement_id"
            " WHERE c.activity_id = ANY(%s)",
            [list(activity_ids)],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def _delete_contributions(activity_ids: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM campaigns_questcontribution WHERE activity_id = ANY(%s)",
            [list(activity_ids)],
        )


def by_member(histories: Histories) -> dict[int, dict[int, QuestHistory]]:
    """Return the histories of each member, by quest."""
    found: dict[int, dict[int, QuestHistory]] = defaultdict(dict)
    for (member_id, quest_id), history in histories.by_pair.items():
        found[member_id][quest_id] = history
    return found
