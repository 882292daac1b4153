"""Products on lists get the keys by which they are compared."""

from django.db import migrations

from loyalty.engine.codes import item_key

AT_ONCE = 10_000


def key_items(apps, schema_editor):
    """Work out the keys of products that have none; safe to run twice."""
    rows = apps.get_model("campaigns", "ListedItem").objects.filter(item_key="")
    columns = rows.order_by("pk").values_list("pk", "item_id")
    last = 0
    while some := list(columns.filter(pk__gt=last)[:AT_ONCE]):
        last = some[-1][0]
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_listeditem i SET item_key = v.key"
                " FROM unnest(%s::bigint[], %s::text[]) AS v(id, key)"
                " WHERE i.id = v.id",
                [[pk for pk, _ in some], [item_key(one) for _, one in some]],
            )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0011_compare_items_by_key")]

    operations = [migrations.RunPython(key_items, migrations.RunPython.noop)]
