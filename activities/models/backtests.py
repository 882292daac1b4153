"""Backtests: campaigns tried out on what members really did."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from loyalty.models import Program


class BacktestStatus(models.TextChoices):
    """The steps of a backtest, in order."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


class BacktestDates(models.TextChoices):
    """Which dates of the campaigns under test count."""

    PERIOD = "period", "As if they had run all of the period"
    OWN = "own", "Their own dates, as they stand now"


class Backtest(models.Model):
    """One replay of stored activities under the configuration as it stands now.

    The campaigns under test count as enabled. Without any, the current configuration
    is tried as it is. ``partial`` holds what the chunks of members that are done add
    up to, ``result`` what people are shown in the end; see
    ``activities.services.backtesting.results`` for its shape.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    campaigns = models.ManyToManyField(
        Campaign,
        blank=True,
        related_name="backtests",
        verbose_name="campaigns under test",
    )
    starts_at = models.DateTimeField("from", help_text="Inside the period.")
    ends_at = models.DateTimeField("until", help_text="Outside the period.")
    dates = models.CharField(
        "dates of the campaigns",
        max_length=8,
        choices=BacktestDates.choices,
        default=BacktestDates.PERIOD,
    )
    cost_per_point = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="What one point costs the business, in money.",
    )
    status = models.CharField(
        max_length=10, choices=BacktestStatus.choices, default=BacktestStatus.QUEUED
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    actor = models.CharField(
        "by", max_length=150, blank=True, help_text="Who asked for it."
    )
    created_at = models.DateTimeField("asked for")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker last made progress."
    )
    swept_at = models.DateTimeField(
        null=True, editable=False, help_text="When its work was last queued again."
    )
    # Who may go on: a worker that finds another number here stops.
    attempt = models.PositiveIntegerField(default=0, editable=False)
    # How often it was begun since it last got on.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # The configuration that it tries; another one makes it start anew.
    revision = models.BigIntegerField(null=True, blank=True)
    plan = models.JSONField(
        default=list, blank=True, help_text="Ranges of members, by number."
    )
    chunks_done = models.PositiveIntegerField(default=0)
    activity_count = models.BigIntegerField("activities", default=0)
    done_count = models.BigIntegerField(default=0)
    partial = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["program", "id"]),
            models.Index(
                fields=["touched_at"],
                condition=Q(status__in=["queued", "running"]),
                name="backtest_under_way",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="backtest_ends_after_it_starts",
                violation_error_message="The period ends after it starts.",
            ),
            models.CheckConstraint(
                condition=Q(cost_per_point__isnull=True) | Q(cost_per_point__gte=0),
                name="backtest_point_costs_nothing_or_more",
                violation_error_message="A point costs nothing or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"Backtest {self.pk}"
