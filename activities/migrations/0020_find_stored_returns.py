"""Marks the returns among the activities that stand; what they earned stays."""

import json
from collections import defaultdict
from decimal import Decimal, InvalidOperation

from django.db import migrations

_AT_ONCE = 5_000
# Of few only the lines have to be read: those with a sign.
_SUSPECTS = """
SELECT id, value, items FROM activities_activity
WHERE value < 0 OR items @? '$[*] ? (
    @.value starts with "-" || @.quantity starts with "-"
)'
"""


def _number(text, otherwise):
    try:
        return Decimal(str(text)) if text not in (None, "") else otherwise
    except InvalidOperation:
        return otherwise


def _is_return(value, items):
    if value is not None and value < 0:
        return True
    if value is None and sum(_number(one.get("value"), 0) for one in items) < 0:
        return True
    products, came_back = defaultdict(list), set()
    for one in items:
        worth = _number(one.get("value"), Decimal(0))
        quantity = _number(one.get("quantity"), Decimal(1))
        if worth < 0:
            quantity = -abs(quantity)
        came_back |= {one.get("item_id")} if worth < 0 or quantity < 0 else set()
        products[one.get("item_id")].append((worth, quantity))
    for product, lines in products.items():
        quantity = sum(each for _, each in lines)
        worth = sum(each for each, _ in lines)
        if quantity > 0 or (quantity == 0 and (worth > 0 or product not in came_back)):
            return False
    return bool(products)


def mark(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_SUSPECTS)
        found = []
        while rows := cursor.fetchmany(_AT_ONCE):
            for number, value, items in rows:
                lines = json.loads(items) if isinstance(items, str) else items
                if _is_return(value, lines):
                    found.append(number)
        if not found:
            return
        cursor.execute(
            "ALTER TABLE activities_activity DISABLE TRIGGER activity_is_append_only"
        )
        for start in range(0, len(found), _AT_ONCE):
            cursor.execute(
                "UPDATE activities_activity SET is_return = true WHERE id = ANY(%s)",
                [found[start : start + _AT_ONCE]],
            )
        cursor.execute(
            "ALTER TABLE activities_activity ENABLE TRIGGER activity_is_append_only"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0019_mark_returns"),
    ]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
