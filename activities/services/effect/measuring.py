"""What a campaign changed: those who could take part against those held out.

Everybody whom the campaign let in counts, whether they used it or not (intention to
treat): only the hash parts the two groups, so what differs between them is the
campaign or chance. The sums come from one statement, whatever the number of members.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from activities.services.effect.comparing import Comparison, Sample, compare
from activities.services.effect.groups import Period, groups_of, offer_ids_of
from loyalty.engine.facts import RewardKind
from loyalty.models import Offer, Wallet

if TYPE_CHECKING:
    from datetime import datetime

    from activities.services.effect.groups import Groups
    from campaigns.models import Campaign

# A return is no visit: it lowers the value alone.
_MOMENTS = """
WITH grouped AS MATERIALIZED ({groups}),
done AS (
    SELECT a.member_id,
           count(*) FILTER (WHERE NOT a.is_return)::float8 AS visits,
           coalesce(sum(coalesce(a.counted_value, a.value)), 0)::float8 AS value
    FROM activities_activity a
    LEFT JOIN activities_activityreversal r ON r.activity_id = a.id
    WHERE a.program_id = %(program)s AND a.member_id IS NOT NULL
      AND a.occurred_at >= %(start)s AND a.occurred_at < %(end)s
      AND r.activity_id IS NULL
    GROUP BY a.member_id
), awarded AS (
    SELECT c.member_id, c.wallet_id, e.offer_id = ANY(%(offers)s) AS is_own,
           e.amount - coalesce(x.amount, 0) AS points
    FROM loyalty_entry e
    JOIN loyalty_account c ON c.id = e.credit_account_id
    LEFT JOIN loyalty_entry x ON x.reverses_id = e.id
    WHERE e.program_id = %(program)s AND e.kind = 'award'
      AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
      AND c.wallet_id = ANY(%(wallets)s)
), earned AS (
    SELECT member_id, wallet_id, sum(points)::float8 AS points,
           coalesce(sum(points) FILTER (WHERE is_own), 0) AS own
    FROM awarded GROUP BY member_id, wallet_id
)
SELECT g.is_held_out, NULL::bigint AS wallet_id, count(*), 0,
       avg(coalesce(d.visits, 0)), coalesce(stddev_samp(coalesce(d.visits, 0)), 0),
       avg(coalesce(d.value, 0)), coalesce(stddev_samp(coalesce(d.value, 0)), 0)
FROM grouped g LEFT JOIN done d ON d.member_id = g.id GROUP BY g.is_held_out
UNION ALL
SELECT g.is_held_out, w.id, count(*), coalesce(sum(p.own), 0),
       avg(coalesce(p.points, 0)), coalesce(stddev_samp(coalesce(p.points, 0)), 0),
       0, 0
