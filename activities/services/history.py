"""What a member has done, with what it earned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.models import Activity

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from loyalty.models import Member


def history_of(
    member: Member,
    *,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    unit_ids: Collection[int] = (),
) -> QuerySet[Activity]:
    """Return a member's activities, newest record first, with type and wallet.

    Those that were reversed are left out: they count as not done. ``from_at`` is
    inside and ``until_at`` outside, both of the moment at which it happened.
    ``unit_ids`` leaves out activities of other business units and of none.
    """
    rows = Activity.objects.filter(member=member, reversal__isnull=True)
    if from_at is not None:
        rows = rows.filter(occurred_at__gte=from_at)
    if until_at is not None:
        rows = rows.filter(occurred_at__lt=until_at)
    if unit_ids:
        rows = rows.filter(business_unit_id__in=list(unit_ids))
    return (
        rows.select_related("activity_type__wallet", "late_decision")
        .only(
            "occurred_at",
            "created_at",
            "data",
            "decision",
            "late_decision__decision",
            "activity_type__name",
            "activity_type__minimum_tier_id",
            "activity_type__show_as_locked_by_tier",
            "activity_type__wallet__code",
            "activity_type__wallet__decimals",
        )
        .order_by("-pk")
    )


def points_earned(activity: Activity) -> int:
    """Return what an activity earned in its type's wallet, in its smallest unit.

    All buckets together, as its decision record explains it.
    """
    code = activity.activity_type.wallet.code
    awards = activity.latest_decision().get("awards", ())
    return sum(award["points"] for award in awards if award["wallet"] == code)
