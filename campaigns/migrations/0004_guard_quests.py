"""Quests are configuration, stay inside their program and keep how they are joined."""

from django.db import migrations

OFFER = "SELECT o.program_id FROM changed c JOIN loyalty_offer o ON o.id = c.{column}"
WATCHED = {
    "campaigns_quest": OFFER.format(column="offer_ptr_id"),
    "campaigns_quest_included_segments": OFFER.format(column="quest_id"),
    "campaigns_quest_excluded_segments": OFFER.format(column="quest_id"),
    "campaigns_questrequirement": OFFER.format(column="quest_id"),
}

# (table, column, table it points to); all of them have quest_id.
INSIDE = [
    ("campaigns_quest_included_segments", "segment_id", "loyalty_segment"),
    ("campaigns_quest_excluded_segments", "segment_id", "loyalty_segment"),
    ("campaigns_questrequirement", "activity_type_id", "loyalty_offer"),
    ("campaigns_questoptin", "member_id", "loyalty_member"),
]

OPT_IN_MODE = """
CREATE FUNCTION campaigns_keep_opt_in_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM campaigns_questoptin WHERE quest_id = NEW.offer_ptr_id) THEN
        RAISE EXCEPTION 'How members take part is fixed once somebody does.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quest_opt_in_mode_is_fixed BEFORE UPDATE OF opt_in_mode ON campaigns_quest
    FOR EACH ROW WHEN (OLD.opt_in_mode IS DISTINCT FROM NEW.opt_in_mode)
    EXECUTE FUNCTION campaigns_keep_opt_in_mode();
"""


def watch(table, query):
    """Return SQL that notes every change of ``table`` as a new revision."""
    return "\n".join(
        f"CREATE TRIGGER configuration_{event.lower()} AFTER {event} ON {table}"
        f" REFERENCING {side} TABLE AS changed FOR EACH STATEMENT"
        f" EXECUTE FUNCTION loyalty_configuration_changed('{query}', 'quest');"
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


def unwatch(table):
    """Return SQL that drops what ``watch`` made."""
    return "\n".join(
        f"DROP TRIGGER IF EXISTS configuration_{event} ON {table};"
        for event in ("insert", "update", "delete")
    )


def stay_inside(table, column, target):
    """Return SQL that refuses a ``column`` that points into another program."""
    query = (
        f"SELECT (SELECT t.program_id FROM {target} t WHERE t.id = $1.{column})"
        " IS DISTINCT FROM (SELECT o.program_id FROM loyalty_offer o"
        " WHERE o.id = $1.quest_id)"
    )
    return (
        f"CREATE TRIGGER {column}_stays_inside BEFORE INSERT OR UPDATE OF {column}"
        f" ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION loyalty_refuse_other_program('{query}');"
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_add_quests")]

    operations = [
        *(
            migrations.RunSQL(watch(table, query), unwatch(table))
            for table, query in WATCHED.items()
        ),
        *(
            migrations.RunSQL(
                stay_inside(*rule), f"DROP TRIGGER {rule[1]}_stays_inside ON {rule[0]};"
            )
            for rule in INSIDE
        ),
        migrations.RunSQL(
            OPT_IN_MODE, "DROP FUNCTION campaigns_keep_opt_in_mode CASCADE;"
        ),
    ]
