"""What the database itself guarantees: revisions, program accounts, immutability."""

from django.db import migrations

FUNCTIONS = """
CREATE SEQUENCE loyalty_configuration_revision_seq;

-- Notes one change of a program's configuration. Numbers come from a sequence, so
-- a number that was rolled back is never used again for another configuration.
-- The lock makes the change wait for recordings under way: 7301 is
-- campaigns.services.programme.CONFIGURATION_LOCK.
CREATE FUNCTION loyalty_revise(program bigint, kind text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    next_number bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7301, program::int);
    next_number := nextval('loyalty_configuration_revision_seq');
    UPDATE loyalty_program SET configuration_revision = next_number
    WHERE id = program;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO loyalty_configurationrevision AS r
        (program_id, number, transaction, changed, actor, created_at)
    VALUES (program, next_number, pg_current_xact_id()::text::bigint,
            jsonb_build_array(kind),
            coalesce(current_setting('loyalty.actor', true), ''),
            clock_timestamp())
    ON CONFLICT (program_id, transaction) DO UPDATE
    SET number = excluded.number,
        changed = CASE WHEN r.changed @> excluded.changed THEN r.changed
                       ELSE r.changed || excluded.changed END;
END $$;

-- Statement trigger. Arguments: the query for the programs of the rows in the
-- transition table "changed", and the kind of row for people.
CREATE FUNCTION loyalty_configuration_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    program bigint;
BEGIN
    FOR program IN EXECUTE
        'SELECT DISTINCT program_id FROM (' || TG_ARGV[0] || ') s'
        ' WHERE program_id IS NOT NULL ORDER BY program_id'
    LOOP
        PERFORM loyalty_revise(program, TG_ARGV[1]);
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION loyalty_program_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loyalty_revise(NEW.id, 'program');
    RETURN NULL;
END $$;

CREATE TRIGGER program_changed AFTER INSERT OR UPDATE OF
    code, name, time_zone, first_weekday, naive_timestamp_policy,
    late_after_hours, acceptance_days, is_enabled
ON loyalty_program FOR EACH ROW EXECUTE FUNCTION loyalty_program_changed();

-- Row trigger. Argument: a query on the new row ($1) that is true if it reaches
-- into another program.
CREATE FUNCTION loyalty_refuse_other_program() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    reaches_over boolean;
BEGIN
    EXECUTE TG_ARGV[0] INTO reaches_over USING NEW;
    IF reaches_over THEN
        RAISE EXCEPTION 'A row of % refers to another program.', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- The program's side of every wallet and business unit.
CREATE FUNCTION loyalty_open_program_accounts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty_account (program_id, kind, wallet_id, business_unit_id,
                                 balance, pending, lifetime_earned, owed)
    SELECT w.program_id, k.kind, w.id, u.id, 0, 0, 0, 0
    FROM loyalty_wallet w
    CROSS JOIN (VALUES ('issued'), ('redeemed'), ('expired'), ('adjusted')) k(kind)
    CROSS JOIN (SELECT id FROM loyalty_businessunit
                WHERE program_id = NEW.program_id UNION ALL SELECT NULL) u
    WHERE w.program_id = NEW.program_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER wallet_opens_accounts AFTER INSERT ON loyalty_wallet
    FOR EACH ROW EXECUTE FUNCTION loyalty_open_program_accounts();
CREATE TRIGGER business_unit_opens_accounts AFTER INSERT ON loyalty_businessunit
    FOR EACH ROW EXECUTE FUNCTION loyalty_open_program_accounts();

CREATE FUNCTION loyalty_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: a mistake is reversed, never edited.',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON loyalty_entry
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
CREATE TRIGGER consumption_is_append_only
    BEFORE UPDATE OR DELETE ON loyalty_lotconsumption
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();

CREATE FUNCTION loyalty_keep_wallet_decimals() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
               WHERE a.wallet_id = NEW.id) THEN
        RAISE EXCEPTION 'The decimals of a wallet are fixed once points were given.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER wallet_decimals_are_fixed BEFORE UPDATE OF decimals ON loyalty_wallet
    FOR EACH ROW WHEN (OLD.decimals IS DISTINCT FROM NEW.decimals)
    EXECUTE FUNCTION loyalty_keep_wallet_decimals();
"""

