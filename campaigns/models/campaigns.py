"""Campaigns: offers with an audience, restrictions and a budget."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from campaigns.models.groups import AssignedGroup, AssignedGroupKind, CampaignGroup
from campaigns.models.items import ItemList
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    Completion,
    Entry,
    EntryKind,
    Offer,
    Segment,
    Wallet,
    Weekday,
)


class Context(models.TextChoices):
    """What sets a campaign off. Fixed once it is created."""

    ACTIVITY = "activity", "Any activity"
    BASKET = "basket", "Activities with line items"
    INTERACTION = "interaction", "Members interact with it, for example a scratch card"
    INTERNAL = "internal", "Nothing: other systems refer to it"


class Handling(models.TextChoices):
    """What becomes of a campaign's reward methods."""

    INDEPENDENT = "independent", "Every one that applies is given"
    RANDOM_DRAW = "random_draw", "One of those that apply is drawn"


def new_salt() -> str:
    """Return what keeps the held-out members of campaigns apart from each other."""
    return secrets.token_hex(8)


class BudgetPolicy(models.TextChoices):
    """What happens to the award that no longer fits the points budget."""

    CLIP = "clip", "Pay what is left"
    REJECT = "reject", "Pay nothing"


# Contexts without an activity, and rewards that are reckoned from one.
BASKETLESS = frozenset({Context.INTERACTION.value, Context.INTERNAL.value})
PER_ACTIVITY = frozenset(
    {
        RewardKind.PER_VALUE.value,
        RewardKind.PER_ITEM_VALUE.value,
        RewardKind.MULTIPLIER.value,
    }
)


class Campaign(Offer):
    """An offer that marketing makes: who, when, for what, how much, up to where."""

    description = models.TextField(blank=True, help_text="For staff.")
    context = models.CharField(
        max_length=12,
        choices=Context.choices,
        default=Context.ACTIVITY,
        help_text="Cannot be changed later.",
    )
    owner_code = models.CharField(
        max_length=100, blank=True, help_text="The retailer's own code for it."
    )
    group = models.ForeignKey(
        CampaignGroup,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        help_text="Campaigns that run together. Outside the group's dates this one "
        "pays nothing.",
    )
    handling = models.CharField(
        "of the reward methods",
        max_length=12,
        choices=Handling.choices,
        default=Handling.INDEPENDENT,
    )
    point_cost = models.DecimalField(
        "price in points",
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="What a member pays for one interaction. Empty: nothing, or what "
        "the reward methods ask.",
    )
    point_cost_wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="paid from",
    )
    holdout_percent = models.DecimalField(
        "held out",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Percent of the members who get nothing here, chosen by chance once "
        "and for all, so that the effect can be measured. Empty: nobody.",
    )
    holdout_salt = models.CharField(max_length=32, default=new_salt, editable=False)
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
    qualify_groups = models.ManyToManyField(
        AssignedGroup,
        blank=True,
        related_name="qualifying_campaigns",
        limit_choices_to={"kind": AssignedGroupKind.QUALIFY.value},
        verbose_name="basket must hold",
        help_text="Each of these groups of products must be in the basket.",
    )
    business_units = models.ManyToManyField(
        BusinessUnit,
        blank=True,
        related_name="campaigns_here",
        verbose_name="only at",
        help_text="Only activities of any of these units, or of none. Empty: every "
        "unit.",
    )
    currencies = ArrayField(
        models.CharField(max_length=3),
        default=list,
        blank=True,
        help_text="ISO codes, for example EUR; only activities in these. Empty: any.",
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
            models.CheckConstraint(
                condition=Q(point_cost__isnull=True, point_cost_wallet__isnull=True)
                | Q(
                    point_cost__isnull=False,
                    point_cost__gt=0,
                    point_cost_wallet__isnull=False,
                ),
                name="campaign_price_names_its_wallet",
                violation_error_message="A price above zero and the wallet it is "
                "paid from go together.",
            ),
            models.CheckConstraint(
                condition=Q(point_cost__isnull=True)
                | Q(context=Context.INTERACTION.value),
                name="campaign_price_is_for_interactions",
                violation_error_message="Only members who interact pay a price: choose "
                "that context, or leave the price empty.",
            ),
            models.CheckConstraint(
                condition=Q(context__in=[Context.ACTIVITY.value, Context.BASKET.value])
                | Q(
                    minimum_value__isnull=True,
                    maximum_value__isnull=True,
                    item_list__isnull=True,
                    currencies=[],
                ),
                name="campaign_without_a_basket_asks_for_none",
                violation_error_message="Values, products and currencies belong to "
                "activities; this context has none.",
            ),
            models.CheckConstraint(
                condition=~Q(context=Context.INTERNAL.value)
                | Q(
                    weekdays=[],
                    opens_at__isnull=True,
                    points_budget__isnull=True,
                    awards_budget__isnull=True,
                ),
                name="internal_campaign_has_no_restrictions",
                violation_error_message="A campaign that nothing sets off takes no "
                "restrictions.",
            ),
            models.CheckConstraint(
                condition=Q(holdout_percent__isnull=True)
                | Q(holdout_percent__gt=0, holdout_percent__lt=100),
                name="campaign_holds_out_a_part",
                violation_error_message="Hold out more than 0 and less than 100 "
                "percent of the members.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the discriminator of the shared table right."""
        self.kind = OfferKind.CAMPAIGN.value
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Refuse a holdout that measures nothing; see ``services.composing`` too."""
        super().clean()
        self._refuse_unmeasurable_holdout()

    def _refuse_unmeasurable_holdout(self) -> None:
        """Refuse a holdout without a start, or changed after something was given."""
        if self.holdout_percent is not None and self.starts_at is None:
            raise ValidationError(
                {
                    "starts_at": "A campaign that holds members out needs a start: its "
                    "effect is measured from there."
                }
            )
        stored = Campaign.objects.filter(pk=self.pk).values_list(
            "holdout_percent", flat=True
        )
        if stored and stored[0] != self.holdout_percent and self._has_given():
            raise ValidationError(
                {
                    "holdout_percent": "This campaign has given something already, so "
                    "whom it holds out is fixed. To measure with another share, "
                    "duplicate it."
                }
            )

    def _has_given(self) -> bool:
        offers = [self.pk, *self.methods.values_list("pk", flat=True)]
        awards = Entry.objects.filter(offer__in=offers, kind=EntryKind.AWARD)
        completions = Completion.objects.filter(offer__in=offers, is_paid=True)
        return awards.exists() or completions.exists()


# Of each offer with a budget. Another number needs a migration of the rows.
USAGE_SLOTS = 16


class CampaignUsage(models.Model):
    """What an offer with a budget has given; the sum of its slots counts.

    Those who pay at the same time add to different slots, see ``services.budgets``.
    """

    pk = models.CompositePrimaryKey("campaign_id", "slot")
    campaign = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="usage")
    slot = models.PositiveSmallIntegerField()
    points_paid = models.BigIntegerField(default=0)
    awards_paid = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(points_paid__gte=0, awards_paid__gte=0),
                name="campaign_usage_is_never_negative",
                violation_error_message="A campaign never gives less than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(slot__lt=USAGE_SLOTS),
                name="campaign_usage_has_so_many_slots",
                violation_error_message="Usage is counted in 16 slots.",
            ),
        ]

    def __str__(self) -> str:
        return f"Usage of campaign {self.campaign_id}, slot {self.slot}"
