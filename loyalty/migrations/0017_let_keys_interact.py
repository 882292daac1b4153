from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0016_keep_scripts_out_of_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='can_interact',
            field=models.BooleanField(default=False, help_text='Interact with campaigns for members, and nothing else. A key that may write may do so anyway.', verbose_name='may interact'),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='can_interact',
            field=models.BooleanField(default=False),
        ),
    ]
