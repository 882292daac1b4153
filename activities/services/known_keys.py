"""Keys that stand already: what makes a request a replay, or a refusal.

A key is looked up within its scope (see ``commands.scope_of``). Where the stored
fingerprint is not that of the request, both are compared by what they mean, however
they were spelled. A key that an undone upload gave back is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from activities.services.commands import (
    KeyReused,
    fingerprint_of,
    scope_of,
    scopes_to_search,
)
from activities.services.sameness import meaning_of, stored_meanings
from activities.services.twins import other_keys
from loyalty.engine.sameness import differences

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from activities.services.batch import Batch, Draft
    from activities.services.commands import RecordActivity
    from loyalty.engine.sameness import Meaning

#: Within what a stored key is unique; an index has this very expression.
SCOPE = "COALESCE(NULLIF(a.key_scope, ''), a.source)"


class Standing(NamedTuple):
    """An activity that holds a key."""

    scope: str
    source: str
    activity_id: int
    member_id: int | None
    fingerprint: bytes
    reversed_at: datetime | None


def answer_known_keys(batch: Batch) -> None:
    """Take out the drafts whose key stands already, in the table or the batch.

    Two queries at most, after the locks: another request with the same key and
    member has committed by now, or waits for this one.
    """
    for draft in batch.drafts:
        draft.fingerprint = fingerprint_of(draft.command)
    others = other_keys(batch)
    standing = standing_keys(
        batch.programme.program_id,
        {draft.command.key for draft in batch.drafts}.union(*others.values()),
        {draft.command.source for draft in batch.drafts},
    )
    found = {draft.place: candidates(draft.command, standing) for draft in batch.drafts}
    stored = _meanings(batch.drafts, found)
    first: dict[tuple[str, str], Draft] = {}
    kept: list[Draft] = []
    for draft in batch.drafts:
        scope = draft.command.key_scope
        name = (scope, draft.command.key)
        twins = others.get(draft.place, [])
        if _answer(batch, draft, found[draft.place], stored):
            continue
        if _answer_as_twin(batch, draft, [standing.get(one, []) for one in twins]):
            continue
        if name in first:
            _answer_repeated(batch, draft, first[name])
            continue
        twin = next((first[scope, one] for one in twins if (scope, one) in first), None)
        if twin is not None:
            batch.echoes.append((draft.place, twin))
            continue
        first[name] = draft
        kept.append(draft)
    batch.drafts = kept


def is_known_key(program_id: int, source: str, key: str) -> bool:
    """Return whether another activity keeps ``source`` from using ``key``."""
    scope = scope_of(source)
    rows = standing_keys(program_id, {key}, {source}).get(key, ())
    return any(row.scope == scope or row.source == source for row in rows)


def standing_keys(
    program_id: int, keys: Collection[str], sources: Collection[str]
) -> dict[str, list[Standing]]:
    """Return who holds the keys, by key; one query.

    Activities of every scope that one of the sources could be known in.
    """
    if not keys:
        return {}
    scopes = {scope for source in sources for scope in scopes_to_search(source)}
    found: dict[str, list[Standing]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.key, {SCOPE}, a.source, a.id, a.member_id, a.fingerprint,"  # noqa: S608 (fixed words)
            " r.created_at FROM unnest(%s::text[]) AS v(key)"
            " JOIN activities_activity a ON a.program_id = %s AND a.key = v.key"
            f" AND {SCOPE} = ANY(%s) AND a.holds_key"
            " LEFT JOIN activities_activityreversal r ON r.activity_id = a.id",
            [list(keys), program_id, list(scopes)],
        )
        for key, scope, source, one, member_id, fingerprint, at in cursor.fetchall():
            row = Standing(scope, source, one, member_id, bytes(fingerprint), at)
            found.setdefault(key, []).append(row)
    return found


def count_elsewhere(
    program_id: int, source: str, keys: Collection[str]
) -> dict[str, int]:
    """Return how many of the keys stand under other sources, by source; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {SCOPE}, count(*) FROM unnest(%s::text[]) AS v(key)"  # noqa: S608 (fixed words)
            " JOIN activities_activity a ON a.program_id = %s AND a.key = v.key"
            f" AND a.holds_key AND {SCOPE} <> ALL(%s) GROUP BY 1",
            [list(keys), program_id, list(scopes_to_search(source))],
        )
        return dict(cursor.fetchall())


def candidates(
    command: RecordActivity, standing: dict[str, list[Standing]]
) -> list[Standing]:
    """Return who may be the command's activity: of its own scope first."""
    scopes = scopes_to_search(command.source)
    rows = [row for row in standing.get(command.key, ()) if row.scope in scopes]
    return sorted(rows, key=lambda row: (scopes.index(row.scope), row.activity_id))


def _meanings(
    drafts: list[Draft], found: dict[int, list[Standing]]
) -> dict[int, Meaning]:
    """Return what stored activities mean whose fingerprint does not tell."""
    return stored_meanings(
        {
            row.activity_id
            for draft in drafts
            for row in found[draft.place]
            if row.fingerprint != draft.fingerprint
        }
    )


def _answer(
    batch: Batch, draft: Draft, rows: list[Standing], stored: dict[int, Meaning]
) -> bool:
    """Answer a draft whose key stands in the table; False if it is free."""
    for row in rows:
        differing = _differing(draft, row, stored)
        if not differing:
            batch.replay(draft.place, row.activity_id, row.member_id, row.reversed_at)
            return True
        if holds(row, draft.command):
            batch.refuse(draft.place, reused(draft.command, differing))
            return True
    return False


def _answer_as_twin(batch: Batch, draft: Draft, found: list[list[Standing]]) -> bool:
    """Answer a draft whose event stands under another name of its actor."""
    scope = draft.command.key_scope
    rows = [row for some in found for row in some if row.scope == scope]
    if not rows:
        return False
    row = rows[0]
    batch.replay(draft.place, row.activity_id, row.member_id, row.reversed_at)
    if draft.member_id is not None:
        batch.kept_members.add(draft.member_id)
    return True


def _differing(draft: Draft, row: Standing, stored: dict[int, Meaning]) -> list[str]:
    if row.fingerprint == draft.fingerprint:
        return []
    return differences(stored[row.activity_id], meaning_of(draft))


def holds(row: Standing, command: RecordActivity) -> bool:
    """Return whether a row keeps the key from any other activity.

    One from before the contracts shared their keys does so for its own contract
    only: elsewhere its number may have been another receipt's.
    """
    return row.scope == command.key_scope or row.source == command.source


def _answer_repeated(batch: Batch, draft: Draft, first: Draft) -> None:
    if first.fingerprint == draft.fingerprint:
        batch.echoes.append((draft.place, first))
        return
    differing = differences(meaning_of(first), meaning_of(draft))
    if differing:
        batch.refuse(draft.place, reused(draft.command, differing))
    else:
        batch.echoes.append((draft.place, first))


def reused(command: RecordActivity, differing: list[str]) -> KeyReused:
    """Return the refusal of a key that stands for another activity."""
    return KeyReused(
        f"The key “{command.key}” was used for another request. "
        f"It differs in: {', '.join(differing)}.",
        field="key",
        differing=differing,
    )
