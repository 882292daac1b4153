"""The log of merges, and what anonymous activities earned through them."""

import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE TRIGGER merge_is_append_only BEFORE UPDATE OR DELETE ON activities_profilemerge
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
CREATE TRIGGER late_decision_is_append_only
    BEFORE UPDATE OR DELETE ON activities_latedecision
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
"""
UNGUARD = """
DROP TRIGGER merge_is_append_only ON activities_profilemerge;
DROP TRIGGER late_decision_is_append_only ON activities_latedecision;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('activities', '0003_word_broken_rules'),
        ('loyalty', '0013_remember_who_was_anonymous'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProfileMerge',
            fields=[
                ('profile', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='merge', serialize=False, to='loyalty.anonymousprofile')),
                ('source', models.CharField(help_text='The surface that told who it is.', max_length=20)),
                ('points_policy', models.CharField(choices=[('off', 'Nothing'), ('window', 'What happened in the last hours'), ('all', 'Everything')], help_text="What the program's rule was.", max_length=8, verbose_name='earlier activities earn')),
                ('activity_count', models.PositiveIntegerField(help_text="Earlier activities that became the member's.", verbose_name='activities')),
                ('created_at', models.DateTimeField()),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='profile_merges', to='loyalty.member')),
            ],
        ),
        migrations.CreateModel(
            name='LateDecision',
            fields=[
                ('activity', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='late_decision', serialize=False, to='activities.activity')),
                ('decision', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField()),
                ('merge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='activities.profilemerge')),
            ],
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
