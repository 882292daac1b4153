import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("loyalty", "0026_say_what_returns_do")]

    operations = [
        migrations.AlterField(
            model_name="tier",
            name="threshold",
            field=models.DecimalField(
                decimal_places=4,
                help_text="Number of points earned from which a member holds this tier, "
                "over all wallets that count for it. Spending points never lowers the "
                "score.",
                max_digits=20,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="membertier",
            name="score",
            field=models.DecimalField(
                decimal_places=4,
                help_text="The score that decided it, in points.",
                max_digits=24,
            ),
        ),
        migrations.AddConstraint(
            model_name="tier",
            constraint=models.CheckConstraint(
                condition=models.Q(("threshold__gte", 0)),
                name="tier_threshold_is_not_negative",
                violation_error_message="A threshold must not be negative.",
            ),
        ),
    ]
