"""API keys: who may call, for which program, units and verbs."""

from typing import ClassVar

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager

from loyalty.models.programme import BusinessUnit, Program


class ApiKeyManager(APIKeyManager):
    """Makes keys whose number says nothing of their secret."""

    def assign_key(self, obj: AbstractAPIKey) -> str:
        """Give ``obj`` a new secret and return it; its number is the prefix alone.

        The library would put the hash into the number, and so into the addresses of
        admin pages, logs and browser histories.
        """
        secret: str = super().assign_key(obj)
        obj.id = obj.prefix
        return secret


class ApiKey(AbstractAPIKey):
    """A client app's key: hashed, shown once, bound to one program."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="api_keys"
    )
    business_units = models.ManyToManyField(
        BusinessUnit,
        blank=True,
        help_text="Only activities of these units. Empty: every unit.",
    )
    can_read = models.BooleanField(
        "may read", default=True, help_text="Look up members, points and vocabularies."
    )
    can_write = models.BooleanField(
        "may write", default=False, help_text="Record activities and change rows."
    )
    can_interact = models.BooleanField(
        "may interact",
        default=False,
        help_text="Interact with campaigns for members, and nothing else. A key that "
        "may write may do so anyway.",
    )

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"


class IdempotentResponse(models.Model):
    """The stored answer to a write that carried an ``Idempotency-Key``.

    Activities do not need it: their own row is the record. Kept for the other
    writes of the native API.
    """

    program = models.ForeignKey(Program, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    payload = models.JSONField()
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "key"], name="idempotency_key_once_per_program"
            ),
        ]

    def __str__(self) -> str:
        return self.key
