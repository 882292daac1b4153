"""How identities are compared is configuration; those that exist get their keys.

Members who are called alike are not merged: the oldest holds the key, the others are
marked. Nothing here can fail because of them. Safe to run twice.
"""


from django.db import migrations

from loyalty.engine.identities import identity_key, IdentityRules

AT_ONCE = 5_000

GUARD = (
    """
CREATE TRIGGER phone_region_changed AFTER UPDATE OF phone_region ON loyalty_program
    FOR EACH ROW EXECUTE FUNCTION loyalty_program_changed();
"""
    + "\n".join(
        f"CREATE TRIGGER configuration_{event.lower()} AFTER {event}"
        f" ON loyalty_identityrule REFERENCING {side} TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION loyalty_configuration_changed("
        f"'SELECT program_id FROM changed', 'identity rule');"
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )
)
UNGUARD = "DROP TRIGGER phone_region_changed ON loyalty_program;" + "\n".join(
    f"DROP TRIGGER IF EXISTS configuration_{event} ON loyalty_identityrule;"
    for event in ("insert", "update", "delete")
)
REKEY = """
UPDATE loyalty_identity i SET key = v.key, is_duplicate = true
FROM unnest(%s::bigint[], %s::text[]) AS v(id, key) WHERE i.id = v.id
"""
# Of those who are called alike the oldest holds the key.
PROMOTE = """
UPDATE loyalty_identity i SET is_duplicate = false
WHERE i.is_duplicate AND i.id = ANY(%s) AND i.id = (
    SELECT min(d.id) FROM loyalty_identity d WHERE d.is_duplicate
    AND d.program_id = i.program_id AND d.key = i.key AND d.kind = i.kind
) AND NOT EXISTS (
    SELECT 1 FROM loyalty_identity h WHERE NOT h.is_duplicate
    AND h.program_id = i.program_id AND h.key = i.key AND h.kind = i.kind
)
"""


def key_identities(apps, schema_editor):
    """Work out the keys of identities that have none, oldest first."""
    Identity = apps.get_model("loyalty", "Identity")
    rows = Identity.objects.filter(key=None).order_by("pk")
    columns = rows.values_list("pk", "kind", "value")
    key_of = IdentityRules().key_of
    last = 0
    while some := list(columns.filter(pk__gt=last)[:AT_ONCE]):
        last = some[-1][0]
        ids = [pk for pk, _, _ in some]
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(REKEY, [ids, [key_of(kind, value) for _, kind, value in some]])
            cursor.execute(PROMOTE, [ids])
    identity_key.cache_clear()


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0029_key_identities")]

    operations = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunPython(key_identities, migrations.RunPython.noop),
    ]
