"""One event under two names: a guest's, and the same person's once it is known.

A client that knows events by what they say sends a guest's event again with the
identity after log-in. Both natural keys are looked up, so that it counts once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activities.services.batch import Batch, Draft

# Anonymous rows with a natural key, whose event stands under their member already.
_TWINS = """
SELECT g.id FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, member_id)
JOIN activities_activity g ON g.id = v.id
WHERE g.fingerprint = sha256(convert_to(g.key, 'UTF8')) AND EXISTS (
    SELECT 1 FROM activities_activity a WHERE a.member_id = v.member_id
    AND a.occurred_at >= date_trunc('second', g.occurred_at)
    AND a.occurred_at < date_trunc('second', g.occurred_at) + interval '1 second'
    AND a.id <> g.id AND a.source = g.source AND a.data = g.data
    AND a.activity_type_id = g.activity_type_id
    AND a.fingerprint = sha256(convert_to(a.key, 'UTF8'))
)
"""


def other_keys(batch: Batch) -> dict[int, list[str]]:
    """Return under which other keys each draft may stand, by place.

    Two queries, for batches with natural keys only. After the members are locked:
    what they were called before has committed by now.
    """
    named = [draft for draft in batch.drafts if draft.command.natural_keys]
    if not named:
        return {}
    members = {draft.place: _member_of(batch, draft) for draft in named}
    anonymous = _anonymous_ids(batch, {one for one in members.values() if one})
    identities = _identities(batch, {one for one in members.values() if one})
    found = {}
    for draft in named:
        keys, command = draft.command.natural_keys, draft.command
        if keys is None:
            continue
        member_id = members[draft.place]
        names = set(anonymous.get(member_id or 0, ()))
        values = set(identities.get(member_id or 0, ()))
        if command.anonymous_id is not None:
            names.add(command.anonymous_id)
        if command.member is not None:
            values.add(command.member[1])
        every = {keys.of_anonymous(name) for name in names}
        every |= {keys.of_identity(value) for value in values}
        found[draft.place] = sorted(every - {command.key})
    return found


def twins_among(activity_ids: Iterable[int], owners: Iterable[int]) -> set[int]:
    """Return those anonymous activities that stand under their owner already."""
    with connection.cursor() as cursor:
        cursor.execute(_TWINS, [list(activity_ids), list(owners)])
        return {row[0] for row in cursor.fetchall()}


def _member_of(batch: Batch, draft: Draft) -> int | None:
    """Return whose a draft is, if only through a merge of this batch."""
    return draft.member_id or batch.owner_of(draft.anonymous_profile_id or 0)


def _anonymous_ids(batch: Batch, members: set[int]) -> dict[int, set[str]]:
    """Return the anonymous ids that were or become the members'."""
    found: dict[int, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT merged_into_id, anonymous_id FROM loyalty_anonymousprofile"
            " WHERE merged_into_id = ANY(%s)",
            [list(members)],
        )
        for member_id, name in cursor.fetchall():
            found[member_id].add(name)
    for draft in batch.drafts:
        owner = batch.owner_of(draft.anonymous_profile_id or 0)
        if owner is not None and draft.command.anonymous_id is not None:
            found[owner].add(draft.command.anonymous_id)
    return found


def _identities(batch: Batch, members: set[int]) -> dict[int, set[str]]:
    """Return what the members are called, as stored, compared and named here."""
    kinds = {
        draft.command.natural_keys.identity_kind
        for draft in batch.drafts
        if draft.command.natural_keys is not None
    }
    found: dict[int, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, value, key FROM loyalty_identity"
            " WHERE member_id = ANY(%s) AND kind = ANY(%s)",
            [list(members), list(kinds)],
        )
        for member_id, *spellings in cursor.fetchall():
            found[member_id].update(one for one in spellings if one is not None)
    for draft in batch.drafts:
        pair = draft.command.member
        if draft.member_id is not None and pair is not None and pair[0] in kinds:
            found[draft.member_id] |= {pair[1], batch.identity_keys[pair][1]}
    return found