FROM grouped g CROSS JOIN unnest(%(wallets)s::bigint[]) w(id)
LEFT JOIN earned p ON p.member_id = g.id AND p.wallet_id = w.id
GROUP BY g.is_held_out, w.id
"""

NOBODY = Sample(0, 0.0, 0.0)


class Measure(NamedTuple):
    """One thing measured, per member.

    ``name`` is visits, value or points; points are in whole points of ``wallet``.
    """

    name: str
    wallet: Wallet | None
    treated: Sample
    held_out: Sample
    comparison: Comparison

    def in_all(self, per_member: float) -> float:
        """Return what a difference per member is for all that could take part."""
        return per_member * self.treated.size


class Cost(NamedTuple):
    """What the campaign gave in one wallet, and what one more visit cost.

    ``points`` were given by the campaign itself. ``per_visit`` counts all points
    that those who could take part got beyond those held out, by the visits that
    they made beyond them; None while no more visits are certain. ``money`` and
    ``money_per_visit`` follow from what a point costs, if that is told.
    """

    wallet: Wallet
    points: Decimal
    per_visit: float | None
    money: float | None
    money_per_visit: float | None


@dataclass(frozen=True)
class Effect:
    """What a campaign changed over a period."""

    period: Period
    treated_count: int
    held_out_count: int
    measures: list[Measure]
    costs: list[Cost]

    def of(self, name: str) -> Measure:
        """Return the first measure of this name."""
        return next(one for one in self.measures if one.name == name)


def measure_effect(
    campaign: Campaign,
    *,
    now: datetime,
    until: datetime | None = None,
    point_cost: Decimal | None = None,
) -> Effect:
    """Return what ``campaign`` changed, with 95 % intervals.

    Args:
        campaign: with ``minimum_tier`` and ``group`` loaded.
        now: nothing after it is measured.
        until: the end of the period, if not the campaign's own.
        point_cost: what one point costs, in money.

    Raises:
        NoHoldout: it holds nobody out.
        NotYetMeasurable: it has not begun.
    """
    groups = groups_of(campaign, now=now, until=until)
    wallets = _wallets(campaign)

    found = _moments(groups, wallets, offer_ids_of(campaign))

    measures = _measures(found, wallets)
    treated, held_out = measures[0].treated, measures[0].held_out
    costs = [
        _cost(one, measures[0], found.own.get(one.wallet.pk, 0), point_cost)
        for one in measures
        if one.wallet is not None
    ]
    return Effect(groups.period, treated.size, held_out.size, measures, costs)


class _Found(NamedTuple):
    """Samples by (measure, wallet, held out); what the campaign gave, by wallet."""

    samples: dict[tuple[str, int | None, bool], Sample]
    own: dict[int, int]


def _wallets(campaign: Campaign) -> list[Wallet]:
    """Return the wallets that the campaign or its methods pay into."""
    giving_no_points = [
        kind.value
        for kind in (RewardKind.NOTHING, RewardKind.VOUCHER, RewardKind.METHODS)
    ]
    offers = Offer.objects.filter(pk__in=offer_ids_of(campaign)).exclude(
        reward_method__in=giving_no_points
    )
    return list(Wallet.objects.filter(offer__in=offers).distinct().order_by("pk"))


def _moments(groups: Groups, wallets: list[Wallet], offers: list[int]) -> _Found:
    found = _Found({}, {})
    params = {
        **groups.params,
        "wallets": [wallet.pk for wallet in wallets],
        "offers": offers,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOMENTS.format(groups=groups.sql), params)
        for is_held_out, wallet_id, count, own, *moments in cursor.fetchall():
            if wallet_id is None:
                visits, value = Sample(count, *moments[:2]), Sample(count, *moments[2:])
                found.samples["visits", None, is_held_out] = visits
                found.samples["value", None, is_held_out] = value
                continue
            found.samples["points", wallet_id, is_held_out] = Sample(
                count, *moments[:2]
            )
            found.own[wallet_id] = found.own.get(wallet_id, 0) + int(own)
    return found


def _measures(found: _Found, wallets: list[Wallet]) -> list[Measure]:
    asked: list[tuple[str, Wallet | None]] = [("visits", None), ("value", None)]
    asked += [("points", wallet) for wallet in wallets]
    measures = []
    for name, wallet in asked:
        wallet_id = None if wallet is None else wallet.pk
        treated, held_out = (
            _scaled(found.samples.get((name, wallet_id, side)), wallet)
            for side in (False, True)
        )
        measures.append(
            Measure(name, wallet, treated, held_out, compare(treated, held_out))
        )
    return measures


def _scaled(sample: Sample | None, wallet: Wallet | None) -> Sample:
    """Return the sample in whole points."""
    if sample is None:
        return NOBODY
    unit = 10**wallet.decimals if wallet else 1
    return Sample(sample.size, sample.mean / unit, sample.deviation / unit)


def _cost(
    points: Measure, visits: Measure, own: int, point_cost: Decimal | None
) -> Cost:
    assert points.wallet is not None  # noqa: S101 (only points have a cost)
    given = Decimal(own).scaleb(-points.wallet.decimals)
    low = visits.comparison.low
    per_visit = None
    if low is not None and low > 0:
        per_visit = points.comparison.difference / visits.comparison.difference
    each = None if point_cost is None else float(point_cost)
    return Cost(
        points.wallet,
        given,
        per_visit,
        None if each is None else float(given) * each,
        None if each is None or per_visit is None else per_visit * each,
    )
