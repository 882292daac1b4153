"""What a backtest found, as people and callers are shown it.

Shape (version 1)::

    {"v": 1, "revision": 12, "activities": 900, "members": 120, "reached": 80,
     "awards": 80, "cost": "5.00",
     "notes": [{"code": "unknown_people", "count": 3, "text": "..."}],
     "wallets": [{"code": "loyalty", "name": "Loyalty points", "decimals": 0,
                  "points": 500, "everything": 2100, "recorded": 1600,
                  "cost": "5.00"}],
     "offers": [{"offer": 7, "name": "...", "kind": "campaign", "campaign": null,
                 "is_tried": true, "wallet": "loyalty", "points": 500, "awards": 80,
                 "members": 80, "recorded_points": 0, "recorded_awards": 0,
                 "cost": "5.00"}],
     "days": [{"day": "2026-01-01", "wallets": {"loyalty": [20, 70]}}],
     "limits": [{"offer": 7, "name": "...", "spent_on": "2026-01-14"}],
     "overlaps": [{"campaign": 7, "name": "...", "other": 9, "other_name": "...",
                   "activities": 12, "points": 60, "other_points": 40}],
     "winners": [{"member": 5, "points": "40", "awards": 4}],
     "distribution": [{"from": 10, "until": 20, "members": 31}]}

Points are in the wallet's smallest unit; winners and the distribution count whole
points of all wallets together. ``points`` are those of the campaigns under test,
``everything`` those of all offers in the backtest, ``recorded`` what was really paid
for the same activities and stands. A day has, by wallet, the points of the campaigns
under test and of all other offers. Without campaigns under test everything is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from activities.services.backtesting.tallying import STEPS
from activities.services.backtesting.trial import limited_offers
from loyalty.engine.facts import RewardKind
from loyalty.engine.numbers import format_value
from loyalty.engine.programme import is_for_activities
from loyalty.models import Offer, Wallet

if TYPE_CHECKING:
    from activities.models import Backtest
    from activities.services.backtesting.reading import Members
    from activities.services.backtesting.trial import Span
    from loyalty.engine import facts
    from loyalty.engine.programme import Programme

_CENT = Decimal("0.01")


def recorded_sums(
    program_id: int, span: Span, members: Members
) -> dict[str, list[int]]:
    """Return what was really paid and stands: points and awards, by offer."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORDED, [program_id, *members, *span])
        return {
            str(offer_id): [int(points), awards]
            for offer_id, points, awards in cursor.fetchall()
        }


_RECORDED = """
SELECT e.offer_id, sum(e.amount), count(*)
FROM loyalty_account a
JOIN loyalty_entry e ON e.credit_account_id = a.id
JOIN activities_activity t ON t.id = e.activity_id
JOIN loyalty_offer o ON o.id = e.offer_id
WHERE a.program_id = %s AND a.member_id >= %s AND a.member_id < %s
    AND e.kind = 'award' AND e.occurred_at >= %s AND e.occurred_at < %s
    AND CASE WHEN o.kind = 'quest' THEN EXISTS (
        SELECT FROM loyalty_completion p WHERE p.activity_id = e.activity_id
        AND p.offer_id = e.offer_id AND p.is_paid)
    ELSE NOT EXISTS (SELECT FROM activities_activityreversal x
                     WHERE x.activity_id = e.activity_id) END
GROUP BY e.offer_id
"""


def result_of(
    backtest: Backtest, programme: Programme, tried: frozenset[int]
) -> dict[str, Any]:
    """Return the result of a backtest whose ranges of members are all done."""
    found = _Found(backtest, programme, tried)
    partial = backtest.partial
    return {
        "v": 1,
        "revision": programme.revision,
        "activities": partial.get("activities", 0),
        "members": partial.get("members", 0),
        "reached": partial.get("reached", 0),
        "awards": sum(
            sums[1]
            for offer_id, sums in partial.get("offers", {}).items()
            if found.is_counted(int(offer_id))
        ),
        "cost": _money(
            sum((one.cost for one in found.wallets()), Decimal(0))
            if backtest.cost_per_point is not None
            else None
        ),
        "notes": found.notes(),
        "wallets": [one.as_json() for one in found.wallets()],
        "offers": found.offers(),
        "days": found.days(),
        "limits": found.limits(),
        "overlaps": found.overlaps(),
        "winners": [
            {"member": member_id, "points": format_value(units), "awards": awards}
            for member_id, units, awards in partial.get("winners", ())
        ],
        "distribution": _distribution(partial.get("steps", {})),
    }


