"""What a program's settings may be."""

from django.core.exceptions import ValidationError
from django.db import models

from loyalty.engine.identities import is_region


def validate_region(code: str) -> None:
    """Refuse what is not the code of a country with telephone numbers."""
    if not is_region(code):
        raise ValidationError(
            f"“{code}” is not a valid country code. Use two capital letters such as "
            "DE or FR.",
            code="unknown_region",
        )


class NaiveTimestampPolicy(models.TextChoices):
    """What a moment without a zone means."""

    PROGRAM_ZONE = "program_zone", "Read it in the program's time zone"
    UTC = "utc", "Read it as UTC"
    REJECT = "reject", "Refuse it"


class IdentifierType(models.TextChoices):
    """By what a client app finds a member when it opens a session."""

    ACCOUNT_ID = "ACCOUNT_ID", "Account id"
    LOYALTY_ID = "LOYALTY_ID", "Loyalty card"
    EXTERNAL_ID = "EXTERNAL_ID", "Customer id"
    EMAIL = "EMAIL", "E-mail address"
    PARTNER_LINK_ID = "PARTNER_LINK_ID", "Partner link"
    PHONE_NUMBER = "PHONE_NUMBER", "Phone number"
    EXTERNAL_AGENT_ID = "EXTERNAL_AGENT_ID", "External agent"


class RetroPoints(models.TextChoices):
    """Whether what people did before they were known earns once they are."""

    OFF = "off", "Nothing"
    WINDOW = "window", "What happened in the last hours"
    ALL = "all", "Everything"
