"""Interactions and draws are written once, inside their program."""

from django.db import migrations

GUARD = """
CREATE TRIGGER interaction_is_append_only
    BEFORE UPDATE OR DELETE ON activities_interaction
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
CREATE TRIGGER draw_is_append_only BEFORE UPDATE OR DELETE ON activities_draw
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
"""
UNGUARD = """
DROP TRIGGER interaction_is_append_only ON activities_interaction;
DROP TRIGGER draw_is_append_only ON activities_draw;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0008_add_interactions"),
        ("loyalty", "0003_guard_with_triggers"),
    ]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
