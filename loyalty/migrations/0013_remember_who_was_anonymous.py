"""Programs say what merging brings; a profile becomes a member's once."""

from django.db import migrations, models

COLUMNS = (
    "code, name, time_zone, first_weekday, naive_timestamp_policy,"
    " late_after_hours, acceptance_days, is_enabled, allows_backdating,"
    " session_hours, default_identifier_type, default_channel, has_closed_channels"
)
SETTINGS = "primary_identity, moves_anonymous_history, retro_points, retro_hours"


def watch(columns):
    """Return SQL that notes every change of these columns as a new revision."""
    return (
        f"CREATE OR REPLACE TRIGGER program_changed AFTER INSERT OR UPDATE OF {columns}"
        " ON loyalty_program FOR EACH ROW EXECUTE FUNCTION loyalty_program_changed();"
    )


GUARD = """
CREATE FUNCTION loyalty_keep_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A profile that was merged into a member stays that member''s.'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER profile_is_merged_once BEFORE UPDATE OF merged_into_id
    ON loyalty_anonymousprofile FOR EACH ROW
    WHEN (OLD.merged_into_id IS NOT NULL
          AND OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id)
    EXECUTE FUNCTION loyalty_keep_merged();
-- At the commit: a member may be enrolled after the profile that becomes its own.
CREATE CONSTRAINT TRIGGER profile_stays_inside AFTER INSERT OR UPDATE
    OF merged_into_id, program_id ON loyalty_anonymousprofile
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION loyalty_refuse_other_program(
'SELECT (SELECT t.program_id FROM loyalty_member t
 WHERE t.id = $1.merged_into_id) IS DISTINCT FROM $1.program_id');
"""
UNGUARD = """
DROP TRIGGER profile_stays_inside ON loyalty_anonymousprofile;
DROP FUNCTION loyalty_keep_merged CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0012_guard_segment_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='program',
            name='moves_anonymous_history',
            field=models.BooleanField(default=True, help_text="When an anonymous person becomes known, what they did before becomes the member's.", verbose_name='earlier activities move along'),
        ),
        migrations.AddField(
            model_name='program',
            name='primary_identity',
            field=models.CharField(default='customer_id', help_text='Kind of the identities that Netcore clients send, e.g. email.', max_length=40),
        ),
        migrations.AddField(
            model_name='program',
            name='retro_hours',
            field=models.PositiveSmallIntegerField(default=24, help_text='For “What happened in the last hours”.', verbose_name='how far back (hours)'),
        ),
        migrations.AddField(
            model_name='program',
            name='retro_points',
            field=models.CharField(choices=[('off', 'Nothing'), ('window', 'What happened in the last hours'), ('all', 'Everything')], default='off', help_text='Whether what people did before they were known earns points once they are. Only what moves along can.', max_length=8, verbose_name='earlier activities earn'),
        ),
        migrations.AddConstraint(
            model_name='program',
            constraint=models.CheckConstraint(condition=models.Q(('primary_identity', ''), _negated=True), name='program_has_a_primary_identity', violation_error_message='Name the kind of identity.'),
        ),
        migrations.RunSQL(watch(f"{COLUMNS}, {SETTINGS}"), watch(COLUMNS)),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
