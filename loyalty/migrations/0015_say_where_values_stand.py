"""Activity types may say where Netcore activities carry their value."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0014_remember_when_members_change'),
    ]

    operations = [
        migrations.AddField(
            model_name='activitytype',
            name='value_param',
            field=models.CharField(blank=True, help_text="Name in activity_params whose number is the activity's value, for example total_amount. Empty: Netcore activities have none.", max_length=100, verbose_name='value in Netcore activities'),
        ),
        migrations.AlterField(
            model_name='activitytype',
            name='needs_review',
            field=models.BooleanField(default=False, help_text='Found out from an upload or a client app. It pays nothing until you give it a reward; then take this mark off.'),
        ),
    ]
