"""What members did: one row each, which is also the idempotency record."""

from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, NullIf

from activities.models.uploads import Upload
from loyalty.models import (
    ActivityType,
    AnonymousProfile,
    BusinessUnit,
    Channel,
    Member,
    Program,
)


class Activity(models.Model):
    """One thing a member did, and why it earned what it earned.

    Written once and never changed, but for an anonymous activity that finds its
    member. ``decision`` is the decision record; see
    ``activities.services.records`` for its shape.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    source = models.CharField(
        max_length=20, help_text="The surface it came through, for example api."
    )
    key = models.CharField(
        max_length=255,
        help_text="The caller's name for it. The API, files and contracts that carry "
        "receipt numbers share their keys.",
    )
    # Within what the key is unique, if not within its source.
    key_scope = models.CharField(
        max_length=20, blank=True, default="", db_default="", editable=False
    )
    # Null: the upload that it came in was undone, and the key is free again.
    holds_key = models.BooleanField(
        null=True, default=True, db_default=True, editable=False
    )
    fingerprint = models.BinaryField(
        max_length=32, help_text="Digest of the normalised payload."
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="activities"
    )
    anonymous_profile = models.ForeignKey(
        AnonymousProfile, on_delete=models.PROTECT, null=True, related_name="activities"
    )
    activity_type = models.ForeignKey(
        ActivityType, on_delete=models.PROTECT, related_name="activities"
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True)
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, null=True)
    occurred_at = models.DateTimeField(help_text="When it happened.")
    occurred_at_text = models.CharField(
        max_length=40, help_text="The moment as the caller wrote it."
    )
    zone_assumed = models.BooleanField(
        help_text="The caller named no zone; the program's rule supplied it."
    )
    received_at = models.DateTimeField(help_text="When it reached the edge.")
    created_at = models.DateTimeField(help_text="When the row was written.")
    is_late = models.BooleanField(
        help_text="Arrived after the program's limit. It earned the same points."
    )
    value = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    currency = models.CharField(
        max_length=3, blank=True, default="", help_text="ISO code, if it was told."
    )
    rate = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="What its currency was worth in the program's; empty: not converted.",
    )
    counted_value = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        null=True,
        help_text="Its value in the program's currency; empty: the value as it is.",
    )
    items = models.JSONField(default=list)
    is_return = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Brings back what was bought: earns nothing, counts for nothing.",
    )
    data = models.JSONField(default=dict, help_text="Free data of the caller.")
    decision = models.JSONField(default=dict)
    upload = models.ForeignKey(
        Upload, on_delete=models.PROTECT, null=True, related_name="activities"
    )

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["member", "occurred_at", "id"]),
            models.Index(fields=["program", "id"]),
            models.Index(
                fields=["upload", "id"],
                condition=Q(upload__isnull=False),
                name="activity_by_upload",
            ),
        ]
        constraints = [
            # The key comes first, so that it is found without its scope. Nulls are
            # distinct: keys that were given back do not count.
            models.UniqueConstraint(
                F("program"),
                F("key"),
                Coalesce(NullIf(F("key_scope"), Value("")), F("source")),
                F("holds_key"),
                name="activity_key_once_per_scope",
                violation_error_message="There is an activity with this key.",
            ),
            models.CheckConstraint(
                condition=Q(holds_key=True) | Q(holds_key__isnull=True),
                name="activity_holds_its_key_or_gave_it_back",
                violation_error_message="A key is held or given back.",
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False) | Q(anonymous_profile__isnull=False),
                name="activity_has_an_actor",
                violation_error_message="An activity needs a member or an anonymous "
                "profile.",
            ),
            models.CheckConstraint(
                condition=~Q(key=""),
                name="activity_key_is_not_blank",
                violation_error_message="An activity needs a key.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.key}"

    def latest_decision(self) -> dict[str, Any]:
        """Return the decision record that holds: the one made once the actor was known.

        Load rows with ``select_related("late_decision")``.
        """
        late = getattr(self, "late_decision", None)
        found: dict[str, Any] = self.decision if late is None else late.decision
        return found


class ActivityReversal(models.Model):
    """An activity undone: its awards were taken back, once."""

    activity = models.OneToOneField(
        Activity, on_delete=models.PROTECT, primary_key=True, related_name="reversal"
    )
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    record = models.JSONField(
        default=dict, help_text="Points taken back and shortfall, by wallet."
    )

    def __str__(self) -> str:
        return f"Reversal of activity {self.activity_id}"
