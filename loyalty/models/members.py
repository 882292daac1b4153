"""People: members, how they are found, and those not yet known."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from loyalty.models.programme import BusinessUnit, Program, Tier


class Member(models.Model):
    """One person's membership in one program.

    The row is the lock of everything the member holds: whoever moves points,
    counts or tiers of a member first locks it (``ledger.lock_members``).
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    enrolled_at = models.DateTimeField(db_default=Now())
    business_unit = models.ForeignKey(
        BusinessUnit, on_delete=models.PROTECT, null=True, blank=True
    )
    tier = models.ForeignKey(
        Tier,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        help_text="The tier held now; the history says since when and why.",
    )
    is_blocked = models.BooleanField(
        "blocked",
        default=False,
        help_text="Activities of a blocked member are refused.",
    )
    attributes = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When what is known of the member was last changed; the database "
        "keeps it.",
    )

    class Meta:
        indexes = [models.Index(fields=["program", "id"])]

    def __str__(self) -> str:
        # Names only where the identities were fetched with the row: no query here.
        fetched = getattr(self, "_prefetched_objects_cache", {}).get("identities", ())
        return ", ".join(one.value for one in fetched) or f"Member {self.pk}"


class Identity(models.Model):
    """One way to find a member: a kind and a value, once per program."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="identities"
    )
    kind = models.CharField(
        max_length=40, help_text="For example customer_id, loyalty_id, email."
    )
    value = models.CharField(max_length=255)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "value"],
                name="identity_once_per_program",
                violation_error_message="Another member has this identity.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="") & ~Q(value=""),
                name="identity_is_not_blank",
                violation_error_message="An identity needs a kind and a value.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class AnonymousProfile(models.Model):
    """Somebody not yet known; becomes a member's at most once."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    anonymous_id = models.CharField(max_length=255)
    merged_into = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "anonymous_id"],
                name="anonymous_id_once_per_program",
                violation_error_message="This anonymous id is known already.",
            ),
        ]

    def __str__(self) -> str:
        return self.anonymous_id


class TierCause(models.TextChoices):
    """Why a member's tier changed."""

    THRESHOLD = "threshold", "Reached the threshold"
    REVERSAL = "reversal", "An activity was reversed"
    CONFIGURATION = "configuration", "The tiers were changed"
    MANUAL = "manual", "Set by staff"


class MemberTier(models.Model):
    """One step of a member's tier history; no tier means none is held."""

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="tier_history"
    )
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, null=True)
    since = models.DateTimeField()
    cause = models.CharField(max_length=16, choices=TierCause.choices)
    score = models.DecimalField(
        max_digits=24,
        decimal_places=4,
        help_text="The score that decided it, in points.",
    )
    activity_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["member", "since"])]

    def __str__(self) -> str:
        return f"{self.member_id} since {self.since:%Y-%m-%d}"
