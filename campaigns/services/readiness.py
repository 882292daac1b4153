"""Whether a campaign is ready to be enabled: gathers what the report is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Count, Q

from campaigns.models import ItemList
from campaigns.services import budgets
from campaigns.services.audience import audience_count
from campaigns.services.programme import current_programme, uncommitted_programme
from loyalty.engine.readiness import Known, Report, report_on
from loyalty.models import (
    Member,
    Offer,
    Segment,
    Tier,
    VoucherType,
    Wallet,
)
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from campaigns.models import Campaign
    from loyalty.engine import facts
    from loyalty.engine.programme import Programme

_WITHIN = """
SELECT i.id, e.id FROM unnest(%(included)s::bigint[]) AS i(id),
 unnest(%(excluded)s::bigint[]) AS e(id)
WHERE i.id <> e.id AND NOT EXISTS (
 SELECT 1 FROM loyalty_segmentmembership s WHERE s.segment_id = i.id
  AND (s.entered_at IS NULL OR s.entered_at <= %(now)s)
  AND (s.left_at IS NULL OR s.left_at > %(now)s)
  AND NOT EXISTS (SELECT 1 FROM loyalty_segmentmembership o
   WHERE o.segment_id = e.id AND o.member_id = s.member_id
   AND (o.entered_at IS NULL OR o.entered_at <= %(now)s)
   AND (o.left_at IS NULL OR o.left_at > %(now)s)))
"""
_ABLE = """
SELECT p.wallet_id, p.price, count(m.id)
FROM unnest(%s::bigint[], %s::bigint[]) AS p(wallet_id, price)
JOIN loyalty_wallet w ON w.id = p.wallet_id
JOIN loyalty_member m ON m.program_id = w.program_id AND NOT m.is_blocked
LEFT JOIN loyalty_account a ON a.member_id = m.id AND a.wallet_id = p.wallet_id
LEFT JOIN (
    SELECT l.account_id, sum(l.remaining) AS points FROM loyalty_lot l
    WHERE l.remaining > 0 AND (l.expires_at IS NULL OR l.expires_at > %s)
    AND (NOT l.is_pending OR l.available_at <= %s) GROUP BY l.account_id
) spendable ON spendable.account_id = a.id
WHERE w.allows_negative OR spendable.points >= p.price
GROUP BY p.wallet_id, p.price
"""


def readiness_of(
    campaign: Campaign,
    *,
    now: datetime,
    cost_per_point: Decimal | None = None,
    is_committed: bool = True,
) -> Report:
    """Return what is wrong or odd about a saved campaign, and what it may cost.

    Read only; as many queries whatever the program's size. Audiences and stock are
    those of ``now``. ``cost_per_point`` is in money, for the campaign's own wallet.
    In the transaction that changes the campaign it is not committed yet.
    """
    programme_of = current_programme if is_committed else uncommitted_programme
    programme = programme_of(campaign.program_id)
    offer = programme.offers[campaign.pk]

    known = _known(campaign, offer, programme, now, cost_per_point)

    return report_on(offer, programme, known)


def _known(
    campaign: Campaign,
    offer: facts.Offer,
    programme: Programme,
    now: datetime,
    cost_per_point: Decimal | None,
) -> Known:
    program_id = programme.program_id
    every = (offer, *offer.methods)
    lists = _lists(every)
    segments = _segments(every, now)
    listed = [one.voucher_type_id for one in every if one.voucher_type_id is not None]
    stock = vouchers.stock_of(listed, lock=False) if listed else {}
    limited = {one.id: one for one in every if one.has_budget}
    return Known(
        now=now,
        member_count=Member.objects.filter(program=program_id).count(),
        audience=audience_count(campaign, now),
        offers=_names(offer, programme),
        segments={pk: name for pk, name, _ in segments},
        segment_sizes={pk: size for pk, _, size in segments},
        within=_within(offer, now),
        lists={pk: name for pk, name, _ in lists},
        list_sizes={pk: size for pk, _, size in lists},
        tiers={
            int(tier.threshold.scaleb(4)): tier.name
            for tier in Tier.objects.filter(program=program_id)
        },
        tier_holders=_tier_holders(campaign),
        wallets=dict(
            Wallet.objects.filter(program=program_id).values_list("pk", "name")
        ),
        can_pay=_can_pay(every, now),
        costs={} if cost_per_point is None else {offer.wallet.id: cost_per_point},
        vouchers=dict(
            VoucherType.objects.filter(program=program_id).values_list("pk", "name")
        ),
        codes_left={one: left for one, left in stock.items() if left is not None},
        budgets=budgets.budgets_of(limited, lock=False) if limited else {},
        is_enabled=campaign.is_enabled,
    )


def _names(offer: facts.Offer, programme: Programme) -> dict[int, str]:
    """Return the names of what can be told: types, enabled campaigns, own methods."""
    wanted = {rule.offer.id for rule in programme.types.values()}
    wanted |= {one.id for one in programme.campaigns if one.is_enabled}
    wanted |= {offer.id, *(one.id for one in offer.methods)}
    rows = Offer.objects.filter(program=programme.program_id)
    return {pk: name for pk, name in rows.values_list("pk", "name") if pk in wanted}


def _segments(
    offers: Iterable[facts.Offer], now: datetime
) -> list[tuple[int, str, int]]:
    ids = {
        segment_id
        for one in offers
        for segment_id in one.segments | one.excluded_segments
    }
    if not ids:
        return []
    stays = Count(
        "memberships",
        filter=(Q(memberships__entered_at=None) | Q(memberships__entered_at__lte=now))
        & (Q(memberships__left_at=None) | Q(memberships__left_at__gt=now)),
    )
    rows = Segment.objects.filter(pk__in=ids).annotate(size=stays)
    return list(rows.values_list("pk", "name", "size"))


def _within(offer: facts.Offer, now: datetime) -> frozenset[tuple[int, int]]:
    """Return which included segments have all their members in an excluded one."""
    if not offer.segments or not offer.excluded_segments:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            _WITHIN,
            {
                "included": sorted(offer.segments),
                "excluded": sorted(offer.excluded_segments),
                "now": now,
            },
        )
        return frozenset((row[0], row[1]) for row in cursor.fetchall())


def _lists(offers: Iterable[facts.Offer]) -> list[tuple[int, str, int]]:
    ids = {
        group.list_id
        for one in offers
        for group in (*one.qualify, *([one.redeem] if one.redeem else []))
    }
    ids |= {one.item_list_id for one in offers if one.item_list_id is not None}
    if not ids:
        return []
    rows = ItemList.objects.filter(pk__in=ids).annotate(size=Count("items"))
    return list(rows.values_list("pk", "name", "size"))


def _tier_holders(campaign: Campaign) -> int | None:
    if campaign.minimum_tier is None:
        return None
    holders = Member.objects.filter(
        program=campaign.program_id,
        is_blocked=False,
        tier__threshold__gte=campaign.minimum_tier.threshold,
    )
    return holders.count()


def _can_pay(
    offers: Iterable[facts.Offer], now: datetime
) -> dict[tuple[int, int], int]:
    """Return how many members can pay each price, by wallet and price."""
    prices = sorted(
        {(one.cost_wallet_id, one.cost) for one in offers if one.cost_wallet_id}
    )
    if not prices:
        return {}
    with connection.cursor() as cursor:
        wallet_ids, amounts = zip(*prices, strict=True)
        cursor.execute(_ABLE, [list(wallet_ids), list(amounts), now, now])
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}
