"""Uploads that were undone before give their keys back, too."""

from django.db import migrations

FREE = """
UPDATE activities_activity a SET holds_key = NULL
FROM activities_upload u, activities_activityreversal r
WHERE u.status = 'undone' AND a.upload_id = u.id AND r.activity_id = a.id
AND a.holds_key
"""


class Migration(migrations.Migration):
    dependencies = [("activities", "0016_let_undone_uploads_free_keys")]

    operations = [migrations.RunSQL(FREE, migrations.RunSQL.noop)]
