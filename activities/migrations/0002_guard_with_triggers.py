"""Activities are written once; an anonymous one may find its member."""

from django.db import migrations

GUARD = """
CREATE FUNCTION activities_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER activity_is_append_only BEFORE UPDATE OR DELETE ON activities_activity
    FOR EACH ROW EXECUTE FUNCTION activities_refuse_change();
CREATE TRIGGER reversal_is_append_only
    BEFORE UPDATE OR DELETE ON activities_activityreversal
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0001_initial"),
        ("loyalty", "0003_guard_with_triggers"),
    ]

    operations = [
        migrations.RunSQL(GUARD, "DROP FUNCTION activities_refuse_change CASCADE;"),
    ]
