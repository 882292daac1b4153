"""The two groups of a campaign: who could take part, and who was held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Min

from loyalty.engine.holdout import BITS, PARTS
from loyalty.errors import LoyaltyError
from loyalty.models import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from campaigns.models import Campaign

# The engine's ``is_held_out`` in SQL: 48 bits are 12 digits of the digest.
_IS_HELD_OUT = (
    "(('x' || left(encode(sha256(convert_to(%(salt)s || ':' || s.id, 'UTF8')),"
    f" 'hex'), {BITS // 4}))::bit({BITS})::bigint * {PARTS} >> {BITS}) < %(share)s"
)
# Whom the campaign lets in when it starts; who joins later counts from then on.
# Members that came with a file may have acted before they were enrolled.
_SINCE = """
    SELECT m.id, CASE WHEN m.enrolled_at <= %(start)s THEN %(start)s
        ELSE greatest(%(start)s, least(m.enrolled_at, (
            SELECT min(a.occurred_at) FROM activities_activity a
            WHERE a.member_id = m.id))) END AS since
    FROM loyalty_member m WHERE m.program_id = %(program)s
"""
_TIER = """(
    SELECT t.threshold FROM loyalty_membertier h
    LEFT JOIN loyalty_tier t ON t.id = h.tier_id
    WHERE h.member_id = s.id AND h.since <= s.since
    ORDER BY h.since DESC, h.id DESC LIMIT 1) >= %(threshold)s"""
_STAY = """ EXISTS (
    SELECT 1 FROM loyalty_segmentmembership y
    WHERE y.member_id = s.id AND y.segment_id = ANY(%({name})s)
      AND (y.entered_at IS NULL OR y.entered_at <= s.since)
      AND (y.left_at IS NULL OR y.left_at > s.since))"""

_LINES_AT_ONCE = 10_000


class NoHoldout(LoyaltyError):
    """The campaign holds nobody out, so there is nothing to compare with."""

    code = "no_holdout"


class NotYetMeasurable(LoyaltyError):
    """The campaign has not begun."""

    code = "not_yet_measurable"


@dataclass(frozen=True)
class Period:
    """What is measured: ``[start, end)``."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Groups:
    """SQL of the campaign's members, with ``is_held_out``, and its parameters."""

    sql: str
    params: dict[str, Any]
    period: Period


def groups_of(
    campaign: Campaign, *, now: datetime, until: datetime | None = None
) -> Groups:
    """Return the members that the campaign let in, parted as the engine parts them.

    Args:
        campaign: with ``minimum_tier`` and ``group`` loaded.
        now: nothing after it is measured.
        until: the end of the period, if not the campaign's own.

    Raises:
        NoHoldout: it holds nobody out.
        NotYetMeasurable: it has not begun.
    """
    if campaign.holdout_percent is None:
        raise NoHoldout(
            "This campaign holds nobody out, so there is nobody to compare with."
        )
    period = _period(campaign, now, until)
    params = {
        "program": campaign.program_id,
        "start": period.start,
        "end": period.end,
        "salt": campaign.holdout_salt,
        "share": int(campaign.holdout_percent * 100),
    }
    conditions = ["s.since < %(end)s", *_audience(campaign, params)]
    sql = (
        f"SELECT s.id, s.since, {_IS_HELD_OUT} AS is_held_out"  # noqa: S608
        f" FROM ({_SINCE}) s WHERE {' AND '.join(conditions)}"
    )
    return Groups(sql, params, period)


def assignment_lines(groups: Groups) -> Iterator[str]:
    """Yield a CSV of the members measured: number, group, and since when."""
    yield "member,group,since\n"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, CASE WHEN is_held_out THEN 'held_out' ELSE 'treated' END,"  # noqa: S608
            f" to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
            f" FROM ({groups.sql}) g ORDER BY id",
            groups.params,
        )
        while rows := cursor.fetchmany(_LINES_AT_ONCE):
            yield "".join(f"{one},{group},{since}\n" for one, group, since in rows)


def offer_ids_of(campaign: Campaign) -> list[int]:
    """Return the numbers under which the campaign pays: its own and its methods'."""
    return [campaign.pk, *campaign.methods.values_list("pk", flat=True)]


def _period(campaign: Campaign, now: datetime, until: datetime | None) -> Period:
    group = campaign.group
    starts = [campaign.starts_at, group.starts_at if group else None]
    ends = [campaign.ends_at, group.ends_at if group else None]
    start = max([one for one in starts if one], default=None) or _first_award(campaign)
    if start is None or start >= now:
        raise NotYetMeasurable("It has not begun: there is nothing to measure yet.")
    end = until or min([one for one in ends if one], default=now)
    return Period(start, max(start, min(end, now)))


def _first_award(campaign: Campaign) -> datetime | None:
    awards = Entry.objects.filter(
        offer__in=offer_ids_of(campaign), kind=EntryKind.AWARD
    )
    first: datetime | None = awards.aggregate(first=Min("occurred_at"))["first"]
    return first


def _audience(campaign: Campaign, params: dict[str, Any]) -> Iterator[str]:
    """Yield the conditions of tier and segments; fill in what they ask."""
    if campaign.minimum_tier is not None:
        params["threshold"] = campaign.minimum_tier.threshold
        yield _TIER
    for name, negation in (("included_segments", ""), ("excluded_segments", "NOT")):
        ids = [segment.pk for segment in getattr(campaign, name).all()]
        if ids:
            params[name] = ids
            yield negation + _STAY.format(name=name)
