from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activities', '0018_count_attempts_of_jobs'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='is_return',
            field=models.BooleanField(db_default=False, default=False, help_text='Brings back what was bought: earns nothing, counts for nothing.'),
        ),
    ]
