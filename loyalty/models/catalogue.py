"""What the catalogue of activity types needs beside the types themselves."""

from datetime import datetime
from typing import TypeVar

from django.db import models
from django.db.models import Q

from loyalty.models.programme import Kind

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class OfferQuerySet(models.QuerySet[Row_co]):
    """Ways to choose among offers."""

    def live_at(self, moment: datetime) -> "OfferQuerySet[Row_co]":
        """Return the offers that are on and whose dates contain ``moment``.

        The start is inside, the end outside.
        """
        has_started = Q(starts_at__isnull=True) | Q(starts_at__lte=moment)
        has_not_ended = Q(ends_at__isnull=True) | Q(ends_at__gt=moment)
        return self.filter(has_started, has_not_ended, is_enabled=True)


class KindNumbering(models.TextChoices):
    """Which of the two lists of numbers a path of the catalogue contract speaks."""

    EXTENDED = "extended", "Extended lists"
    PLAIN = "plain", "Plain lists"


class KindNumber(models.Model):
    """A kind's number and label in one of the catalogue contract's two lists.

    The two lists give other numbers to the same kinds, and their own samples
    contradict one of them, so the numbers are rows: shipped, and editable.
    """

    numbering = models.CharField(max_length=10, choices=KindNumbering.choices)
    kind = models.ForeignKey(Kind, on_delete=models.PROTECT, related_name="numbers")
    number = models.PositiveSmallIntegerField(help_text="Sent as type_id.")
    name = models.CharField(max_length=40, help_text="Sent as type_name.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["numbering", "kind"],
                name="kind_has_one_number_per_numbering",
                violation_error_message="This kind has a number in this list.",
            ),
            models.UniqueConstraint(
                fields=["numbering", "number"],
                name="kind_number_once_per_numbering",
                violation_error_message="Another kind has this number in this list.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
