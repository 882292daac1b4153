"""Answering a repeated request before anything else about it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.services.actors import find_actors
from activities.services.batch import Batch
from activities.services.checking import check_commands
from activities.services.commands import Recorded, Refused, fingerprint_of
from activities.services.known_keys import candidates, holds, reused, standing_keys
from activities.services.sameness import meaning_of, stored_meanings
from campaigns.services.programme import current_programme
from loyalty.engine.sameness import differences

if TYPE_CHECKING:
    from activities.services.commands import RecordActivity
    from activities.services.known_keys import Standing


def replay_of(program_id: int, command: RecordActivity) -> Recorded | None:
    """Return the activity that stands under the command's key; None if it is free.

    For contracts that answer a repeated request like the first time whatever has
    become of its words, its moment or its member since.

    Raises:
        KeyReused: the key stands for another request.
    """
    standing = standing_keys(program_id, {command.key}, {command.source})
    rows = candidates(command, standing)
    fingerprint = fingerprint_of(command)
    for row in rows:
        if row.fingerprint == fingerprint:
            return _replay(row)
    for row in rows:
        if holds(row, command):
            differing = _differing(program_id, command, row)
            if differing:
                raise reused(command, differing)
            return _replay(row)
    return None


def _replay(row: Standing) -> Recorded:
    return Recorded(
        row.activity_id, row.member_id, is_replay=True, reversed_at=row.reversed_at
    )


def _differing(program_id: int, command: RecordActivity, row: Standing) -> list[str]:
    """Return in what a command differs from a stored activity; a few queries."""
    programme = current_programme(program_id)
    batch = Batch(programme, [command], command.received_at, outcomes=[None])
    check_commands(batch)
    find_actors(batch, may_enrol=False, lock=False)
    if not batch.drafts:
        (outcome,) = batch.outcomes
        field = outcome.error.field if isinstance(outcome, Refused) else ""
        return [field or "member"]
    stored = stored_meanings({row.activity_id})
    return differences(stored[row.activity_id], meaning_of(batch.drafts[0]))
