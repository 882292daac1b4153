"""Who is served right now: sessions of client apps and their access tokens."""

from django.db import models
from django.db.models import Q

from loyalty.models.choices import IdentifierType
from loyalty.models.keys import ApiKey
from loyalty.models.members import Member
from loyalty.models.programme import Program


class ClientSession(models.Model):
    """A client app serving one member, or somebody unknown, until it ends.

    The app names it and sends the name with every call. Each call moves the end.
    """

    program = models.ForeignKey(Program, on_delete=models.CASCADE)
    correlation_id = models.CharField(
        max_length=128, help_text="The client's name for the session."
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        null=True,
        related_name="client_sessions",
        help_text="Empty: an anonymous session.",
    )
    identifier_type = models.CharField(
        max_length=20,
        choices=IdentifierType.choices,
        blank=True,
        help_text="By what the member was found; empty in an anonymous session.",
    )
    channel = models.CharField(max_length=50)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="The instant is outside.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "correlation_id"],
                name="client_session_once_per_program",
                violation_error_message="There is a session with this name.",
            ),
            models.CheckConstraint(
                condition=~Q(correlation_id=""),
                name="client_session_has_a_name",
                violation_error_message="A session needs a name.",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return self.correlation_id


class AccessToken(models.Model):
    """A short-lived OAuth 2.0 token, got for an API key; only its digest is kept."""

    digest = models.BinaryField(
        max_length=32, unique=True, help_text="SHA-256 of the token."
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="access_tokens"
    )
    can_read = models.BooleanField()
    can_write = models.BooleanField()
    can_interact = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="The instant is outside.")

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"Token of {self.api_key_id} until {self.expires_at:%Y-%m-%d %H:%M}"
