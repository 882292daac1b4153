"""Campaigns: offers with an audience, restrictions and a budget."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from campaigns.models.items import ItemList
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.models import ActivityType, Channel, Offer, Segment, Weekday


class Context(models.TextChoices):
    """What sets a campaign off. Fixed once it is created."""

    ACTIVITY = "activity", "Any activity"
    BASKET = "basket", "Activities with line items"


class BudgetPolicy(models.TextChoices):
    """What happens to the award that no longer fits the points budget."""

    CLIP = "clip", "Pay what is left"
    REJECT = "reject", "Pay nothing"


class Campaign(Offer):
    """An offer that marketing makes: who, when, for what, how much, up to where."""

    description = models.TextField(blank=True, help_text="For staff.")
    context = models.CharField(
        max_length=12,
        choices=Context.choices,
        default=Context.ACTIVITY,
        help_text="Cannot be changed later.",
    )
    priority = models.IntegerField(
        default=0, help_text="Higher is decided first, where campaigns must not stack."
    )
    exclusive_group = models.CharField(
        max_length=50,
        blank=True,
        help_text="Of the campaigns with the same word here, one pays per activity. "
        "Empty: stacks with all.",
    )
    channels = models.ManyToManyField(
        Channel, blank=True, help_text="Only activities from these. Empty: any."
    )
    activity_types = models.ManyToManyField(
        ActivityType,
        blank=True,
        related_name="campaigns",
        help_text="Only activities of these types. Empty: any.",
    )
    included_segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="campaigns",
        help_text="Only members of any of these. Empty: everyone.",
    )
    excluded_segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="excluding_campaigns",
        help_text="Members of any of these earn nothing here.",
    )
    item_list = models.ForeignKey(
        ItemList,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Only activities with a product on this list.",
    )
    minimum_value = models.DecimalField(
        max_digits=18, decimal_places=4, null=True, blank=True
    )
    maximum_value = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="An activity of exactly this value still counts.",
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday.choices),
        default=list,
        blank=True,
        help_text="Only on these days, in the program's zone. Empty: every day.",
    )
    opens_at = models.TimeField(
        "from (time of day)", null=True, blank=True, help_text="Program's zone."
    )
    closes_at = models.TimeField(
        "until (time of day)",
        null=True,
        blank=True,
        help_text="Outside from this time on. Before the opening time: runs over "
        "midnight.",
    )
    points_budget = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="All members together never get more than this. Empty: no limit.",
    )
    awards_budget = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="The campaign pays at most so many times. Empty: no limit.",
    )
    budget_policy = models.CharField(
        max_length=8,
        choices=BudgetPolicy.choices,
        default=BudgetPolicy.CLIP,
        help_text="For the award that does not fit the points left.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum_value__isnull=True)
                | Q(maximum_value__isnull=True)
                | Q(maximum_value__gte=F("minimum_value")),
                name="campaign_value_range_is_not_empty",
                violation_error_message="The highest value is below the lowest.",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True, closes_at__isnull=True)
                | Q(opens_at__isnull=False, closes_at__isnull=False),
                name="campaign_hours_come_in_pairs",
                violation_error_message="Give both times of day or none.",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True) | ~Q(opens_at=F("closes_at")),
                name="campaign_hours_are_not_empty",
                violation_error_message="The two times of day are the same.",
            ),
            models.CheckConstraint(
                condition=Q(points_budget__isnull=True) | Q(points_budget__gt=0),
                name="campaign_points_budget_is_positive",
                violation_error_message="A points budget is above zero.",
            ),
            models.CheckConstraint(
                condition=Q(awards_budget__isnull=True) | Q(awards_budget__gt=0),
                name="campaign_awards_budget_is_positive",
                violation_error_message="An awards budget is above zero.",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7]),
                name="campaign_weekdays_are_weekdays",
                violation_error_message="Weekdays are 1 (Monday) to 7 (Sunday).",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the discriminator of the shared table right."""
        self.kind = OfferKind.CAMPAIGN.value
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Refuse a reward on matching items without a list of items."""
        super().clean()
        if (
            self.reward_method == RewardKind.PER_ITEM_VALUE.value
            and self.item_list_id is None
        ):
            raise ValidationError(
                {"item_list": "Points per matching items need a list of items."}
            )


class CampaignUsage(models.Model):
    """What a campaign or quest with a budget has given; locked while it pays."""

    campaign = models.OneToOneField(
        Offer, on_delete=models.CASCADE, primary_key=True, related_name="usage"
    )
    points_paid = models.BigIntegerField(default=0)
    awards_paid = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(points_paid__gte=0, awards_paid__gte=0),
                name="campaign_usage_is_never_negative",
                violation_error_message="A campaign never gives less than nothing.",
            ),
        ]

    def __str__(self) -> str:
        return f"Usage of campaign {self.campaign_id}"
