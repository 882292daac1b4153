"""The base of bodies that mirror a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from rest_framework import serializers
from rest_framework.settings import api_settings

from loyalty.api import fields
from loyalty.api.bodies import escaped
from loyalty.api.problems import invalid, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models.constraints import BaseConstraint


class KnownMembersOnly:
    """Refuses what is not an object, and members that nobody reads, by name."""

    fields: Any

    def to_internal_value(self, data: Any) -> Any:
        """Return the values."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: ["An object is expected here."]}
            )
        unknown = [name for name in data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError(
                {
                    name: [serializers.ErrorDetail(_unknown(name), "unknown_member")]
                    for name in unknown
                }
            )
        return super().to_internal_value(data)  # type: ignore[misc]


class BodySerializer(KnownMembersOnly, serializers.Serializer[Any]):
    """A body that mirrors no model."""


class RowSerializer(KnownMembersOnly, serializers.ModelSerializer[Any]):
    """A row of the program.

    The rules that the model states as constraints answer with their own
    sentences, and the name of the rule as the code.
    """

    serializer_related_field = fields.RowId
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: fields.TruthField,
        models.CharField: fields.TextField,
        models.DateTimeField: fields.MomentField,
        models.DecimalField: fields.NumberField,
        models.IntegerField: fields.WholeNumberField,
        models.BigIntegerField: fields.WholeNumberField,
        models.PositiveIntegerField: fields.WholeNumberField,
        models.PositiveSmallIntegerField: fields.WholeNumberField,
        models.SmallIntegerField: fields.WholeNumberField,
        models.JSONField: fields.DataField,
        models.SlugField: fields.SlugField,
        models.TextField: fields.TextField,
        models.URLField: fields.AddressField,
    }

    def get_validators(self) -> list[Any]:
        """Return none: constraints are checked by the model, with its sentences."""
        return []

    def get_unique_together_constraints(self, model: Any) -> Iterator[Any]:
        """Return none, for the same reason."""
        return iter(())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the model's own rules on the row as it would become."""
        row = self._candidate(attrs)
        broken = list(_broken_rules(row, sent=set(attrs)))
        if broken:
            raise invalid(broken)
        return attrs

    def _candidate(self, attrs: dict[str, Any]) -> Any:
        model: Any = self.Meta.model
        if self.instance is None:
            row = model(**self.own())
        else:
            row = model._default_manager.get(pk=self.instance.pk)
        many = {field.name for field in model._meta.many_to_many}
        for name, value in attrs.items():
            if name not in many:
                setattr(row, name, value)
        return row

    def own(self) -> dict[str, Any]:
        """Return the fields of a new row that the caller does not choose."""
        return {"program_id": self.context["request"].auth.program_id}

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Create the row in the caller's program."""
        return super().create({**validated_data, **self.own()})


def _unknown(name: str) -> str:
    return f"There is no member “{name[:100]}” here."


def _broken_rules(row: models.Model, sent: set[str]) -> Iterator[dict[str, str]]:
    try:
        row.clean()
    except ModelValidationError as error:
        yield from _entries(error)
    for model, constraints in row.get_constraints():
        for constraint in constraints:
            try:
                constraint.validate(model, row)
            except ModelValidationError as error:
                pointer = f"/{_blamed(constraint, sent)}".rstrip("/")
                yield wrong(pointer, constraint.name, " ".join(error.messages))


def _entries(error: ModelValidationError) -> Iterator[dict[str, str]]:
    if not hasattr(error, "error_dict"):
        for text in error.messages:
            yield wrong("", "invalid", text)
        return
    for name, errors in error.error_dict.items():
        pointer = "" if name == NON_FIELD_ERRORS else f"/{escaped(name)}"
        for one in errors:
            for text in one.messages:
                yield wrong(pointer, one.code or "invalid", text)


def _blamed(constraint: BaseConstraint, sent: set[str]) -> str:
    """Return the field to point at: one that was sent, if the rule has one."""
    names: list[str] = []
    if isinstance(constraint, UniqueConstraint):
        names = [name for name in constraint.fields if name not in {"program", "kind"}]
    elif isinstance(constraint, CheckConstraint) and isinstance(
        constraint.condition, Q
    ):
        names = list(dict.fromkeys(_fields_in(constraint.condition)))
    return next((name for name in names if name in sent), names[0] if names else "")


def _fields_in(condition: Any) -> Iterator[str]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from _fields_in(child)
        elif isinstance(child, tuple):
            name = child[0].split("__")[0]
            if name != "kind":
                yield name
