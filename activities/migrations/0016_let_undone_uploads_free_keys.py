"""The key of an activity may be given back once the activity is undone."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION activities_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.member_id IS NULL THEN
            OLD.member_id := NEW.member_id;
        END IF;
        IF OLD.holds_key AND NEW.holds_key IS NULL AND EXISTS (
            SELECT 1 FROM activities_activityreversal r WHERE r.activity_id = OLD.id
        ) THEN
            OLD.holds_key := NULL;
        END IF;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: an activity is reversed, never edited.',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

BEFORE = """
CREATE OR REPLACE FUNCTION activities_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.member_id IS NULL THEN
        OLD.member_id := NEW.member_id;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: an activity is reversed, never edited.',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("activities", "0015_share_keys_of_receipts")]

    operations = [migrations.RunSQL(GUARD, BEFORE)]
