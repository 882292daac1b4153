"""Offers may be quests; only activity types need a code."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0008_add_client_sessions")]

    operations = [
        migrations.AlterField(
            model_name="offer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("activity_type", "activity_type"),
                    ("campaign", "campaign"),
                    ("quest", "quest"),
                ],
                editable=False,
                max_length=16,
            ),
        ),
        migrations.RemoveConstraint("offer", "activity_type_has_a_code"),
        migrations.RemoveConstraint("offer", "activity_type_pays_fixed_or_per_value"),
        migrations.AddConstraint(
            "offer",
            models.CheckConstraint(
                condition=~Q(kind="activity_type") | ~Q(code=""),
                name="activity_type_has_a_code",
                violation_error_message="An activity type needs a code.",
            ),
        ),
        migrations.AddConstraint(
            "offer",
            models.CheckConstraint(
                condition=~Q(kind="activity_type")
                | Q(reward_method__in=["nothing", "fixed", "per_value"]),
                name="activity_type_pays_fixed_or_per_value",
                violation_error_message="An activity type pays a fixed number of "
                "points, points per unit of value, or nothing.",
            ),
        ),
    ]
