"""Rules of segments are configuration, and stay inside their program."""

from django.db import migrations

WATCHED = (
    "SELECT s.program_id FROM changed c JOIN loyalty_segment s ON s.id = c.segment_id"
)
INSIDE = [
    ("activity_type_id", "loyalty_offer"),
    ("wallet_id", "loyalty_wallet"),
    ("tier_id", "loyalty_tier"),
    ("business_unit_id", "loyalty_businessunit"),
    ("other_segment_id", "loyalty_segment"),
]
KIND = """
CREATE FUNCTION loyalty_keep_segment_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'By whom a segment is kept cannot be changed.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER segment_kind_is_fixed BEFORE UPDATE OF kind ON loyalty_segment
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind)
    EXECUTE FUNCTION loyalty_keep_segment_kind();
"""


def watch():
    """Return SQL that notes every change of rules as a new revision."""
    return "\n".join(
        f"CREATE TRIGGER configuration_{event.lower()} AFTER {event}"
        f" ON loyalty_segmentrule REFERENCING {side} TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION"
        f" loyalty_configuration_changed('{WATCHED}', 'segment');"
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


def unwatch():
    """Return SQL that drops what ``watch`` made."""
    return "\n".join(
        f"DROP TRIGGER IF EXISTS configuration_{event} ON loyalty_segmentrule;"
        for event in ("insert", "update", "delete")
    )


def stay_inside(column, target):
    """Return SQL that refuses a ``column`` that points into another program."""
    query = (
        f"SELECT $1.{column} IS NOT NULL AND (SELECT t.program_id FROM {target} t"
        f" WHERE t.id = $1.{column}) IS DISTINCT FROM (SELECT s.program_id"
        f" FROM loyalty_segment s WHERE s.id = $1.segment_id)"
    )
    return (
        f"CREATE TRIGGER {column}_stays_inside BEFORE INSERT OR UPDATE OF {column},"
        f" segment_id ON loyalty_segmentrule FOR EACH ROW"
        f" EXECUTE FUNCTION loyalty_refuse_other_program('{query}');"
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0011_keep_segments_by_rules")]

    operations = [
        migrations.RunSQL(watch(), unwatch()),
        migrations.RunSQL(KIND, "DROP FUNCTION loyalty_keep_segment_kind CASCADE;"),
        *(
            migrations.RunSQL(
                stay_inside(column, target),
                f"DROP TRIGGER {column}_stays_inside ON loyalty_segmentrule;",
            )
            for column, target in INSIDE
        ),
    ]
