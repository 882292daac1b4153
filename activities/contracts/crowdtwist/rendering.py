"""Activity types and activities as the vendor writes them.

Types are those of the source's sample where its table says otherwise. Every key
is always there; "required" in the table does not mean "never null".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from activities.services.history import points_earned
from loyalty.engine.facts import RewardKind
from loyalty.models import KindNumber

if TYPE_CHECKING:
    from datetime import datetime

    from activities.models import Activity
    from loyalty.models import ActivityType

# Numbers and names of kinds, by kind; under None that of types without a kind.
Numbers = Mapping[int | None, KindNumber]


def extended(row: ActivityType, numbers: Numbers) -> dict[str, Any]:
    """Return an activity type as the extended lists show it."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "title": row.title,
        "description": row.description,
        "num_points": _points(row),
        "image": row.image or None,
        "category_id": _digits(row.category_id),
        "category_name": row.category.name if row.category else None,
        **_kind(row, numbers),
        "activity_channel_id": _digits(row.reporting_channel_id),
        "activity_channel_name": row.reporting_channel.name
        if row.reporting_channel
        else None,
        **_cap(row),
        "redirect_url": row.redirect_url or None,
        "points_on_click": row.points_on_click,
        "action_tags": row.action_tags or None,
        "date_start": _seconds(row.starts_at),
        "date_end": _seconds(row.ends_at),
        "extra_data": row.extra_data,
        "min_tier_id": row.minimum_tier_id,
        "show_as_locked_by_tier": row.show_as_locked_by_tier,
        "public_title": row.public_title or row.title,
        "public_description": row.public_description or row.description,
        "partner_info": {"id": row.partner.pk, "name": row.partner.name}
        if row.partner
        else None,
        "segment": _segment(row),
        "activity_tags": [
            {"tag_name": tag.name, "tag_id": tag.pk}
            for tag in sorted(row.tags.all(), key=lambda tag: tag.pk)
        ],
    }


def plain(row: ActivityType, numbers: Numbers) -> dict[str, Any]:
    """Return an activity type as the plain list shows it."""
    return {
        "id": str(row.pk),
        "title": row.title,
        "description": row.description,
        "num_points": _points(row),
        "image": row.image or None,
        "category_id": _digits(row.category_id),
        "type_id": _kind(row, numbers)["type_id"],
        "extra_data": row.extra_data,
        "date_start": _seconds(row.starts_at),
        "date_end": _seconds(row.ends_at),
        "min_tier_id": row.minimum_tier_id,
        "show_as_locked_by_tier": row.show_as_locked_by_tier,
    }


def plain_of_member(row: ActivityType, numbers: Numbers) -> dict[str, Any]:
    """Return an activity type as a member's plain list shows it.

    There, and only there, the number is an integer.
    """
    return {**plain(row, numbers), "id": row.pk}


def history_entry(activity: Activity) -> dict[str, Any]:
    """Return one line of a member's history.

    ``date_created`` is when it was recorded, ``date_awarded`` the moment that it
    counts for, null if it earned nothing.
    """
    kind = activity.activity_type
    points = points_earned(activity)
    return {
        "activity_id": str(kind.pk),
        "date_created": str(_seconds(activity.created_at)),
        "date_awarded": str(_seconds(activity.occurred_at)) if points else None,
        "name": kind.name,
        "num_points": points // 10**kind.wallet.decimals,
        "show_as_locked_by_tier": kind.show_as_locked_by_tier,
        "min_tier_id": kind.minimum_tier_id,
        "extra_data": activity.data or None,
    }


def _points(row: ActivityType) -> int:
    """Return whole points for one completion, or for one unit of value."""
    return 0 if row.reward_method == RewardKind.NOTHING.value else int(row.points)


def _kind(row: ActivityType, numbers: Numbers) -> dict[str, Any]:
    """Return number and name, always from the same row."""
    found = numbers.get(row.type_kind_id) or numbers.get(None)
    return {
        "type_id": _digits(found.number) if found else None,
        "type_name": found.name if found else None,
    }


def _cap(row: ActivityType) -> dict[str, Any]:
    period = row.frequency_period if row.cap_count is not None else None
    required = row.required_attempts
    return {
        "freq_cap": _digits(row.cap_count),
        "freq_period_id": _digits(period.pk) if period else None,
        "freq_period_name": period.name if period else None,
        "freq_num_required_attempts": _digits(required) if required > 1 else None,
    }


def _segment(row: ActivityType) -> dict[str, Any] | None:
    if row.segment is None:
        return None
    return {
        "name": row.segment.name,
        "subscription_id": row.segment.pk,
        "eligibility_type": row.segment_mode,
    }


def _digits(number: int | None) -> str | None:
    return None if number is None else str(number)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
