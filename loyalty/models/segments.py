"""Segments: lists of members, kept by hand or by rules."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from loyalty.models.offers import ActivityType
from loyalty.models.programme import BusinessUnit, Program, Tier
from loyalty.models.wallets import Wallet


class SegmentKind(models.TextChoices):
    """Who says which members are in a segment."""

    FIXED = "fixed", "People: by hand and by file"
    RULES = "rules", "Rules: kept up to date by themselves"


class Segment(models.Model):
    """A named list of members; each is in it from a moment until a moment."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    kind = models.CharField(
        "kept by",
        max_length=10,
        choices=SegmentKind.choices,
        default=SegmentKind.FIXED,
        help_text="Cannot be changed later.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="segment_code_once_per_program",
                violation_error_message="This program has a segment with this code.",
            ),
            models.UniqueConstraint(
                fields=["program", "name"],
                name="segment_name_once_per_program",
                violation_error_message="This program has a segment with this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """A member's stay in a segment: ``[entered_at, left_at)``; empty is open."""

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="memberships"
    )
    member = models.ForeignKey(
        "loyalty.Member", on_delete=models.CASCADE, related_name="segment_memberships"
    )
    entered_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: since ever."
    )
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: still in it. The instant is outside."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(left_at__isnull=True)
                | Q(entered_at__isnull=True)
                | Q(left_at__gt=F("entered_at")),
                name="segment_is_left_after_it_is_entered",
                violation_error_message="A member leaves after entering.",
            ),
            models.UniqueConstraint(
                fields=["segment", "member"],
                condition=Q(left_at__isnull=True),
                name="member_stays_once_in_a_segment",
                violation_error_message="This member is in the segment already.",
            ),
        ]
        indexes = [models.Index(fields=["member", "segment"])]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.segment_id}"

    def clean(self) -> None:
        """Refuse to put members by hand where rules put them.

        Raises:
            ValidationError: rules keep the segment.
        """
        if self.segment_id and self.segment.kind == SegmentKind.RULES:
            raise ValidationError(
                {"segment": "Rules keep this segment: change the rules instead."}
            )


class RuleGroup(models.TextChoices):
    """How a rule counts towards its segment."""

    ALL = "all", "All of these hold"
    ANY = "any", "At least one of these holds"
    NONE = "none", "None of these holds"


class SegmentFact(models.TextChoices):
    """What a rule looks at."""

    TIER = "tier", "Tier"
    BALANCE = "balance", "Balance of a wallet"
    LIFETIME_EARNED = "lifetime_earned", "Points ever earned in a wallet"
    ACTIVITY_COUNT = "activity_count", "Number of activities"
    ACTIVITY_VALUE = "activity_value", "Value of activities"
    LAST_ACTIVITY = "last_activity", "Days since the last activity"
    ENROLLED = "enrolled", "Days since enrolment"
    ATTRIBUTE = "attribute", "Attribute of the member"
    BUSINESS_UNIT = "business_unit", "Business unit of the member"
    SEGMENT = "segment", "Another segment"


class Comparison(models.TextChoices):
    """How a fact is compared."""

    AT_LEAST = "at_least", "is at least"
    AT_MOST = "at_most", "is at most"
    EQUALS = "equals", "is"
    DIFFERS = "differs", "is not"


_SIZES = (Comparison.AT_LEAST, Comparison.AT_MOST)
# What each fact is compared by, what it needs and what it may have besides.
FACTS: dict[str, tuple[tuple[Comparison, ...], tuple[str, ...], tuple[str, ...]]] = {
    SegmentFact.TIER: ((*_SIZES, Comparison.EQUALS), ("tier",), ()),
    SegmentFact.BALANCE: (_SIZES, ("wallet", "number"), ()),
    SegmentFact.LIFETIME_EARNED: (_SIZES, ("wallet", "number"), ()),
    SegmentFact.ACTIVITY_COUNT: (_SIZES, ("number",), ("activity_type", "days")),
    SegmentFact.ACTIVITY_VALUE: (_SIZES, ("number",), ("activity_type", "days")),
    SegmentFact.LAST_ACTIVITY: (_SIZES, ("number",), ("activity_type",)),
    SegmentFact.ENROLLED: (_SIZES, ("number",), ()),
    SegmentFact.ATTRIBUTE: (tuple(Comparison), ("attribute",), ("text", "number")),
    SegmentFact.BUSINESS_UNIT: (
        (Comparison.EQUALS, Comparison.DIFFERS),
        ("business_unit",),
        (),
    ),
    SegmentFact.SEGMENT: (
        (Comparison.EQUALS, Comparison.DIFFERS),
        ("other_segment",),
        (),
    ),
}
OPERANDS = (
    *("number", "days", "text", "attribute"),
    *("activity_type", "wallet", "tier", "business_unit", "other_segment"),
)


