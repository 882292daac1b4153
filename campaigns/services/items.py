"""Which lists a product stands on."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

from loyalty.engine.codes import item_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from loyalty.engine.programme import Programme

# About 100 MB of a worker at the very most; then it starts anew.
_ITEMS_REMEMBERED = 400_000


class _Memory:
    """What this process has looked up under the newest revision of a program."""

    def __init__(self) -> None:
        self._by_program: dict[int, tuple[int, dict[str, tuple[int, ...]]]] = {}

    def of(self, programme: Programme) -> dict[str, tuple[int, ...]]:
        revision, known = self._by_program.get(programme.program_id, (-1, {}))
        if revision != programme.revision or len(known) > _ITEMS_REMEMBERED:
            known = {}
            self._by_program[programme.program_id] = (programme.revision, known)
        return known


_memory = _Memory()


def lists_of(
    programme: Programme, item_ids: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """Return the item lists in use that each item stands on; at most one query.

    Lists change with the configuration revision, so answers are remembered for
    its life. The result may hold more items than were asked for.
    """
    if not programme.item_list_ids or not item_ids:
        return {}
    known = _memory.of(programme)
    unknown = [item_id for item_id in item_ids if item_id not in known]
    if unknown:
        known.update(listed(unknown, programme.item_list_ids))
    return known


def listed(
    item_ids: Collection[str], list_ids: Collection[int]
) -> dict[str, tuple[int, ...]]:
    """Return which of the lists each item stands on; one query."""
    found: dict[str, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT item_key, item_list_id FROM campaigns_listeditem"
            " WHERE item_key = ANY(%s) AND item_list_id = ANY(%s)",
            [list({*map(item_key, item_ids)}), sorted(list_ids)],
        )
        for key, list_id in cursor.fetchall():
            found[key].append(list_id)
    return {
        item_id: tuple(sorted(found.get(item_key(item_id), ()))) for item_id in item_ids
    }
