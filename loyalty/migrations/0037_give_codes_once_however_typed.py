from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0036_mark_codes_alike'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.UniqueConstraint(condition=models.Q(('is_code_duplicate', False)), fields=('program', 'code_key'), name='voucher_code_once_however_typed', violation_error_message='This program has a voucher with this code.'),
        ),
    ]
