"""Segments that rules keep, as pages of their own."""

from typing import ClassVar

from django.db import models

from loyalty.models import Member, Program, Segment, SegmentKind


class RuleSegmentManager(models.Manager["RuleSegment"]):
    """Segments kept by rules only."""

    def get_queryset(self) -> models.QuerySet["RuleSegment"]:
        """Return them."""
        return super().get_queryset().filter(kind=SegmentKind.RULES)


class RuleSegment(Segment):
    """A segment kept by rules; the same row as its ``Segment``."""

    objects: ClassVar[RuleSegmentManager] = RuleSegmentManager()

    class Meta:
        proxy = True
        verbose_name = "rule segment"

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Begin as one kept by rules."""
        super().__init__(*args, **kwargs)
        if self._state.adding:
            self.kind = SegmentKind.RULES


class SegmentRecheck(models.Model):
    """A member whom an activity could have moved; waits to be looked at.

    Written in the transaction of the activity. A member may wait several times.
    """

    program = models.ForeignKey(Program, on_delete=models.CASCADE)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, db_index=False)

    def __str__(self) -> str:
        return f"member {self.member_id}"
