"""Whom a campaign is for, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from loyalty.models import Member, SegmentMembership

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from campaigns.models import Campaign


def audience_count(campaign: Campaign, at: datetime) -> int:
    """Return how many members the campaign's segments and tier let in at ``at``.

    Blocked members are not counted: their activities are refused.
    """
    members = Member.objects.filter(program=campaign.program_id, is_blocked=False)
    if campaign.minimum_tier is not None:
        threshold = campaign.minimum_tier.threshold
        members = members.filter(tier__threshold__gte=threshold)
    included = [segment.pk for segment in campaign.included_segments.all()]
    if included:
        members = members.filter(_is_in(included, at))
    excluded = [segment.pk for segment in campaign.excluded_segments.all()]
    if excluded:
        members = members.exclude(_is_in(excluded, at))
    return members.count()


def _is_in(segment_ids: Collection[int], at: datetime) -> Exists:
    stays: QuerySet[SegmentMembership] = SegmentMembership.objects.filter(
        Q(entered_at=None) | Q(entered_at__lte=at),
        Q(left_at=None) | Q(left_at__gt=at),
        member=OuterRef("pk"),
        segment__in=segment_ids,
    )
    return Exists(stays)
