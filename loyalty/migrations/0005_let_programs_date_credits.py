from django.db import migrations, models

WATCHED = (
    "code, name, time_zone, first_weekday, naive_timestamp_policy,"
    " late_after_hours, acceptance_days, is_enabled"
)


def watch(columns):
    """Return SQL that notes changes of these columns as a new revision."""
    return (
        "CREATE OR REPLACE TRIGGER program_changed AFTER INSERT OR UPDATE OF"
        f" {columns} ON loyalty_program"
        " FOR EACH ROW EXECUTE FUNCTION loyalty_program_changed();"
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_index_entries_by_posting")]

    operations = [
        migrations.AddField(
            model_name="program",
            name="allows_backdating",
            field=models.BooleanField(
                default=False,
                help_text="Clients of the CrowdTwist contract may say when a credited "
                "activity happened. Off: credits with a date are refused.",
                verbose_name="credits may be dated",
            ),
        ),
        migrations.RunSQL(watch(f"{WATCHED}, allows_backdating"), watch(WATCHED)),
    ]
