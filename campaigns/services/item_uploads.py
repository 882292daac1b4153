"""Filling item lists from files of products."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import IO, TYPE_CHECKING

from django.db import connection, transaction

from loyalty.engine.codes import item_key
from loyalty.services.lists import copy_names, first_column
from loyalty.services.tables.escaping import csv_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaigns.models import ItemList


class ItemChange(Enum):
    """What a file of products does to a list."""

    ADD = "add"
    REPLACE = "replace"


@dataclass(frozen=True)
class ItemUpload:
    """What became of a file of products."""

    line_count: int
    added_count: int
    removed_count: int


def upload_items(
    item_list: ItemList, file: IO[bytes], *, change: ItemChange, has_heading: bool
) -> ItemUpload:
    """Put the products of a file on the list; ``REPLACE`` takes the others off.

    Products are the first cells of lines. Hundreds of thousands take a handful of
    statements, all or nothing, and make one configuration revision.

    Raises:
        UnreadableList: the file is not a list of products.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        names = first_column(file, has_heading=has_heading)
        line_count = copy_names(names, key_of=item_key)
        removed_count = 0
        if change is ItemChange.REPLACE:
            cursor.execute(
                "DELETE FROM campaigns_listeditem i WHERE i.item_list_id = %s"
                " AND NOT EXISTS"
                " (SELECT 1 FROM listed_name n WHERE n.key = i.item_key)",
                [item_list.pk],
            )
            removed_count = cursor.rowcount
        cursor.execute(
            "INSERT INTO campaigns_listeditem (item_list_id, item_id, item_key)"
            " SELECT DISTINCT ON (n.key) %s::bigint, left(n.name, 100), n.key"
            " FROM listed_name n WHERE NOT EXISTS (SELECT 1 FROM campaigns_listeditem i"
            " WHERE i.item_list_id = %s AND i.item_key = n.key)"
            " ORDER BY n.key, n.name ON CONFLICT DO NOTHING",
            [item_list.pk, item_list.pk],
        )
        added_count = cursor.rowcount
        cursor.execute("DROP TABLE listed_name")
    return ItemUpload(line_count, added_count, removed_count)


def item_lines(item_list: ItemList) -> Iterator[str]:
    """Yield the products on the list, as CSV without live formulas."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY (SELECT item_id FROM campaigns_listeditem WHERE item_list_id = %s"
            " ORDER BY item_id) TO STDOUT",
            [item_list.pk],
        ) as copy,
    ):
        yield from csv_blocks(copy.rows())