UNDO_FUNCTIONS = """
DROP FUNCTION loyalty_keep_wallet_decimals CASCADE;
DROP FUNCTION loyalty_refuse_change CASCADE;
DROP FUNCTION loyalty_open_program_accounts CASCADE;
DROP FUNCTION loyalty_refuse_other_program CASCADE;
DROP FUNCTION loyalty_program_changed CASCADE;
DROP FUNCTION loyalty_configuration_changed CASCADE;
DROP FUNCTION loyalty_revise CASCADE;
DROP SEQUENCE loyalty_configuration_revision_seq;
"""

OWN_PROGRAM = "SELECT program_id FROM changed"
WATCHED = {
    "loyalty_businessunit": ("business unit", OWN_PROGRAM),
    "loyalty_partner": ("partner", OWN_PROGRAM),
    "loyalty_tag": ("tag", OWN_PROGRAM),
    "loyalty_channel": ("channel", OWN_PROGRAM),
    "loyalty_tier": ("tier", OWN_PROGRAM),
    "loyalty_segment": ("segment", OWN_PROGRAM),
    "loyalty_wallet": ("wallet", OWN_PROGRAM),
    "loyalty_offer": ("offer", OWN_PROGRAM),
    "loyalty_activitytype": (
        "activity type",
        "SELECT o.program_id FROM changed c JOIN loyalty_offer o"
        " ON o.id = c.offer_ptr_id",
    ),
    "loyalty_activitytype_tags": (
        "activity type",
        "SELECT o.program_id FROM changed c JOIN loyalty_offer o"
        " ON o.id = c.activitytype_id",
    ),
    "loyalty_frequencyperiod": (
        "frequency period",
        "SELECT id AS program_id FROM loyalty_program",
    ),
}

SAME_PROGRAM = {
    "loyalty_offer": [
        ("wallet_id", "loyalty_wallet"),
        ("business_unit_id", "loyalty_businessunit"),
        ("minimum_tier_id", "loyalty_tier"),
    ],
    "loyalty_member": [("business_unit_id", "loyalty_businessunit")],
}


def watch(table, kind, query):
    """Return SQL that notes every change of ``table`` as a new revision."""
    statements = []
    for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        statements.append(
            f"CREATE TRIGGER configuration_{event.lower()} AFTER {event} ON {table}"
            f" REFERENCING {side} TABLE AS changed FOR EACH STATEMENT"
            f" EXECUTE FUNCTION loyalty_configuration_changed('{query}', '{kind}');"
        )
    return "\n".join(statements)


def unwatch(table):
    """Return SQL that drops what ``watch`` made."""
    return "\n".join(
        f"DROP TRIGGER IF EXISTS configuration_{event} ON {table};"
        for event in ("insert", "update", "delete")
    )


def stay_inside(table, column, target):
    """Return SQL that refuses a ``column`` that points into another program."""
    query = (
        f"SELECT $1.{column} IS NOT NULL AND (SELECT t.program_id FROM {target} t"
        f" WHERE t.id = $1.{column}) IS DISTINCT FROM $1.program_id"
    )
    return (
        f"CREATE TRIGGER {column}_stays_inside BEFORE INSERT OR UPDATE OF {column},"
        f" program_id ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION loyalty_refuse_other_program('{query}');"
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_ship_vocabularies")]

    operations = [
        migrations.RunSQL(FUNCTIONS, UNDO_FUNCTIONS),
        *(
            migrations.RunSQL(watch(table, kind, query), unwatch(table))
            for table, (kind, query) in WATCHED.items()
        ),
        *(
            migrations.RunSQL(
                stay_inside(table, column, target),
                f"DROP TRIGGER {column}_stays_inside ON {table};",
            )
            for table, columns in SAME_PROGRAM.items()
            for column, target in columns
        ),
    ]
