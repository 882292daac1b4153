"""What became of anonymous profiles: whose they are, and what that earned."""

from django.db import models

from activities.models.activities import Activity
from loyalty.models import AnonymousProfile, Member, RetroPoints


class ProfileMerge(models.Model):
    """An anonymous profile that became a member's, once."""

    profile = models.OneToOneField(
        AnonymousProfile,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="merge",
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="profile_merges"
    )
    source = models.CharField(
        max_length=20, help_text="The surface that told who it is."
    )
    points_policy = models.CharField(
        "earlier activities earn",
        max_length=8,
        choices=RetroPoints.choices,
        help_text="What the program's rule was.",
    )
    activity_count = models.PositiveIntegerField(
        "activities", help_text="Earlier activities that became the member's."
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.profile_id} into member {self.member_id}"


class LateDecision(models.Model):
    """What an anonymous activity earned when its person became known, and why.

    Beside the decision that was made while nobody knew; shaped like it.
    """

    activity = models.OneToOneField(
        Activity,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="late_decision",
    )
    merge = models.ForeignKey(
        ProfileMerge, on_delete=models.PROTECT, related_name="decisions"
    )
    decision = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Late decision on activity {self.activity_id}"
