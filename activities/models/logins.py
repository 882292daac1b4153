"""Who interacts by themselves: apps of members, and people who are logged in."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from loyalty.models import Member, Program


class MemberApp(models.Model):
    """An app that members use, known by the host name that it sends."""

    hostname = models.CharField(
        "host name",
        max_length=253,
        unique=True,
        error_messages={"unique": "An app with this host name is listed already."},
        help_text="What the app sends as X-Spaaza-MyPrice-App-Hostname, in lower "
        "case: app.example.com.",
    )
    program = models.ForeignKey(
        Program,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Whose members use it. Empty: the app is known but belongs to "
        "nobody, and every call from it is refused.",
    )

    class Meta:
        verbose_name = "member app"
        constraints = [
            models.CheckConstraint(
                condition=Q(hostname__regex=r"^[a-z0-9]([a-z0-9.:_-]*[a-z0-9])?$"),
                name="member_app_has_a_host_name",
                violation_error_message="A host name has lower-case letters, digits, "
                "dots and hyphens only: app.example.com.",
            ),
        ]

    def __str__(self) -> str:
        return self.hostname


class LoginSession(models.Model):
    """A member or one of the staff, logged in until it ends.

    Who shows the key is that person. Only the key's digest is kept.
    """

    digest = models.BinaryField(
        max_length=32, unique=True, help_text="SHA-256 of the session's key."
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="login_sessions",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name="staff",
        related_name="login_sessions",
    )
    password_mark = models.CharField(
        max_length=128,
        blank=True,
        help_text="Of staff: what their password was when they logged in. Another "
        "password ends the session.",
    )
    opened_by = models.CharField(
        max_length=100, help_text="The API key or the person that opened it."
    )
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField("ends at", help_text="The instant is outside.")

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]
        permissions = [("interact", "Can interact with campaigns for members")]
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, user__isnull=True)
                | Q(member__isnull=True, user__isnull=False),
                name="login_session_is_one_person_s",
                violation_error_message="A session is a member's or one of the "
                "staff's.",
            ),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk}"