class _WalletSums(NamedTuple):
    wallet: Wallet
    points: int
    everything: int
    recorded: int
    per_point: Decimal | None

    @property
    def cost(self) -> Decimal:
        per_point = self.per_point or Decimal(0)
        return Decimal(self.points).scaleb(-self.wallet.decimals) * per_point

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.wallet.code,
            "name": self.wallet.name,
            "decimals": self.wallet.decimals,
            "points": self.points,
            "everything": self.everything,
            "recorded": self.recorded,
            "cost": None if self.per_point is None else _money(self.cost),
        }


class _Found:
    """The sums of a backtest with names to them."""

    def __init__(
        self, backtest: Backtest, programme: Programme, tried: frozenset[int]
    ) -> None:
        self._backtest = backtest
        self._programme = programme
        self._tried = tried
        self._sums: dict[str, list[int]] = backtest.partial.get("offers", {})
        self._recorded: dict[str, list[int]] = backtest.partial.get("recorded", {})
        ids = {int(one) for one in (*self._sums, *self._recorded)} | tried
        ids |= {int(one) for one in backtest.partial.get("spent", {})}
        ids |= set(limited_offers(programme))
        for pair in backtest.partial.get("overlaps", {}):
            ids |= {int(one) for one in pair.split(":")}
        rows = Offer.objects.filter(pk__in=ids)
        self._names = dict(rows.values_list("pk", "name"))

    def is_counted(self, offer_id: int) -> bool:
        offer = self._programme.offers[offer_id]
        return not self._tried or not self._tried.isdisjoint(
            {offer.id, offer.campaign_id}
        )

    def wallets(self) -> list[_WalletSums]:
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for offer_id, (points, _, _) in self._sums.items():
            offer = self._programme.offers[int(offer_id)]
            own = sums[offer.wallet.id]
            own[1] += points
            if self.is_counted(offer.id):
                own[0] += points
        for offer_id, (points, _) in self._recorded.items():
            sums[self._programme.offers[int(offer_id)].wallet.id][2] += points
        rows = Wallet.objects.filter(pk__in=list(sums)).order_by("pk")
        cost_per_point = self._backtest.cost_per_point
        return [
            _WalletSums(row, points, everything, recorded, cost_per_point)
            for row in rows
            for points, everything, recorded in [sums[row.pk]]
        ]

    def offers(self) -> list[dict[str, Any]]:
        ids = {int(one) for one in (*self._sums, *self._recorded)} | self._tried
        lines = [self._line(self._programme.offers[one]) for one in ids]
        return sorted(
            lines, key=lambda one: (not one["is_tried"], -one["points"], one["offer"])
        )

    def _line(self, offer: facts.Offer) -> dict[str, Any]:
        points, awards, members = self._sums.get(str(offer.id), (0, 0, 0))
        recorded = self._recorded.get(str(offer.id), (0, 0))
        per_point = self._backtest.cost_per_point
        whole = Decimal(points).scaleb(-offer.wallet.decimals)
        return {
            "offer": offer.id,
            "name": self._names.get(offer.id, ""),
            "kind": offer.kind.value,
            "campaign": offer.campaign_id,
            "is_tried": not self._tried.isdisjoint({offer.id, offer.campaign_id}),
            "wallet": offer.wallet.code,
            "points": points,
            "awards": awards,
            "members": members,
            "recorded_points": recorded[0],
            "recorded_awards": recorded[1],
            "cost": None if per_point is None else _money(whole * per_point),
        }

    def days(self) -> list[dict[str, Any]]:
        days = []
        for day, by_offer in sorted(self._backtest.partial.get("days", {}).items()):
            wallets: dict[str, list[int]] = defaultdict(lambda: [0, 0])
            for offer_id, (points, _) in by_offer.items():
                offer = self._programme.offers[int(offer_id)]
                place = 0 if self.is_counted(offer.id) else 1
                wallets[offer.wallet.code][place] += points
            days.append({"day": day, "wallets": dict(wallets)})
        return days

    def limits(self) -> list[dict[str, Any]]:
        """Return when limits had nothing left; None where something was left."""
        spent = self._backtest.partial.get("spent", {})
        limited = limited_offers(self._programme)
        ids = {int(one) for one in spent}
        ids |= {
            one.id
            for one in limited.values()
            if self._tried & {one.id, one.campaign_id or 0}
        }
        return [
            {
                "offer": one,
                "name": self._names.get(one, ""),
                "points_budget": self._programme.offers[one].points_budget,
                "awards_budget": self._programme.offers[one].awards_budget,
                "decimals": self._programme.offers[one].wallet.decimals,
                "is_tried": bool(
                    self._tried & {one, self._programme.offers[one].campaign_id or 0}
                ),
                "spent_on": spent.get(str(one)),
            }
            for one in sorted(ids, key=lambda one: (spent.get(str(one), "~"), one))
        ]

    def overlaps(self) -> list[dict[str, Any]]:
        lines = []
        for pair, sums in self._backtest.partial.get("overlaps", {}).items():
            one, other = (int(part) for part in pair.split(":"))
            lines.append(
                {
                    "campaign": one,
                    "name": self._names.get(one, ""),
                    "other": other,
                    "other_name": self._names.get(other, ""),
                    "activities": sums[0],
                    "points": sums[1],
                    "other_points": sums[2],
                    "decimals": self._programme.offers[one].wallet.decimals,
                    "other_decimals": self._programme.offers[other].wallet.decimals,
                }
            )
        return sorted(lines, key=lambda line: -line["activities"])

    def notes(self) -> list[dict[str, Any]]:
        """Return what was left out, and what the figures do not hold."""
        partial = self._backtest.partial
        counts = {
            "unknown_people": partial.get("unknown", 0) + self._anonymous_count(),
            "reversed": partial.get("reversed", 0),
            "not_set_off_by_activities": sum(
                not is_for_activities(self._programme.offers[one])
                for one in self._tried
            ),
            "vouchers": sum(
                sums[1]
                for offer_id, sums in self._sums.items()
                if self._programme.offers[int(offer_id)].reward is RewardKind.VOUCHER
                and self.is_counted(int(offer_id))
            ),
            "members_held_out": sum(
                self._programme.offers[one].holdout is not None for one in self._tried
            ),
        }
        return [
            {"code": code, "count": counts[code], "text": text}
            for code, text in _NOTES.items()
            if counts[code]
        ]

    def _anonymous_count(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM activities_activity WHERE program_id = %s"
                " AND member_id IS NULL AND occurred_at >= %s AND occurred_at < %s",
                [
                    self._backtest.program_id,
                    self._backtest.starts_at,
                    self._backtest.ends_at,
                ],
            )
            return int(cursor.fetchone()[0])


_NOTES = {
    "unknown_people": "activities of people who were not known: they earn nothing, "
    "here as in the ledger.",
    "reversed": "reversed activities: decided, and taken back when they were reversed. "
    "No sum holds them.",
    "not_set_off_by_activities": "campaigns under test that members interact with, or "
    "that nothing sets off: a backtest replays activities only, so they pay nothing "
    "here.",
    "vouchers": "vouchers given: counted as awards, but what they are worth is not in "
    "the cost.",
    "members_held_out": "campaigns under test that hold members out: those get "
    "nothing here, as they would in earnest.",
}


def _distribution(steps: dict[str, int]) -> list[dict[str, Any]]:
    """Return how many members had how many points; empty ends are left out."""
    edges = (0, *STEPS)
    filled = [place for place, edge in enumerate(edges) if steps.get(str(edge))]
    if not filled:
        return []
    return [
        {
            "from": edges[place],
            "until": edges[place + 1] if place + 1 < len(edges) else None,
            "members": steps.get(str(edges[place]), 0),
        }
        for place in range(filled[0], filled[-1] + 1)
    ]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount.quantize(_CENT))
