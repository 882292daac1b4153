"""Filters of lists: strict about what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field

from loyalty.engine.moments import InvalidMoment, parse_moment
from loyalty.models import ActivityType, Identity, Member
from loyalty.services.identities import holders_of, identities_called

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


class NumberFormField(forms.IntegerField):
    """A row's number."""

    def __init__(self, **options: Any) -> None:
        """Bound it to what a column holds."""
        super().__init__(**{"min_value": 1, "max_value": 2**63 - 1, **options})


@extend_schema_field({"type": "integer", "minimum": 1})
class NumberFilter(django_filters.Filter):
    """Selects by a row's number."""

    field_class = NumberFormField


class MomentFormField(forms.CharField):
    """A moment with its offset."""

    def clean(self, value: Any) -> Any:
        """Return the instant."""
        text = super().clean(value)
        if not text:
            return None
        try:
            # A "+" in a query that was not escaped arrives as a blank.
            return _moment(text)
        except InvalidMoment as error:
            raise ValidationError(str(error), code=error.code) from None


def _moment(text: str) -> datetime:
    head, blank, offset = text.rpartition(" ")
    if blank and "T" in head.upper():
        text = f"{head}+{offset}"
    return parse_moment(text, None).at


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentFilter(django_filters.Filter):
    """Selects by a moment."""

    field_class = MomentFormField


class TruthFormField(forms.CharField):
    """true or false."""

    def clean(self, value: Any) -> Any:
        """Return the truth value; None if nothing was asked."""
        text = super().clean(value)
        if not text:
            return None
        if text not in {"true", "false"}:
            raise ValidationError("Say true or false.", code="not_truth")
        return text == "true"


@extend_schema_field({"type": "boolean"})
class TruthFilter(django_filters.Filter):
    """Selects by a claim."""

    field_class = TruthFormField


class MemberFilters(django_filters.FilterSet):
    """How members are found."""

    identity_kind = django_filters.CharFilter(
        method="by_identity", label="Kind of identity; goes with `identity_value`."
    )
    identity_value = django_filters.CharFilter(
        method="by_identity", label="Value of the identity, in any spelling."
    )
    tier = NumberFilter(field_name="tier_id", label="Number of the tier held now.")
    segment = NumberFilter(method="in_segment", label="Number of a segment.")
    is_blocked = TruthFilter(label="Whether activities are refused.")

    class Meta:
        model = Member
        fields: tuple[str, ...] = ()

    def by_identity(
        self, rows: QuerySet[Member], name: str, value: str
    ) -> QuerySet[Member]:
        """Select the members that have the identity; by kind alone, all with one."""
        data = self.data or {}
        kind, text = (data.get(f"identity_{part}") for part in ("kind", "value"))
        program_id = _program_of(self.request)
        found = Identity.objects.filter(program_id=program_id)
        if text:
            found = identities_called(program_id, text)
        if text and kind:
            holders = holders_of(program_id, [(kind, text)])
            return rows.filter(pk__in=holders.values())
        if kind:
            found = found.filter(kind=kind)
        return rows.filter(pk__in=found.values("member_id"))

    def in_segment(
        self, rows: QuerySet[Member], name: str, value: int
    ) -> QuerySet[Member]:
        """Select the members that are in the segment now."""
        return rows.filter(
            segment_memberships__segment_id=value,
            segment_memberships__left_at=None,
        )


def _program_of(request: Any) -> int:
    program_id: int = request.auth.program_id
    return program_id


class ActivityTypeFilters(django_filters.FilterSet):
    """How activity types are found."""

    code = django_filters.CharFilter(label="Code, to the letter.")
    is_enabled = TruthFilter(label="Whether the switch is on.")
    business_unit = NumberFilter(
        field_name="business_unit_id", label="Number of a business unit."
    )
    category = NumberFilter(field_name="category_id", label="Number of a category.")
    partner = NumberFilter(field_name="partner_id", label="Number of a partner.")
    tag = NumberFilter(field_name="tags", label="Number of a tag.")
    needs_review = TruthFilter(label="Whether somebody has to look at it.")

    class Meta:
        model = ActivityType
        fields: tuple[str, ...] = ()


class CodeFilters(django_filters.FilterSet):
    """Finds a row by its code."""

    code = django_filters.CharFilter(label="Code, to the letter.")
