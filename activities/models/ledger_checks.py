"""What the nightly check of the ledger found."""

from django.db import models
from django.db.models import Q


class LedgerCheck(models.Model):
    """One run of ``check_ledger``: every law, over every program.

    Without ``finished_at`` it still runs, or its worker died.
    """

    started_at = models.DateTimeField("started")
    finished_at = models.DateTimeField("finished", null=True)
    mismatch_count = models.PositiveIntegerField(
        "mismatches", default=0, help_text="How many sums do not add up."
    )
    mismatches = models.JSONField(
        default=list, help_text="The first hundred: law, where, stored, expected."
    )

    class Meta:
        verbose_name = "ledger check"
        indexes = [models.Index(fields=["-started_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None)
                | Q(finished_at__gte=models.F("started_at")),
                name="ledger_check_ends_after_it_started",
                violation_error_message="A check ends after it started.",
            ),
        ]

    def __str__(self) -> str:
        return f"Check of {self.started_at:%Y-%m-%d %H:%M} UTC"
