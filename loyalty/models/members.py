"""People: members, how they are found, and those not yet known."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from loyalty.engine.identities import DEFAULT_REGION, Comparison, IdentityRules
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


class IdentityKeyField(models.CharField):  # type: ignore[type-arg]
    """The key of an identity, worked out whenever its row is written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:  # noqa: FBT001 (Django's signature)
        """Work out the key by the program's rules; one query, or none if it is set."""
        if isinstance(model_instance, Identity) and not model_instance.is_keyed:
            model_instance.set_key(identity_rules(model_instance.program_id))
        key: str | None = super().pre_save(model_instance, add)
        return key


class IdentityComparison(models.TextChoices):
    """How identities of a kind are compared; stored values are the engine's."""

    EXACT = Comparison.EXACT.value, "To the letter"
    CASELESS = Comparison.CASELESS.value, "Capitals do not matter"
    EMAIL = Comparison.EMAIL.value, "E-mail address: capitals do not matter"
    PHONE = Comparison.PHONE.value, "Telephone number: in any spelling"


class IdentityRule(models.Model):
    """How a program compares the identities of one kind, where it says so itself."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="identity_rules"
    )
    kind = models.CharField(
        max_length=40, help_text="The kind of identity, for example loyalty_id."
    )
    comparison = models.CharField(
        "compared as",
        max_length=8,
        choices=IdentityComparison.choices,
        help_text="Blanks around an identity never count. Existing identities are "
        "compared anew within a minute or so after a change.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind"],
                name="identity_rule_once_per_kind",
                violation_error_message="This kind of identity has a rule already.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=""),
                name="identity_rule_names_a_kind",
                violation_error_message="Enter the kind of identity.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.get_comparison_display()}"


def identity_rules(program_id: int) -> IdentityRules:
    """Return how a program compares identities; one query."""
    rows = Program.objects.filter(pk=program_id).values_list(
        "phone_region", "identity_rules__kind", "identity_rules__comparison"
    )
    found = list(rows)
    return IdentityRules(
        region=found[0][0] if found else DEFAULT_REGION,
        by_kind={kind: Comparison(value) for _, kind, value in found if kind},
    )


class Identity(models.Model):
    """One way to find a member: a kind and a value, once per program.

    The value is stored as it was given and compared by its key, which two spellings
    of it have in common. Where members turn out to be called alike, one of them
    (the oldest, if all are from before the keys) holds the key and the others are
    duplicates: each is found by its exact spelling, until people have sorted them out.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="identities"
    )
    kind = models.CharField(
        max_length=40, help_text="For example customer_id, loyalty_id, email."
    )
    value = models.CharField(max_length=255)
    # Null only for rows that were written past the site; ``check_identities`` fills.
    key = IdentityKeyField(max_length=800, null=True, editable=False)
    is_duplicate = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Another member's identity means the same.",
    )

    class Meta:
        verbose_name_plural = "identities"
        indexes = [
            models.Index(
                fields=["program", "key", "kind"],
                condition=Q(is_duplicate=True),
                name="identity_that_is_a_duplicate",
            ),
        ]
        constraints = [
            # The key before the kind, so that it is found without the kind.
            models.UniqueConstraint(
                fields=["program", "key", "kind"],
                condition=Q(is_duplicate=False),
                name="identity_key_once_per_program",
                violation_error_message="Another member has this identity.",
            ),
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

    @property
    def is_keyed(self) -> bool:
        """Whether the key is that of this kind and value."""
        return getattr(self, "_keyed_as", None) == (self.kind, self.value)

    def set_key(self, rules: IdentityRules) -> None:
        """Work out the key of the identity by its program's rules."""
        self.key = rules.key_of(self.kind, self.value)
        self._keyed_as = (self.kind, self.value)


class DuplicateManager(models.Manager["DuplicateIdentity"]):
    """Identities only that mean the same as another one."""

    def get_queryset(self) -> models.QuerySet["DuplicateIdentity"]:
        """Return them."""
        return super().get_queryset().filter(is_duplicate=True)


class DuplicateIdentity(Identity):
    """An identity that means the same as another one, for people to sort out."""

    objects: ClassVar[DuplicateManager] = DuplicateManager()

    class Meta:
        proxy = True
        verbose_name = "identity called alike"
        verbose_name_plural = "identities called alike"


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
