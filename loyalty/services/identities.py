"""Who has an identity, however it is spelled; and keeping the keys right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from django.db import IntegrityError, connection, transaction

from loyalty.engine.identities import Comparison, identity_key
from loyalty.models import Identity, Program
from loyalty.models.members import identity_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from django.db.models import QuerySet

    from loyalty.engine.identities import IdentityRules

# Kind and value.
IdentityPair = tuple[str, str]

_SETTLED_AT_ONCE = 5_000
_TRIES = 4

# The exact spelling goes before its key, and the holder of a key before those who
# are only called alike; the best comes last. Each part has an index of its own.
_FIND = """
WITH v AS (SELECT * FROM unnest(%(kinds)s::text[], %(values)s::text[],
                                %(keys)s::text[]) AS v(kind, value, key)),
found AS (
    SELECT v.kind, v.value, i.member_id, i.id, 0 AS rank FROM v
    JOIN loyalty_identity i ON i.program_id = %(program)s AND i.kind = v.kind
     AND i.value = v.value
    UNION ALL
    SELECT v.kind, v.value, i.member_id, i.id, 1 FROM v
    JOIN loyalty_identity i ON i.program_id = %(program)s AND i.key = v.key
     AND i.kind = v.kind AND NOT i.is_duplicate
    UNION ALL
    SELECT v.kind, v.value, i.member_id, i.id, 2 FROM v
    JOIN loyalty_identity i ON i.program_id = %(program)s AND i.key = v.key
     AND i.kind = v.kind AND i.is_duplicate
)
SELECT f.kind, f.value, m.id, m.is_blocked FROM found f
JOIN loyalty_member m ON m.id = f.member_id ORDER BY f.rank DESC, f.id DESC
"""
_REKEY = """
UPDATE loyalty_identity i SET key = v.key, is_duplicate = true
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, value, key)
WHERE i.id = v.id AND i.value = v.value
"""
# Of those who are called alike the oldest holds the key.
_PROMOTE = """
UPDATE loyalty_identity i SET is_duplicate = false
WHERE i.is_duplicate AND i.program_id = %s AND i.id = (
    SELECT min(d.id) FROM loyalty_identity d WHERE d.is_duplicate
    AND d.program_id = i.program_id AND d.key = i.key AND d.kind = i.kind
) AND NOT EXISTS (
    SELECT 1 FROM loyalty_identity h WHERE NOT h.is_duplicate
    AND h.program_id = i.program_id AND h.key = i.key AND h.kind = i.kind
)
"""
_COLLISIONS = """
SELECT d.kind, h.value, h.member_id, d.value, d.member_id FROM loyalty_identity d
JOIN loyalty_identity h ON h.program_id = d.program_id AND h.key = d.key
 AND h.kind = d.kind AND NOT h.is_duplicate
WHERE d.is_duplicate AND d.program_id = %s AND d.member_id <> h.member_id
ORDER BY d.kind, h.key, d.id
"""


class Collision(NamedTuple):
    """Two members whose identities mean the same; the first one's holds the key."""

    kind: str
    value: str
    member_id: int
    other_value: str
    other_member_id: int


def members_found(
    program_id: int, rules: IdentityRules, pairs: Iterable[IdentityPair]
) -> dict[IdentityPair, tuple[int, bool]]:
    """Return whom identities find, as they are spelled, and whether it is blocked.

    One query. Identities that nobody has are left out.
    """
    wanted = list(dict.fromkeys(pairs))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _FIND,
            {
                "kinds": [kind for kind, _ in wanted],
                "values": [value for _, value in wanted],
                "keys": [rules.key_of(kind, value) for kind, value in wanted],
                "program": program_id,
            },
        )
        return {
            (kind, value): (member_id, is_blocked)
            for kind, value, member_id, is_blocked in cursor.fetchall()
        }


def holders_of(
    program_id: int, pairs: Collection[IdentityPair]
) -> dict[IdentityPair, int]:
    """Return the member that each identity finds, however it is spelled."""
    if not pairs:
        return {}
    found = members_found(program_id, identity_rules(program_id), pairs)
    return {pair: member_id for pair, (member_id, _) in found.items()}


def distinct(rules: IdentityRules, pairs: Iterable[IdentityPair]) -> list[IdentityPair]:
    """Return identities that differ, each in its first spelling."""
    first: dict[IdentityPair, IdentityPair] = {}
    for kind, value in pairs:
        first.setdefault((kind, rules.key_of(kind, value)), (kind, value))
    return list(first.values())


def identities_called(program_id: int, text: str) -> QuerySet[Identity]:
    """Return the identities of any kind that a search for ``text`` means; indexed."""
    region = identity_rules(program_id).region
    keys = {identity_key(text, one, region) for one in Comparison}
    rows = Identity.objects.filter(program_id=program_id, key__in=keys)
    return rows.filter(is_duplicate=False) | rows.filter(is_duplicate=True)


def settle(program_id: int | None = None) -> None:
    """Do what ``settle_identities`` does for a program, or for all."""
    programs = Program.objects.order_by("pk").values_list("pk", flat=True)
    for one in programs if program_id is None else [program_id]:
        settle_identities(one)


def settle_identities(program_id: int) -> int:
    """Work out the keys of a program's identities anew; return how many changed.

    After a change of its rules, and for rows that were written past the site. Members
    who turn out to be called alike are not merged: ``collisions_of`` names them. In
    short transactions; safe to run again and beside enrolments.
    """
    rules = identity_rules(program_id)
    rows = Identity.objects.filter(program_id=program_id).order_by("pk")
    columns = rows.values_list("pk", "kind", "value", "key")
    changed_count = last = 0
    while some := list(columns.filter(pk__gt=last)[:_SETTLED_AT_ONCE]):
        last = some[-1][0]
        changed = [
            (pk, value, key)
            for pk, kind, value, before in some
            if (key := rules.key_of(kind, value)) != before
        ]
        if changed:
            _retried(partial(_rekey, program_id, changed))
            changed_count += len(changed)
    settle_duplicates(program_id)
    return changed_count


def settle_duplicates(program_id: int) -> None:
    """Let a duplicate hold its key once nobody else does; one cheap statement."""
    _retried(partial(_promote, program_id))


def collisions_of(program_id: int) -> list[Collision]:
    """Return the pairs of members whose identities mean the same; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COLLISIONS, [program_id])
        return list(map(Collision._make, cursor.fetchall()))


def _rekey(program_id: int, changed: list[tuple[int, str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REKEY, list(map(list, zip(*changed, strict=True))))
    _promote(program_id)


def _promote(program_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PROMOTE, [program_id])


def _retried(step: Callable[[], None]) -> None:
    """Take a step in a transaction; again if somebody enrols with its key meanwhile."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                step()
        except IntegrityError:
            if not tries_left:
                raise
        else:
            return
