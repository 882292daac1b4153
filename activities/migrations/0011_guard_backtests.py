"""A backtest tries campaigns of its own program."""

from django.db import migrations

GUARD = """
CREATE TRIGGER campaign_stays_inside BEFORE INSERT OR UPDATE
ON activities_backtest_campaigns FOR EACH ROW
EXECUTE FUNCTION loyalty_refuse_other_program(
    'SELECT (SELECT b.program_id FROM activities_backtest b WHERE b.id = $1.backtest_id)
     IS DISTINCT FROM
     (SELECT o.program_id FROM loyalty_offer o WHERE o.id = $1.campaign_id)'
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0010_add_backtests"),
        ("loyalty", "0003_guard_with_triggers"),
    ]

    operations = [
        migrations.RunSQL(
            GUARD,
            "DROP TRIGGER campaign_stays_inside ON activities_backtest_campaigns;",
        )
    ]
