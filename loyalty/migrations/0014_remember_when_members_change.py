"""Members bear the moment at which what is known of them was last changed."""

from django.db import migrations, models

GUARD = """
CREATE FUNCTION loyalty_note_member_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER member_change_is_noted
    BEFORE UPDATE OF attributes, is_blocked, business_unit_id ON loyalty_member
    FOR EACH ROW
    WHEN ((OLD.attributes, OLD.is_blocked, OLD.business_unit_id)
          IS DISTINCT FROM (NEW.attributes, NEW.is_blocked, NEW.business_unit_id))
    EXECUTE FUNCTION loyalty_note_member_change();
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0013_remember_who_was_anonymous")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="updated_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When what is known of the member was last changed; the "
                "database keeps it.",
                null=True,
            ),
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION loyalty_note_member_change CASCADE;"),
    ]
