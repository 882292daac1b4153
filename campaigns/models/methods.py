"""Reward methods: what a campaign gives, each with limits and conditions of its own."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from campaigns.models.campaigns import Campaign
from campaigns.models.groups import AssignedGroup, AssignedGroupKind
from loyalty.engine.facts import Distribution, OfferKind
from loyalty.models import BusinessUnit, Offer, Segment, Wallet, Weekday


class RewardMethod(Offer):
    """One reward method of a campaign: what it gives, how often, to whom.

    What it gives, its wallet, its dates, its tier and its limit per member (the cap)
    are the offer's. “Nothing” is a blank: a draw can end on it.
    """

    # “campaign” is taken: every offer has the campaign that it may be.
    parent = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        related_name="methods",
        verbose_name="campaign",
    )
    title = models.CharField(max_length=200, blank=True, help_text="Shown to members.")
    details = models.TextField("description", blank=True, help_text="Shown to members.")
    image_url = models.URLField("image", max_length=500, blank=True)
    weight = models.PositiveIntegerField(
        default=1,
        help_text="In a draw: its chance in proportion to the others. 0 never wins.",
    )
    usage_limit = models.PositiveBigIntegerField(
        "in stock",
        null=True,
        blank=True,
        help_text="All members together get it at most so many times. Empty: no limit.",
    )
    usage_cost = models.DecimalField(
        "price in points",
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="What the member pays for it, where members interact with the "
        "campaign. In a draw the price is the highest of all that can be won.",
    )
    usage_cost_wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="paid from",
    )
    distribution = models.CharField(
        "for the products of the basket",
        max_length=12,
        choices=[
            (Distribution.BASKET_FIXED.value, "Once for the basket"),
            (Distribution.PER_ITEM.value, "For each matching product"),
            (Distribution.SPREAD.value, "Once, spread over the matching products"),
        ],
        default=Distribution.BASKET_FIXED.value,
    )
    redeem_group = models.ForeignKey(
        AssignedGroup,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="redeeming_methods",
        limit_choices_to={"kind": AssignedGroupKind.REDEEM.value},
        verbose_name="for products",
        help_text="The products that it pays for. Empty: the campaign's product list.",
    )
    qualify_groups = models.ManyToManyField(
        AssignedGroup,
        blank=True,
        related_name="qualifying_methods",
        limit_choices_to={"kind": AssignedGroupKind.QUALIFY.value},
        verbose_name="basket must hold",
    )
    included_segments = models.ManyToManyField(
        Segment, blank=True, related_name="reward_methods", help_text="Empty: everyone."
    )
    excluded_segments = models.ManyToManyField(
        Segment, blank=True, related_name="excluding_reward_methods"
    )
    business_units = models.ManyToManyField(
        BusinessUnit,
        blank=True,
        related_name="reward_methods",
        verbose_name="only at",
        help_text="Empty: every business unit.",
    )
    currencies = ArrayField(
        models.CharField(max_length=3), default=list, blank=True, help_text="ISO codes."
    )
    minimum_value = models.DecimalField(
        max_digits=18, decimal_places=4, null=True, blank=True
    )
    maximum_value = models.DecimalField(
        max_digits=18, decimal_places=4, null=True, blank=True
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday.choices),
        default=list,
        blank=True,
    )
    opens_at = models.TimeField("from (time of day)", null=True, blank=True)
    closes_at = models.TimeField("until (time of day)", null=True, blank=True)

    class Meta:
        verbose_name = "reward method"
        constraints = [
            models.CheckConstraint(
                condition=Q(usage_cost__isnull=True, usage_cost_wallet__isnull=True)
                | Q(
                    usage_cost__isnull=False,
                    usage_cost__gt=0,
                    usage_cost_wallet__isnull=False,
                ),
                name="reward_price_names_its_wallet",
                violation_error_message="A price above zero and the wallet it is "
                "paid from go together.",
            ),
            models.CheckConstraint(
                condition=Q(usage_limit__isnull=True) | Q(usage_limit__gte=1),
                name="reward_stock_is_positive",
                violation_error_message="A stock is 1 or more; empty is no limit.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_value__isnull=True)
                | Q(maximum_value__isnull=True)
                | Q(maximum_value__gte=F("minimum_value")),
                name="reward_value_range_is_not_empty",
                violation_error_message="The highest value is below the lowest.",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True, closes_at__isnull=True)
                | Q(opens_at__isnull=False, closes_at__isnull=False),
                name="reward_hours_come_in_pairs",
                violation_error_message="Give both times of day or none.",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True) | ~Q(opens_at=F("closes_at")),
                name="reward_hours_are_not_empty",
                violation_error_message="The two times of day are the same.",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7]),
                name="reward_weekdays_are_weekdays",
                violation_error_message="Weekdays are 1 (Monday) to 7 (Sunday).",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep what follows from the campaign right."""
        self.kind = OfferKind.REWARD_METHOD.value
        self.program_id = self.parent.program_id
        super().save(*args, **kwargs)  # type: ignore[arg-type]
