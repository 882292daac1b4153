"""The program and the vocabulary its marketers choose from."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from loyalty.engine.periods import Unit
from loyalty.models.choices import (
    IdentifierType,
    NaiveTimestampPolicy,
    RetroPoints,
    validate_region,
)
from loyalty.models.money import CountedProgram


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the IANA time zone database."""
    if name not in available_timezones():
        raise ValidationError(
            f"“{name}” is not a time zone. Use a name such as Europe/Paris.",
            code="unknown_time_zone",
        )


class Weekday(models.IntegerChoices):
    """Days of the week as ISO 8601 numbers them."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


class Program(CountedProgram):
    """One loyalty programme: its clock, its week and its rules for late news."""

    code = models.SlugField(
        max_length=50,
        unique=True,
        help_text="Short name used in commands and files. Cannot be shared.",
    )
    name = models.CharField(max_length=100, help_text="The name people know it by.")
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Its midnights start days, weeks and months for caps and dates, "
        "for example Europe/Paris.",
    )
    first_weekday = models.PositiveSmallIntegerField(
        "first day of the week",
        choices=Weekday.choices,
        default=Weekday.MONDAY,
        help_text="The day on which weekly caps start anew.",
    )
    naive_timestamp_policy = models.CharField(
        "moments without a zone",
        max_length=16,
        choices=NaiveTimestampPolicy.choices,
        default=NaiveTimestampPolicy.PROGRAM_ZONE,
        help_text="How to read a date and time that names no time zone.",
    )
    late_after_hours = models.PositiveSmallIntegerField(
        "late after (hours)",
        default=24,
        help_text="An activity that arrives later than this is marked late. It earns "
        "the same points.",
    )
    acceptance_days = models.PositiveSmallIntegerField(
        "oldest activity accepted (days)",
        null=True,
        blank=True,
        help_text="Older activities are refused. Empty: any age is accepted.",
    )
    allows_backdating = models.BooleanField(
        "credits may be dated",
        default=False,
        help_text="Clients of the CrowdTwist contract may say when a credited "
        "activity happened. Off: credits with a date are refused.",
    )
    session_hours = models.PositiveSmallIntegerField(
        "sessions last (hours)",
        default=24,
        help_text="A client app's session ends this long after its last call.",
    )
    default_identifier_type = models.CharField(
        max_length=20,
        choices=IdentifierType.choices,
        default=IdentifierType.ACCOUNT_ID,
        help_text="By what a session finds its member if the client app names nothing.",
    )
    default_channel = models.CharField(
        max_length=50,
        default="APP",
        blank=True,
        help_text="Code of the channel of activities in a session that name none. "
        "Empty: such activities are refused.",
    )
    has_closed_channels = models.BooleanField(
        "closed channels",
        default=False,
        help_text="On: activities in a session that name a channel not listed here are "
        "refused. Off: the channel is added and marked for review.",
    )
    primary_identity = models.CharField(
        max_length=40,
        default="customer_id",
        help_text="Kind of the identities that Netcore clients send, e.g. email.",
    )
    phone_region = models.CharField(
        "country of telephone numbers",
        max_length=2,
        default="US",
        db_default="US",
        validators=[validate_region],
        help_text="Telephone numbers that name no country are of this one: an ISO "
        "code such as DE or FR. Existing numbers are compared anew within a minute or "
        "so after a change.",
    )
    moves_anonymous_history = models.BooleanField(
        "earlier activities move along",
        default=True,
        help_text="When an anonymous person becomes known, what they did before "
        "becomes the member's.",
    )
    retro_points = models.CharField(
        "earlier activities earn",
        max_length=8,
        choices=RetroPoints.choices,
        default=RetroPoints.OFF,
        help_text="Whether what people did before they were known earns points once "
        "they are. Only what moves along can.",
    )
    retro_hours = models.PositiveSmallIntegerField(
        "how far back (hours)",
        default=24,
        help_text="For “What happened in the last hours”.",
    )
    is_enabled = models.BooleanField(
        "enabled",
        default=True,
        help_text="A program that is not enabled refuses every call.",
    )
    configuration_revision = models.PositiveBigIntegerField(
        default=0,
        editable=False,
        help_text="Grows by one with every change of the configuration.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first_weekday__range=(1, 7)),
                name="program_week_starts_on_a_weekday",
                violation_error_message="The first day of the week is 1 to 7.",
            ),
            models.CheckConstraint(
                condition=Q(session_hours__gte=1),
                name="program_sessions_last",
                violation_error_message="A session lasts at least one hour.",
            ),
            models.CheckConstraint(
                condition=~Q(primary_identity=""),
                name="program_has_a_primary_identity",
                violation_error_message="Name the kind of identity.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConfigurationRevision(models.Model):
    """One change of a program's configuration; written by database triggers.

    All rows that one transaction changes make one revision. ``actor`` is the
    transaction's setting ``loyalty.actor``, empty for changes outside the admin.
    """

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="revisions"
    )
    number = models.PositiveBigIntegerField()
    transaction = models.PositiveBigIntegerField()
    changed = models.JSONField(default=list, help_text="The kinds of rows changed.")
    actor = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "number"], name="revision_number_once_per_program"
            ),
            models.UniqueConstraint(
                fields=["program", "transaction"],
                name="one_revision_per_transaction_and_program",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} revision {self.number}"


class BusinessUnit(models.Model):
    """A banner, country or brand inside a program."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.SlugField(max_length=50, help_text="What tills and apps send.")
    name = models.CharField(
        max_length=100, help_text="Shown to people; partners match it to the letter."
    )
    is_enabled = models.BooleanField(
        "enabled",
        default=True,
        help_text="Activities for a unit that is not enabled are refused.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="business_unit_code_once_per_program",
                violation_error_message="This program has a unit with this code.",
            ),
            models.UniqueConstraint(
                fields=["program", "name"],
                name="business_unit_name_once_per_program",
                violation_error_message="This program has a unit with this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Partner(models.Model):
    """A sponsor of activities."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="partner_name_once_per_program",
                violation_error_message="This program has a partner with this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A label on activity types, for reports."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="tag_name_once_per_program",
                violation_error_message="This program has a tag with this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """Where a member acted: store, app, website."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.CharField(
        max_length=50, help_text="What tills and apps send, for example STORE."
    )
    name = models.CharField(max_length=100)
    is_enabled = models.BooleanField(
        "enabled",
        default=True,
        help_text="Activities from a channel that is not enabled are refused.",
    )
    needs_review = models.BooleanField(
        default=False,
        help_text="Discovered from a client app; nobody has looked at it yet.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="channel_code_once_per_program",
                violation_error_message="This program has a channel with this code.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReportingChannel(models.Model):
    """One of the 26 channels under which the catalogue reports an activity type."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """One of the catalogue's four categories."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Kind(models.Model):
    """One of the catalogue's eight kinds of activity type."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class FrequencyPeriod(models.Model):
    """One of the eleven ways to cut time for a cap."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=40, unique=True)
    unit = models.CharField(
        max_length=24, choices=[(unit.value, unit.value) for unit in Unit], unique=True
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Inactive periods cannot be chosen anew; where used, they go on.",
    )

    def __str__(self) -> str:
        return self.name


class Tier(models.Model):
    """A rung of the ladder; members stand on the highest whose threshold they reach."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    threshold = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="Number of points earned from which a member holds this tier, over "
        "all wallets that count for it. Spending points never lowers the score.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="tier_name_once_per_program",
                violation_error_message="This program has a tier with this name.",
            ),
            models.UniqueConstraint(
                fields=["program", "threshold"],
                name="tier_threshold_once_per_program",
                violation_error_message="Another tier starts at this threshold.",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gte=0),
                name="tier_threshold_is_not_negative",
                violation_error_message="A threshold must not be negative.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
