"""Number API keys by their prefix: the old number held the hash of the secret.

It stood in the addresses of admin pages, and so in logs and browser histories.
"""

from django.db import migrations

FORWARDS = """
    UPDATE django_admin_log l SET object_id = k.prefix
    FROM loyalty_apikey k, django_content_type t
    WHERE l.object_id = k.id AND l.content_type_id = t.id
      AND t.app_label = 'loyalty' AND t.model = 'apikey';
    UPDATE loyalty_accesstoken t SET api_key_id = k.prefix
    FROM loyalty_apikey k WHERE t.api_key_id = k.id;
    UPDATE loyalty_apikey_business_units u SET apikey_id = k.prefix
    FROM loyalty_apikey k WHERE u.apikey_id = k.id;
    UPDATE loyalty_apikey SET id = prefix;
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("loyalty", "0023_bind_staff_to_programs"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
