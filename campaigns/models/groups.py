"""Groups: campaigns that run together, and products that a basket must hold."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from campaigns.models.items import ItemList
from loyalty.models import Program


class CampaignGroup(models.Model):
    """Campaigns that belong together; its dates narrow theirs."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(max_length=100, help_text="For staff.")
    description = models.TextField(blank=True)
    starts_at = models.DateTimeField(
        "start",
        null=True,
        blank=True,
        help_text="No campaign of the group pays before. Empty: no start.",
    )
    ends_at = models.DateTimeField(
        "end",
        null=True,
        blank=True,
        help_text="The first instant at which no campaign of the group pays any "
        "more. Empty: no end.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="campaign_group_name_once_per_program",
                violation_error_message="This program has a group with this name.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="campaign_group_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def status_at(self, moment: datetime) -> str:
        """Return scheduled, active or completed, by its dates."""
        if self.starts_at is not None and moment < self.starts_at:
            return "scheduled"
        if self.ends_at is not None and moment >= self.ends_at:
            return "completed"
        return "active"


class AssignedGroupKind(models.TextChoices):
    """What a group of products is for."""

    QUALIFY = "qualify", "To qualify: the basket must hold them"
    REDEEM = "redeem", "To reward: a reward method pays for them"


class AssignedGroup(models.Model):
    """Products of a list, or all others, and how many of them a basket must hold."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(max_length=255, help_text="For staff.")
    kind = models.CharField(
        "used", max_length=8, choices=AssignedGroupKind.choices, help_text="Fixed."
    )
    item_list = models.ForeignKey(
        ItemList,
        on_delete=models.PROTECT,
        verbose_name="product list",
        related_name="assigned_groups",
    )
    excludes_matches = models.BooleanField(
        "all others",
        default=False,
        help_text="Counts the products that are not on the list.",
    )
    required_matches = models.PositiveIntegerField(
        "at least",
        default=0,
        help_text="How many matching products the basket must hold, by quantity; what "
        "came back in the same basket is taken off. Goods by weight count once each "
        "line.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="assigned_group_name_once_per_program",
                violation_error_message="This program has a group with this name.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=AssignedGroupKind.QUALIFY.value)
                | Q(required_matches__gte=1),
                name="qualifying_group_requires_a_match",
                violation_error_message="To qualify, a basket must hold one product "
                "at least.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse another use than the group was made for."""
        super().clean()
        stored = AssignedGroup.objects.filter(pk=self.pk).values_list("kind", flat=True)
        if stored and stored[0] != self.kind:
            raise ValidationError({"kind": "What a group is used for is fixed."})
