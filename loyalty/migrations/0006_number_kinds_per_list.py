import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_let_programs_date_credits")]

    operations = [
        migrations.CreateModel(
            name="KindNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "numbering",
                    models.CharField(
                        choices=[
                            ("extended", "Extended lists"),
                            ("plain", "Plain lists"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "number",
                    models.PositiveSmallIntegerField(help_text="Sent as type_id."),
                ),
                (
                    "name",
                    models.CharField(help_text="Sent as type_name.", max_length=40),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="numbers",
                        to="loyalty.kind",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["numbering", "kind"],
                        name="kind_has_one_number_per_numbering",
                        violation_error_message="This kind has a number in this list.",
                    ),
                    models.UniqueConstraint(
                        fields=["numbering", "number"],
                        name="kind_number_once_per_numbering",
                        violation_error_message="Another kind has this number in this "
                        "list.",
                    ),
                ],
            },
        ),
    ]
