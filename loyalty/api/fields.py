"""Fields of bodies: strict about types, exact about numbers and moments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.bodies import check_storable, plain_object
from loyalty.api.problems import Problem
from loyalty.engine.moments import InvalidMoment, parse_moment
from loyalty.engine.numbers import (
    InvalidNumber,
    NumberText,
    format_value,
    parse_value,
    parse_whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import Model, QuerySet

ROW_NUMBER_MAX = 2**63 - 1
LINKS_MAX = 1_000


class _Strict:
    """Refuses numbers and truth values where text is meant."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or isinstance(data, NumberText):
            raise serializers.ValidationError("Text is expected here.", "not_text")
        return super().to_internal_value(data)  # type: ignore[misc]


class TextField(_Strict, serializers.CharField):
    """Text, kept as it was sent."""

    def __init__(self, **options: Any) -> None:
        """Keep blanks at the ends: codes of tills may have them."""
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)


class SlugField(_Strict, serializers.SlugField):
    """A short name of letters, digits, hyphens and underscores."""


class AddressField(_Strict, serializers.URLField):
    """A web address."""


class WholeNumberField(serializers.IntegerField):
    """A whole number, however JSON writes it (``5.0``, ``1e2``).

    Refuses truth values, fractions and text.
    """

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if isinstance(data, NumberText) and data.lstrip("-").isdigit():
            raise serializers.ValidationError(
                "This number is too large.", "number_too_large"
            )
        try:
            return parse_whole(data)
        except InvalidNumber:
            raise serializers.ValidationError(
                "Must be a whole number.", "not_a_whole_number"
            ) from None


class TruthField(serializers.BooleanField):
    """True or false, and nothing that resembles it."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth value."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("true or false is expected.", "not_truth")
        return data


class MomentField(serializers.DateTimeField):
    """A moment; one without an offset is read as the program says."""

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant in UTC."""
        caller = self.context["request"].auth
        try:
            return parse_moment(value, caller.naive_zone).at
        except InvalidMoment as error:
            raise serializers.ValidationError(str(error), error.code) from None

    def to_representation(self, value: Any) -> str:
        """Return the instant in UTC."""
        return moment_text(value)


def moment_text(moment: datetime) -> str:
    """Return an instant as the API writes it: in UTC, with Z."""
    return moment.isoformat().replace("+00:00", "Z")


@extend_schema_field({"type": "string", "format": "decimal", "example": "2.5"})
class NumberField(serializers.Field[Any, Any, str, Any]):
    """A number with at most four decimals, as a JSON number or as text."""

    def __init__(self, **options: Any) -> None:
        """Forget the digits: the column's size is the pattern's."""
        for name in ("max_digits", "decimal_places"):
            self_digits = options.pop(name, None)
            del self_digits
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the exact number."""
        try:
            units = parse_value(data)
        except InvalidNumber as error:
            raise serializers.ValidationError(str(error), error.code) from None
        return Decimal(units).scaleb(-4)

    def to_representation(self, value: Any) -> str:
        """Return the shortest decimal text."""
        return format_value(int(Decimal(value).scaleb(4)))


@extend_schema_field({"type": "object", "additionalProperties": True})
class DataField(serializers.Field[Any, Any, Any, Any]):
    """Free names and values, bounded in size."""

    def __init__(self, **options: Any) -> None:
        """Accept the options of a JSON column."""
        for name in ("encoder", "decoder"):
            options.pop(name, None)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return an object with ordinary numbers."""
        try:
            found = plain_object(data, "")
            check_storable(found)
        except Problem as problem:
            code = problem.errors[0]["code"] if problem.errors else problem.code
            raise serializers.ValidationError(problem.detail, code) from None
        return found

    def to_representation(self, value: Any) -> Any:
        """Return the object."""
        return value


class RowId(serializers.PrimaryKeyRelatedField[Any]):
    """The number of another row, of the same program where it belongs to one."""

    default_error_messages = {
        "does_not_exist": "There is no such row with the number {pk_value}.",
        "incorrect_type": "The number of a row is expected here.",
    }

    def get_queryset(self) -> QuerySet[Any] | None:
        """Return the rows that may be named."""
        rows = super().get_queryset()
        if rows is None:
            return None
        return rows_of(rows, self.context)

    def to_internal_value(self, data: Any) -> Any:
        """Return the row."""
        try:
            number = parse_whole(data)
        except InvalidNumber:
            self.fail("incorrect_type")
        return super().to_internal_value(number)


@extend_schema_field({"type": "array", "items": {"type": "integer"}})
class RowIds(serializers.Field[Any, Any, list[int], Any]):
    """The numbers of many rows of the program; one query, however many."""

    default_error_messages = {
        "not_a_list": "A list of row numbers is expected here.",
        "too_many": f"At most {LINKS_MAX} rows can be named.",
        "does_not_exist": "There is no such row with the number {number}.",
    }

    def __init__(self, *, queryset: QuerySet[Any], **options: Any) -> None:
        """Keep the rows that may be named."""
        self.queryset = queryset
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[Model]:
        """Return the rows."""
        if not isinstance(data, list) or not all(
            isinstance(one, int) and not isinstance(one, bool) for one in data
        ):
            self.fail("not_a_list")
        if len(data) > LINKS_MAX:
            self.fail("too_many")
        found = rows_of(self.queryset, self.context).in_bulk(
            [one for one in data if 0 < one <= ROW_NUMBER_MAX]
        )
        for number in data:
            if number not in found:
                self.fail("does_not_exist", number=number)
        return list(found.values())

    def to_representation(self, value: Any) -> list[int]:
        """Return the numbers; the rows should have been fetched in advance."""
        return sorted(row.pk for row in value.all())


def rows_of(rows: QuerySet[Any], context: Mapping[str, Any]) -> QuerySet[Any]:
    """Return the rows that the caller may name."""
    rows = rows.all()
    if not any(field.name == "program" for field in rows.model._meta.get_fields()):
        return rows
    return rows.filter(program_id=context["request"].auth.program_id)
