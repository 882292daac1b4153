"""Interactions of members with campaigns, and the draws that decided who won what."""

from django.db import models
from django.db.models import Q

from campaigns.models import Campaign, RewardMethod
from loyalty.models import Member, Program


class Interaction(models.Model):
    """One member's interaction with one campaign, and why it gave what it gave.

    Written once and never changed. It is numbered like an activity: entries,
    completions, vouchers and draws name either in ``activity_id``.
    """

    id = models.BigIntegerField(primary_key=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="interactions"
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="interactions"
    )
    source = models.CharField(
        max_length=20, help_text="The surface it came through, for example api."
    )
    key = models.CharField(
        max_length=255,
        blank=True,
        help_text="The caller's name for it; once per source. Empty: none was given.",
    )
    mode = models.CharField(
        max_length=12, blank=True, help_text="How the caller made itself known."
    )
    actor = models.CharField(max_length=150, blank=True)
    occurred_at = models.DateTimeField()
    decision = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["member", "occurred_at", "id"]),
            models.Index(fields=["campaign", "id"]),
            models.Index(fields=["program", "id"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "source", "key"],
                condition=~Q(key=""),
                name="interaction_key_once_per_source",
                violation_error_message="There is an interaction with this key.",
            ),
        ]

    def __str__(self) -> str:
        return f"Interaction {self.pk}"


class Draw(models.Model):
    """One draw, kept so that anybody can draw it again.

    ``activity_id`` is the number of the activity or interaction that set it off.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="draws"
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="draws")
    activity_id = models.BigIntegerField()
    seed = models.CharField(max_length=32, help_text="Random, hexadecimal.")
    candidates = models.JSONField(
        help_text="Pairs of a reward method and its weight, by number."
    )
    ticket = models.BigIntegerField()
    winner = models.ForeignKey(
        RewardMethod, on_delete=models.PROTECT, related_name="wins"
    )
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["activity_id", "campaign"],
                name="campaign_draws_once_per_activity",
            ),
            models.CheckConstraint(
                condition=Q(ticket__gte=0),
                name="draw_ticket_is_on_the_line",
                violation_error_message="A ticket is zero or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"Draw of campaign {self.campaign_id} for activity {self.activity_id}"
