"""Which money a program counts in, what other money is worth, and what is plausible."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from loyalty.engine.currencies import InvalidCurrency, parse_currency


def validate_currency(code: str) -> None:
    """Refuse what is not an ISO code of a currency."""
    try:
        parse_currency(code)
    except InvalidCurrency as error:
        raise ValidationError(str(error), code=error.code) from None


class CountedProgram(models.Model):
    """The settings of a program about amounts."""

    currency = models.CharField(
        max_length=3,
        blank=True,
        default="",
        validators=[validate_currency],
        help_text="ISO code, for example EUR. All rules count in it: an activity in "
        "another currency is converted by the rates below, or refused if there is "
        "none for its day. Empty: values are taken as they are, whatever their "
        "currency.",
    )
    line_value_max = models.DecimalField(
        "highest value of a line",
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        default=Decimal(1_000_000),
        help_text="An activity with a line worth more, or less than minus this, is "
        "refused as a typing error. In the program's currency. Empty: no limit.",
    )
    activity_value_max = models.DecimalField(
        "highest value of an activity",
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        default=Decimal(10_000_000),
        help_text="An activity worth more, or less than minus this, is refused. In the "
        "program's currency. Empty: no limit.",
    )
    line_quantity_max = models.PositiveIntegerField(
        "highest quantity of a line",
        null=True,
        blank=True,
        default=100_000,
        help_text="An activity with a line of more pieces is refused. Empty: no limit.",
    )
    activity_points_max = models.PositiveBigIntegerField(
        "most points of an activity",
        null=True,
        blank=True,
        default=1_000_000,
        help_text="An activity that would earn more in one wallet is refused. In whole "
        "points. Empty: no limit.",
    )

    class Meta:
        abstract = True


class ExchangeRate(models.Model):
    """What a currency is worth in the program's, from a day on."""

    program = models.ForeignKey(
        "loyalty.Program", on_delete=models.PROTECT, related_name="exchange_rates"
    )
    currency = models.CharField(
        max_length=3,
        validators=[validate_currency],
        help_text="ISO code of the other currency, for example CHF.",
    )
    valid_from = models.DateField(
        help_text="From this day on, in the program's time zone, until the next rate."
    )
    rate = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        help_text="How much one unit of it is worth in the program's currency: with "
        "1 CHF = 1.05 EUR it is 1.05.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "currency", "valid_from"],
                name="rate_once_per_currency_and_day",
                violation_error_message="There is a rate of this currency from this "
                "day on.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0),
                name="rate_is_positive",
                violation_error_message="The rate must be greater than zero.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} from {self.valid_from}"