class SegmentRule(models.Model):
    """One condition of a segment kept by rules.

    A member is in the segment if all rules of the group ``all`` hold, at least one
    of ``any`` (where there are some) and none of ``none``.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="rules")
    group = models.CharField(
        "counts", max_length=4, choices=RuleGroup.choices, default=RuleGroup.ALL
    )
    fact = models.CharField("looks at", max_length=20, choices=SegmentFact.choices)
    comparison = models.CharField(
        max_length=10, choices=Comparison.choices, default=Comparison.AT_LEAST
    )
    number = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Points in the wallet's own unit, a count, a value, or days.",
    )
    days = models.PositiveIntegerField(
        "in the last (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Counts activities of so many times 24 hours. Empty: all of them.",
    )
    text = models.CharField(max_length=255, blank=True, help_text="Of an attribute.")
    attribute = models.CharField(max_length=100, blank=True, help_text="Its name.")
    activity_type = models.ForeignKey(
        ActivityType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Empty: activities of every type.",
    )
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, null=True, blank=True)
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, null=True, blank=True)
    business_unit = models.ForeignKey(
        BusinessUnit, on_delete=models.PROTECT, null=True, blank=True
    )
    other_segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rules_about_it",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(other_segment__isnull=True)
                | ~Q(other_segment=F("segment")),
                name="segment_rule_is_about_another_segment",
                violation_error_message="A segment cannot be a rule of itself.",
            ),
            models.CheckConstraint(
                condition=Q(days__isnull=True) | Q(days__gte=1),
                name="segment_rule_looks_back_a_day",
                violation_error_message="Look back at least one day.",
            ),
        ]

    def __str__(self) -> str:
        return self.in_words()

    def clean(self) -> None:
        """Refuse a comparison or an operand that the fact has no use for.

        Raises:
            ValidationError: naming each field that is missing or too much.
        """
        if self.fact not in FACTS:
            return
        comparisons, needed, optional = FACTS[self.fact]
        errors = {}
        if self.comparison not in comparisons:
            told = ", ".join(f"“{one.label}”" for one in comparisons)
            errors["comparison"] = f"“{self._fact_label()}” is compared by {told}."
        for name in OPERANDS:
            if name in needed and not self._has(name):
                errors[name] = f"“{self._fact_label()}” needs it."
            elif self._has(name) and name not in (*needed, *optional):
                errors[name] = f"“{self._fact_label()}” has no use for it."
        errors |= self._attribute_errors()
        if errors:
            raise ValidationError(errors)

    def _attribute_errors(self) -> dict[str, str]:
        if self.fact != SegmentFact.ATTRIBUTE:
            return {}
        is_size = self.comparison in _SIZES
        if is_size and (self.number is None or self.text):
            return {"number": "“at least” and “at most” compare with a number."}
        if not is_size and self.number is not None:
            return {"number": "“is” and “is not” compare with the text."}
        return {}

    def _has(self, name: str) -> bool:
        value = getattr(self, f"{name}_id", None) or getattr(self, name, None)
        return value not in (None, "")

    def _fact_label(self) -> str:
        return SegmentFact(self.fact).label

    def in_words(self) -> str:
        """Return the rule as a phrase; loads the rows it names."""
        what = self._fact_label()
        if self.wallet is not None:
            what = what.replace("a wallet", f"“{self.wallet}”")
        if self.activity_type is not None:
            what = f"{what} of type “{self.activity_type}”"
        if self.days:
            what = f"{what} in the last {self.days} days"
        if self.attribute:
            what = f"Attribute “{self.attribute}”"
        target = self.tier or self.business_unit or self.other_segment
        told = f"{self.number.normalize():f}" if self.number is not None else ""
        object_ = f"“{target or self.text}”" if target or not told else told
        return f"{what} {Comparison(self.comparison).label} {object_}"


class SegmentState(models.Model):
    """What the last refresh of a segment kept by rules found; not configuration."""

    segment = models.OneToOneField(
        Segment, on_delete=models.CASCADE, related_name="state"
    )
    refreshed_at = models.DateTimeField(
        null=True, help_text="Empty while it has never been refreshed."
    )
    member_count = models.PositiveIntegerField(default=0)
    entered_count = models.PositiveIntegerField(default=0)
    left_count = models.PositiveIntegerField(default=0)
    # How often a refresh was begun since one went well.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    failure = models.TextField(
        blank=True, db_default="", help_text="Why it is no longer refreshed by itself."
    )

    def __str__(self) -> str:
        return f"State of segment {self.segment_id}"
