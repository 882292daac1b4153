"""Activities as they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters

from activities.api import answers
from activities.models import Activity
from loyalty.api.fields import moment_text
from loyalty.api.filters import MomentFilter, NumberFilter, TruthFilter
from loyalty.engine.money import rate_text, scaled_rate
from loyalty.engine.numbers import format_value, parse_value

if TYPE_CHECKING:
    from django.db.models import QuerySet


def for_reading(rows: QuerySet[Activity]) -> QuerySet[Activity]:
    """Load exactly what a stored activity shows; one query."""
    return rows.select_related(
        "activity_type",
        "channel",
        "business_unit",
        "reversal",
        "anonymous_profile",
        "late_decision",
    ).only(
        "id",
        "key",
        "source",
        "member_id",
        "occurred_at",
        "received_at",
        "created_at",
        "is_late",
        "zone_assumed",
        "value",
        "is_return",
        "currency",
        "rate",
        "counted_value",
        "items",
        "data",
        "decision",
        "late_decision__decision",
        "upload_id",
        "activity_type__code",
        "channel__code",
        "business_unit__code",
        "anonymous_profile__anonymous_id",
        "reversal__created_at",
        "reversal__reason",
    )


def stored_body(row: Activity, *, explain: bool) -> dict[str, Any]:
    """Return a stored activity."""
    reversal = getattr(row, "reversal", None)
    profile = row.anonymous_profile
    body = {
        "id": row.pk,
        "key": row.key,
        "source": row.source,
        "member": row.member_id,
        "anonymous_id": None if profile is None else profile.anonymous_id,
        "type": row.activity_type.code,
        "channel": None if row.channel is None else row.channel.code,
        "business_unit": None if row.business_unit is None else row.business_unit.code,
        "occurred_at": moment_text(row.occurred_at),
        "received_at": moment_text(row.received_at),
        "created_at": moment_text(row.created_at),
        "is_late": row.is_late,
        "zone_assumed": row.zone_assumed,
        "value": None if row.value is None else format_value(parse_value(row.value)),
        "is_return": row.is_return,
        "currency": row.currency or None,
        "rate": None if row.rate is None else rate_text(scaled_rate(row.rate)),
        "counted_value": None
        if row.counted_value is None
        else format_value(parse_value(row.counted_value)),
        "items": row.items,
        "data": row.data,
        "upload": row.upload_id,
        "is_reversed": reversal is not None,
        "reversed_at": None if reversal is None else moment_text(reversal.created_at),
        "reversal_reason": None if reversal is None else reversal.reason,
        **answers.earnings_of(row.latest_decision()),
    }
    if explain:
        body["explanation"] = answers.explanation_of(row.latest_decision())
    return body


class ActivityFilters(django_filters.FilterSet):
    """How activities are found."""

    member = NumberFilter(field_name="member_id", label="Number of the member.")
    type = django_filters.CharFilter(
        field_name="activity_type__code", label="Code of the activity type."
    )
    channel = django_filters.CharFilter(
        field_name="channel__code", label="Code of the channel."
    )
    business_unit = django_filters.CharFilter(
        field_name="business_unit__code", label="Code of the business unit."
    )
    occurred_from = MomentFilter(
        field_name="occurred_at", lookup_expr="gte", label="From this moment on."
    )
    occurred_until = MomentFilter(
        field_name="occurred_at", lookup_expr="lt", label="Before this moment."
    )
    source = django_filters.CharFilter(label="The surface it came through.")
    key = django_filters.CharFilter(label="The caller's key.")
    upload = NumberFilter(field_name="upload_id", label="Number of the upload.")
    is_reversed = TruthFilter(method="by_reversal", label="Whether it was undone.")

    class Meta:
        model = Activity
        fields: tuple[str, ...] = ()

    def by_reversal(
        self, rows: QuerySet[Activity], name: str, value: object
    ) -> QuerySet[Activity]:
        """Select what was undone, or what stands."""
        return rows.filter(reversal__isnull=not value)
