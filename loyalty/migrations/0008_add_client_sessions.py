"""Sessions of client apps, access tokens, and the program's settings for them."""

import django.db.models.deletion
from django.db import migrations, models

COLUMNS = (
    "code, name, time_zone, first_weekday, naive_timestamp_policy,"
    " late_after_hours, acceptance_days, is_enabled, allows_backdating"
)
SETTINGS = "session_hours, default_identifier_type, default_channel, has_closed_channels"


def watch(columns):
    """Return SQL that notes every change of these columns as a new revision."""
    return (
        f"CREATE OR REPLACE TRIGGER program_changed AFTER INSERT OR UPDATE OF {columns}"
        " ON loyalty_program FOR EACH ROW EXECUTE FUNCTION loyalty_program_changed();"
    )


SAME_PROGRAM = """
CREATE TRIGGER member_id_stays_inside BEFORE INSERT OR UPDATE OF member_id, program_id
ON loyalty_clientsession FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_other_program(
'SELECT $1.member_id IS NOT NULL AND (SELECT t.program_id FROM loyalty_member t
 WHERE t.id = $1.member_id) IS DISTINCT FROM $1.program_id');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0007_ship_kind_numbers'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(help_text='SHA-256 of the token.', max_length=32, unique=True)),
                ('can_read', models.BooleanField()),
                ('can_write', models.BooleanField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='The instant is outside.')),
            ],
        ),
        migrations.CreateModel(
            name='ClientSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('correlation_id', models.CharField(help_text="The client's name for the session.", max_length=128)),
                ('identifier_type', models.CharField(blank=True, choices=[('ACCOUNT_ID', 'Account id'), ('LOYALTY_ID', 'Loyalty card'), ('EXTERNAL_ID', 'Customer id'), ('EMAIL', 'E-mail address'), ('PARTNER_LINK_ID', 'Partner link'), ('PHONE_NUMBER', 'Phone number'), ('EXTERNAL_AGENT_ID', 'External agent')], help_text='By what the member was found; empty in an anonymous session.', max_length=20)),
                ('channel', models.CharField(max_length=50)),
                ('opened_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='The instant is outside.')),
            ],
        ),
        migrations.AddField(
            model_name='channel',
            name='needs_review',
            field=models.BooleanField(default=False, help_text='Discovered from a client app; nobody has looked at it yet.'),
        ),
        migrations.AddField(
            model_name='program',
            name='default_channel',
            field=models.CharField(blank=True, default='APP', help_text='Code of the channel of activities in a session that name none. Empty: such activities are refused.', max_length=50),
        ),
        migrations.AddField(
            model_name='program',
            name='default_identifier_type',
            field=models.CharField(choices=[('ACCOUNT_ID', 'Account id'), ('LOYALTY_ID', 'Loyalty card'), ('EXTERNAL_ID', 'Customer id'), ('EMAIL', 'E-mail address'), ('PARTNER_LINK_ID', 'Partner link'), ('PHONE_NUMBER', 'Phone number'), ('EXTERNAL_AGENT_ID', 'External agent')], default='ACCOUNT_ID', help_text='By what a session finds its member if the client app names nothing.', max_length=20),
        ),
        migrations.AddField(
            model_name='program',
            name='has_closed_channels',
            field=models.BooleanField(default=False, help_text='On: activities in a session that name a channel not listed here are refused. Off: the channel is added and marked for review.', verbose_name='closed channels'),
        ),
        migrations.AddField(
            model_name='program',
            name='session_hours',
            field=models.PositiveSmallIntegerField(default=24, help_text="A client app's session ends this long after its last call.", verbose_name='sessions last (hours)'),
        ),
        migrations.AddConstraint(
            model_name='program',
            constraint=models.CheckConstraint(condition=models.Q(('session_hours__gte', 1)), name='program_sessions_last', violation_error_message='A session lasts at least one hour.'),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='api_key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_tokens', to='loyalty.apikey'),
        ),
        migrations.AddField(
            model_name='clientsession',
            name='member',
            field=models.ForeignKey(help_text='Empty: an anonymous session.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='client_sessions', to='loyalty.member'),
        ),
        migrations.AddField(
            model_name='clientsession',
            name='program',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='loyalty.program'),
        ),
        migrations.AddIndex(
            model_name='accesstoken',
            index=models.Index(fields=['expires_at'], name='loyalty_acc_expires_c61a71_idx'),
        ),
        migrations.AddIndex(
            model_name='clientsession',
            index=models.Index(fields=['expires_at'], name='loyalty_cli_expires_352e2e_idx'),
        ),
        migrations.AddConstraint(
            model_name='clientsession',
            constraint=models.UniqueConstraint(fields=('program', 'correlation_id'), name='client_session_once_per_program', violation_error_message='There is a session with this name.'),
        ),
        migrations.AddConstraint(
            model_name='clientsession',
            constraint=models.CheckConstraint(condition=models.Q(('correlation_id', ''), _negated=True), name='client_session_has_a_name', violation_error_message='A session needs a name.'),
        ),
        migrations.RunSQL(watch(f"{COLUMNS}, {SETTINGS}"), watch(COLUMNS)),
        migrations.RunSQL(
            SAME_PROGRAM, "DROP TRIGGER member_id_stays_inside ON loyalty_clientsession;"
        ),
    ]
