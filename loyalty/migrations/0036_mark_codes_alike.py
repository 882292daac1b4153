"""Of codes that differ in case and hyphens only, the oldest is found however typed."""

from django.db import migrations

MARK = """
UPDATE loyalty_voucher v SET is_code_duplicate = true
FROM (SELECT id, row_number() OVER (PARTITION BY program_id, code_key ORDER BY id) AS nth
      FROM loyalty_voucher) d
WHERE d.id = v.id AND d.nth > 1 AND NOT v.is_code_duplicate
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0035_compare_codes_as_typed")]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
