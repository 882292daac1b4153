"""Numbers for people about campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from loyalty.models import Member, SegmentMembership

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from campaigns.models import Campaign


class Given(NamedTuple):
    """What an offer has given and not taken back; smallest unit of its wallet."""

    points: int
    awards: int


NOTHING_GIVEN = Given(0, 0)


def given_by(offer_ids: Collection[int]) -> dict[int, Given]:
    """Return what each offer has given so far; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT offer_id, sum(CASE kind WHEN 'award' THEN amount ELSE -amount END),"
            " count(*) FILTER (WHERE kind = 'award')"
            " - count(*) FILTER (WHERE kind = 'reversal')"
            " FROM loyalty_entry WHERE offer_id = ANY(%s)"
            " AND kind IN ('award', 'reversal') GROUP BY offer_id",
            [list(offer_ids)],
        )
        return {row[0]: Given(int(row[1]), row[2]) for row in cursor.fetchall()}


def participants_of(quest_ids: Collection[int]) -> dict[int, int]:
    """Return how many members take part in each quest; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quest_id, count(DISTINCT member_id) FROM campaigns_questoptin"
            " WHERE quest_id = ANY(%s) GROUP BY quest_id",
            [list(quest_ids)],
        )
        return dict(cursor.fetchall())


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
