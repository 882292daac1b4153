"""Wallets: kinds of points."""

from django.db import models
from django.db.models import Q

from loyalty.engine.points import ExpiryModel, Rounding
from loyalty.models.programme import Program


class Wallet(models.Model):
    """A kind of points: how it counts, rounds and expires."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.SlugField(max_length=50, help_text="The key that answers use.")
    name = models.CharField(max_length=100)
    decimals = models.PositiveSmallIntegerField(
        default=0,
        help_text="Digits after the point, 0 to 4. Fixed once points were given.",
    )
    rounding = models.CharField(
        max_length=8,
        choices=[
            (Rounding.DOWN.value, "Down"),
            (Rounding.HALF_UP.value, "Half up"),
            (Rounding.UP.value, "Up"),
        ],
        default=Rounding.DOWN.value,
        help_text="Applied once to each award.",
    )
    expiry_model = models.CharField(
        "expiry",
        max_length=32,
        choices=[
            (ExpiryModel.NEVER.value, "Never"),
            (ExpiryModel.DAYS.value, "Days after earning"),
            (ExpiryModel.MONTHS.value, "Months after earning"),
            (ExpiryModel.END_OF_MONTH.value, "End of a month after earning"),
            (ExpiryModel.END_OF_YEAR.value, "End of a year after earning"),
            (ExpiryModel.INACTIVITY.value, "Months without earning"),
        ],
        default=ExpiryModel.NEVER.value,
    )
    expiry_count = models.PositiveSmallIntegerField(
        "expiry: how many",
        default=0,
        help_text="Number of days, months or years; 0 with “Never”.",
    )
    pending_days = models.PositiveSmallIntegerField(
        default=0,
        help_text="Points cannot be spent for so many days, for example while goods "
        "can be returned.",
    )
    allows_negative = models.BooleanField(
        "may go below zero",
        default=False,
        help_text="If points that were spent are taken back. Otherwise the shortfall "
        "is taken from the next earnings.",
    )
    counts_for_tier = models.BooleanField(
        "counts for the tier",
        default=True,
        help_text="Points earned here raise the member's score.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="wallet_code_once_per_program",
                violation_error_message="This program has a wallet with this code.",
            ),
            models.CheckConstraint(
                condition=Q(decimals__lte=4),
                name="wallet_has_at_most_four_decimals",
                violation_error_message="A wallet has at most 4 decimals.",
            ),
            models.CheckConstraint(
                condition=Q(expiry_model=ExpiryModel.NEVER.value, expiry_count=0)
                | (~Q(expiry_model=ExpiryModel.NEVER.value) & Q(expiry_count__gte=1)),
                name="wallet_expiry_has_a_count",
                violation_error_message="“Never” goes with 0; every other expiry needs "
                "a number of 1 or more.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
