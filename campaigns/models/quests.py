"""Quests: prizes for what several activities add up to."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.engine.quests import Measure
from loyalty.models import ActivityType, Member, Offer, Segment


class QuestStatus(models.TextChoices):
    """Where a quest is in its life."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    ARCHIVED = "archived", "Archived"


class OptInMode(models.TextChoices):
    """How members come to take part."""

    AUTOMATIC = "automatic", "Automatically"
    BY_CALL = "by_call", "By opting in"


class Quest(Offer):
    """A prize for members who meet all of its requirements: points or a voucher.

    The prize, its wallet, the dates, the business unit and the lowest tier are the
    offer's. How far a member is stands nowhere: it follows from the contributions.
    """

    description = models.TextField(blank=True, help_text="Shown to members.")
    status = models.CharField(
        max_length=10,
        choices=QuestStatus.choices,
        default=QuestStatus.DRAFT,
        help_text="Only a published quest can be joined and makes progress. Prizes of "
        "an archived one stay.",
    )
    opt_in_mode = models.CharField(
        "members take part",
        max_length=10,
        choices=OptInMode.choices,
        default=OptInMode.AUTOMATIC,
        help_text="By opting in: in the app, or through the API. Fixed once somebody "
        "takes part.",
    )
    time_to_complete_minutes = models.PositiveIntegerField(
        "time to complete",
        null=True,
        blank=True,
        help_text="Minutes from opting in; automatically, from the start of the quest "
        "or from joining the program, whichever is later. A day has 1,440. Empty: "
        "until the quest ends.",
    )
    enforce_order = models.BooleanField(
        "enforce the order",
        default=False,
        help_text="Each step counts only once the steps before it are done.",
    )
    completions_per_member = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=1,
        help_text="How often a member can get the prize. Empty: no limit.",
    )
    completions_total = models.PositiveBigIntegerField(
        "prizes in all",
        null=True,
        blank=True,
        help_text="All members together get the prize at most so many times. Empty: "
        "no limit.",
    )
    included_segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="quests",
        help_text="Only members of any of these. Empty: everyone.",
    )
    excluded_segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="excluding_quests",
        help_text="What members of any of these do does not count.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(time_to_complete_minutes__isnull=True)
                | Q(time_to_complete_minutes__gte=1),
                name="quest_gives_a_minute_at_least",
                violation_error_message="The time to complete is a minute or more.",
            ),
            models.CheckConstraint(
                condition=Q(completions_per_member__isnull=True)
                | Q(completions_per_member__gte=1),
                name="quest_can_be_completed",
                violation_error_message="A member must be able to complete a quest "
                "once at least.",
            ),
            models.CheckConstraint(
                condition=Q(completions_total__isnull=True)
                | Q(completions_total__gte=1),
                name="quest_has_a_prize_at_least",
                violation_error_message="There must be one prize in all at least.",
            ),
            models.CheckConstraint(
                condition=Q(opt_in_mode=OptInMode.BY_CALL.value)
                | Q(time_to_complete_minutes__isnull=True)
                | Q(completions_per_member=1, completions_per_member__isnull=False),
                name="automatic_quest_with_a_time_limit_is_completed_once",
                violation_error_message="An automatic quest with a time to complete "
                "is completed once per member; let members opt in to repeat it.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep what follows from the kind and from the status right."""
        self.kind = OfferKind.QUEST.value
        if self.reward_method != RewardKind.VOUCHER.value:
            self.reward_method = RewardKind.FIXED.value
        self.is_enabled = self.status == QuestStatus.PUBLISHED
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Refuse a quest without a prize."""
        super().clean()
        if self.reward_method == RewardKind.VOUCHER.value:
            if self.voucher_type_id is None:
                raise ValidationError({"voucher_type": "Choose the voucher to win."})
        elif not self.points or self.points < 0:
            raise ValidationError({"points": "The prize is above zero."})


class QuestRequirement(models.Model):
    """One thing to reach in a quest, by activities of one type."""

    quest = models.ForeignKey(
        Quest, on_delete=models.CASCADE, related_name="requirements"
    )
    activity_type = models.ForeignKey(
        ActivityType, on_delete=models.PROTECT, related_name="quest_requirements"
    )
    description = models.CharField(
        max_length=200, help_text="For members, for example: Buy three coffees."
    )
    measure = models.CharField(
        "what counts",
        max_length=12,
        choices=[
            (Measure.VALUE.value, "The value, or that of the products listed"),
            (Measure.WHOLE_VALUE.value, "The whole value if a product is listed"),
            (Measure.ACTIVITIES.value, "The number of activities"),
        ],
        default=Measure.VALUE.value,
    )
    value_threshold = models.DecimalField(
        "to be reached", max_digits=18, decimal_places=4
    )
    restricted_to_ids = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        verbose_name="products",
        help_text="Item ids that count, with commas between them. Empty: whatever is "
        "bought.",
    )
    check_in_interval_days = models.PositiveSmallIntegerField(
        "every so many days",
        null=True,
        blank=True,
        help_text="The threshold has to be reached in every stretch of so many days, "
        "from opting in to the end. The quest needs an end or a time to complete.",
    )
    order = models.PositiveSmallIntegerField(
        default=1, help_text="Steps with the same number are open together."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(value_threshold__gt=0),
                name="quest_threshold_is_positive",
                violation_error_message="What is to be reached is above zero.",
            ),
            models.CheckConstraint(
                condition=Q(check_in_interval_days__isnull=True)
                | Q(check_in_interval_days__gte=1),
                name="quest_interval_is_a_day_at_least",
                violation_error_message="An interval is a day or more.",
            ),
            models.CheckConstraint(
                condition=~Q(restricted_to_ids__contains=[""]),
                name="quest_products_are_not_blank",
                violation_error_message="A product needs an id.",
            ),
            models.CheckConstraint(
                condition=~Q(measure=Measure.WHOLE_VALUE.value)
                | ~Q(restricted_to_ids=[]),
                name="quest_whole_value_needs_products",
                violation_error_message="“The whole value if a product is listed” "
                "needs products.",
            ),
        ]

    def __str__(self) -> str:
        return self.description

    def clean(self) -> None:
        """Refuse an interval in a quest that cannot be cut into stretches."""
        super().clean()
        if self.check_in_interval_days is None:
            return
        quest = self.quest
        if quest.enforce_order:
            sentence = "A step of every so many days cannot wait for other steps."
        elif quest.ends_at is None and quest.time_to_complete_minutes is None:
            sentence = "The quest needs an end or a time to complete for this."
        elif (
            quest.opt_in_mode == OptInMode.AUTOMATIC
            and quest.starts_at is None
            and quest.time_to_complete_minutes is None
        ):
            sentence = "An automatic quest needs a start for this."
        else:
            return
        raise ValidationError({"check_in_interval_days": sentence})


class QuestOptIn(models.Model):
    """That a member takes part in a quest, and until when.

    Written once: by the call that opted in, or with the first activity that counted
    where members take part automatically. A later one ends the one before it.
    """

    quest = models.ForeignKey(Quest, on_delete=models.PROTECT, related_name="opt_ins")
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="quest_opt_ins"
    )
    opted_in_at = models.DateTimeField(help_text="From when activities count.")
    expires_at = models.DateTimeField(
        null=True, help_text="When the time to complete is over."
    )
    is_automatic = models.BooleanField()
    created_at = models.DateTimeField(help_text="When the row was written.")

    class Meta:
        verbose_name = "participant"
        constraints = [
            models.UniqueConstraint(
                fields=["member", "quest", "opted_in_at"],
                name="member_opts_in_once_at_a_time",
                violation_error_message="The member takes part from this moment on.",
            ),
            models.UniqueConstraint(
                fields=["member", "quest"],
                condition=Q(is_automatic=True),
                name="member_takes_part_automatically_once",
                violation_error_message="The member takes part already.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(expires_at__gt=F("opted_in_at")),
                name="quest_opt_in_expires_after_it_starts",
                violation_error_message="The time to complete ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.quest_id}"


class QuestContribution(models.Model):
    """What one activity adds to one requirement; reversing it deletes the row."""

    requirement = models.ForeignKey(
        QuestRequirement, on_delete=models.PROTECT, related_name="contributions"
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    activity_id = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    units = models.BigIntegerField(help_text="In 1/10,000.")

    class Meta:
        indexes = [models.Index(fields=["member", "requirement", "occurred_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["activity_id", "requirement"],
                name="activity_counts_towards_a_requirement_once",
            ),
            models.CheckConstraint(
                condition=Q(units__gt=0),
                name="quest_contribution_is_positive",
                violation_error_message="What counts is above zero.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units} of activity {self.activity_id}"
