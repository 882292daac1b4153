"""What can be earned: offers and activity types."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.models.catalogue import OfferQuerySet
from loyalty.models.programme import (
    BusinessUnit,
    Category,
    FrequencyPeriod,
    Kind,
    Partner,
    Program,
    ReportingChannel,
    Tag,
    Tier,
)
from loyalty.models.voucher_types import VoucherType
from loyalty.models.wallets import Wallet


class Offer(models.Model):
    """What can pay points: an activity type's own rule or a campaign.

    Both share one number space, so ``offer_id`` alone names what paid.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    kind = models.CharField(
        max_length=16,
        choices=[(kind.value, kind.value) for kind in OfferKind],
        editable=False,
    )
    code = models.CharField(
        max_length=100,
        blank=True,
        help_text="What tills and apps send, for example PURCHASE.",
    )
    name = models.CharField(max_length=200, help_text="For staff; members see titles.")
    is_enabled = models.BooleanField(
        "enabled",
        default=True,
        help_text="The switch. Dates count only while it is on.",
    )
    starts_at = models.DateTimeField(
        "start", null=True, blank=True, help_text="The first instant. Empty: no start."
    )
    ends_at = models.DateTimeField(
        "end",
        null=True,
        blank=True,
        help_text="The first instant after it: an offer through 31 May ends on 1 June "
        "at 00:00. Empty: no end.",
    )
    business_unit = models.ForeignKey(
        BusinessUnit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Only activities of this unit, or of none; points are booked under "
        "it. Empty: every unit.",
    )
    minimum_tier = models.ForeignKey(
        Tier,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Members below it earn nothing here.",
    )
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, help_text="Where the points go."
    )
    reward_method = models.CharField(
        "pays",
        max_length=24,
        choices=[
            (RewardKind.NOTHING.value, "Nothing"),
            (RewardKind.FIXED.value, "A fixed number of points"),
            (RewardKind.PER_VALUE.value, "Points per unit of value"),
            (RewardKind.PER_ITEM_VALUE.value, "Points per unit of matching items"),
            (RewardKind.MULTIPLIER.value, "A multiple of the base points"),
            (RewardKind.VOUCHER.value, "A voucher"),
            (RewardKind.METHODS.value, "What its reward methods give"),
        ],
        default=RewardKind.FIXED.value,
    )
    points = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        default=0,
        help_text="Points for one activity, or for each unit of value.",
    )
    per_value = models.DecimalField(
        "unit of value",
        max_digits=18,
        decimal_places=4,
        default=1,
        help_text="“5 points per 2.50”: points 5, unit of value 2.5.",
    )
    multiplier = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Extra points as a multiple of the base: 1 pays the base once more "
        "(double points), 0.5 half of it.",
    )
    voucher_type = models.ForeignKey(
        VoucherType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offers",
        verbose_name="voucher",
        help_text="What members get, if it pays “A voucher”.",
    )
    cap_count = models.PositiveIntegerField(
        "cap",
        null=True,
        blank=True,
        help_text="Awards per member and period. Empty: no cap.",
    )
    frequency_period = models.ForeignKey(
        FrequencyPeriod,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="How time is cut for the cap and for required attempts.",
    )
    required_attempts = models.PositiveIntegerField(
        default=1,
        help_text="1: every completion pays. 3: every third one does.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "code"],
                condition=~Q(code=""),
                name="offer_code_once_per_program",
                violation_error_message="This code is taken in this program.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=OfferKind.ACTIVITY_TYPE.value) | ~Q(code=""),
                name="activity_type_has_a_code",
                violation_error_message="An activity type needs a code.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="offer_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
            models.CheckConstraint(
                condition=Q(cap_count__isnull=True)
                | Q(cap_count__gte=1, frequency_period__isnull=False),
                name="offer_cap_has_a_period",
                violation_error_message="A cap is 1 or more and needs a period.",
            ),
            models.CheckConstraint(
                condition=Q(required_attempts__gte=1),
                name="offer_requires_at_least_one_attempt",
                violation_error_message="At least one attempt is needed.",
            ),
            models.CheckConstraint(
                condition=Q(points__gte=0),
                name="offer_never_pays_negative_points",
                violation_error_message="Points cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(per_value__gt=0),
                name="offer_unit_of_value_is_positive",
                violation_error_message="The unit of value must be above zero.",
            ),
            models.CheckConstraint(
                condition=Q(
                    reward_method=RewardKind.MULTIPLIER.value,
                    multiplier__isnull=False,
                    multiplier__gt=0,
                )
                | (
                    ~Q(reward_method=RewardKind.MULTIPLIER.value)
                    & Q(multiplier__isnull=True)
                ),
                name="offer_multiplier_goes_with_its_method",
                violation_error_message="A multiplier above zero belongs to “A "
                "multiple of the base points”, and only there.",
            ),
            models.CheckConstraint(
                condition=Q(
                    reward_method=RewardKind.VOUCHER.value, voucher_type__isnull=False
                )
                | (
                    ~Q(reward_method=RewardKind.VOUCHER.value)
                    & Q(voucher_type__isnull=True)
                ),
                name="offer_voucher_goes_with_its_method",
                violation_error_message="A voucher belongs to “A voucher”, and only "
                "there.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=OfferKind.ACTIVITY_TYPE.value)
                | Q(
                    reward_method__in=[
                        RewardKind.NOTHING.value,
                        RewardKind.FIXED.value,
                        RewardKind.PER_VALUE.value,
                    ]
                ),
                name="activity_type_pays_fixed_or_per_value",
                violation_error_message="An activity type pays a fixed number of "
                "points, points per unit of value, or nothing.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse points finer than the wallet counts and retired periods."""
        super().clean()
        if self.wallet_id and self.points is not None:
            scaled = self.points * 10**self.wallet.decimals
            if scaled != int(scaled):
                raise ValidationError(
                    {
                        "points": f"The wallet “{self.wallet}” counts "
                        f"{self.wallet.decimals} decimals."
                    }
                )
        period = self.frequency_period
        if period is not None and not period.is_active:
            stored = Offer.objects.filter(pk=self.pk).values("frequency_period_id")
            if not stored or stored[0]["frequency_period_id"] != period.pk:
                raise ValidationError(
                    {
                        "frequency_period": f"“{period}” is inactive: it goes on where "
                        "it is used but cannot be chosen anew."
                    }
                )


class SegmentMode(models.TextChoices):
    """Whether a segment lets members in or keeps them out."""

    INCLUSION = "inclusion", "Only members of the segment"
    EXCLUSION = "exclusion", "Everyone except the segment"


class ActivityType(Offer):
    """Something a member can do, as the catalogue shows it and as it pays."""

    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    public_title = models.CharField(
        max_length=200, blank=True, help_text="Shown to members. Empty: the title."
    )
    public_description = models.TextField(
        blank=True, help_text="Shown to members. Empty: the description."
    )
    image = models.URLField(max_length=500, blank=True, help_text="Address of an icon.")
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True
    )
    type_kind = models.ForeignKey(
        Kind, on_delete=models.PROTECT, null=True, blank=True, verbose_name="kind"
    )
    reporting_channel = models.ForeignKey(
        ReportingChannel, on_delete=models.PROTECT, null=True, blank=True
    )
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, null=True, blank=True
    )
    tags = models.ManyToManyField(Tag, blank=True)
    show_as_locked_by_tier = models.BooleanField(
        "show as locked",
        default=False,
        help_text="On: members below the tier see it locked. Off: it is hidden.",
    )
    segment = models.ForeignKey(
        "loyalty.Segment", on_delete=models.PROTECT, null=True, blank=True
    )
    segment_mode = models.CharField(
        max_length=10, choices=SegmentMode.choices, blank=True
    )
    redirect_url = models.CharField(
        max_length=500, blank=True, help_text="Where the member goes on choosing it."
    )
    points_on_click = models.BooleanField(
        default=False, help_text="The member earns by clicking it."
    )
    action_tags = models.TextField(
        blank=True, help_text="Script that a web page runs to report the activity."
    )
    extra_data = models.JSONField(
        null=True, blank=True, help_text="Free names and values for client apps."
    )
    allows_negative_value = models.BooleanField(
        default=False,
        help_text="Accept activities whose value is below zero, such as baskets of "
        "returns. They earn nothing and count for nothing: no cap, no attempt, no "
        "quest, no voucher.",
    )
    value_param = models.CharField(
        "value in Netcore activities",
        max_length=100,
        blank=True,
        help_text="Name in activity_params whose number is the activity's value, for "
        "example total_amount. Empty: Netcore activities have none.",
    )
    needs_review = models.BooleanField(
        default=False,
        help_text="Found out from an upload or a client app. It pays nothing until you "
        "give it a reward; then take this mark off.",
    )

    objects: ClassVar = OfferQuerySet["ActivityType"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(segment__isnull=True, segment_mode="")
                | Q(segment__isnull=False, segment_mode__in=SegmentMode.values),
                name="activity_type_segment_has_a_mode",
                violation_error_message="Say whether the segment lets members in or "
                "keeps them out.",
            ),
            models.CheckConstraint(
                condition=~Q(redirect_url__iregex=r"^\s*(javascript|data|vbscript):"),
                name="activity_type_leads_to_a_page",
                violation_error_message="The redirect address must lead to a page or "
                "an app; it may not be a script.",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.code

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the discriminator of the shared table right."""
        self.kind = OfferKind.ACTIVITY_TYPE.value
        super().save(*args, **kwargs)  # type: ignore[arg-type]
