"""What a person sees of a backtest: how far it is, then what it found."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from activities.admin.backtest_form import Days
from activities.models import Backtest, BacktestDates, BacktestStatus
from loyalty.admin.formatting import money, name_of, number, points
from loyalty.engine.facts import OfferKind
from loyalty.models import Member

if TYPE_CHECKING:
    from collections.abc import Iterable

_WINNERS_SHOWN = 20
_BARS_MAX = 70
WORKING = (BacktestStatus.QUEUED, BacktestStatus.RUNNING)
HEADLINES = {
    BacktestStatus.QUEUED: "Waiting for a worker",
    BacktestStatus.RUNNING: "Going through what members did",
    BacktestStatus.FINISHED: "What would have been paid",
    BacktestStatus.CANCELLED: "Cancelled",
    BacktestStatus.FAILED: "This backtest failed",
}
_PAGES = {
    OfferKind.ACTIVITY_TYPE.value: "loyalty_activitytype",
    OfferKind.CAMPAIGN.value: "campaigns_campaign",
    OfferKind.QUEST.value: "campaigns_quest",
    OfferKind.REWARD_METHOD.value: "campaigns_campaign",
}
_KINDS = {
    OfferKind.ACTIVITY_TYPE.value: "Activity type",
    OfferKind.CAMPAIGN.value: "Campaign",
    OfferKind.QUEST.value: "Quest",
    OfferKind.REWARD_METHOD.value: "Reward method",
}


class Tile(NamedTuple):
    """One figure."""

    title: str
    figure: str
    note: str = ""


class Bar(NamedTuple):
    """One day or week of the chart; heights in percent of the highest."""

    title: str
    label: str
    tried: float
    others: float


class Chart(NamedTuple):
    """Points by day or week in one wallet."""

    title: str
    highest: str
    tried: str
    others: str
    bars: list[Bar]


class OfferLine(NamedTuple):
    """What one offer would have paid, and what it really paid."""

    name: str
    kind: str
    address: str
    is_tried: bool
    points: str
    recorded: str
    awards: int
    members: int
    cost: str


class Step(NamedTuple):
    """How many members would have had so many points; width in percent."""

    label: str
    members: int
    width: float


def progress_context(backtest: Backtest) -> dict[str, Any]:
    """Return what the bar shows; no query."""
    total = backtest.activity_count
    percent = min(100 * backtest.done_count // total, 100) if total else 0
    return {
        "backtest": backtest,
        "is_working": backtest.status in WORKING,
        "percent": percent,
    }


def page_context(backtest: Backtest) -> dict[str, Any]:
    """Return what the page of a backtest shows."""
    tried = list(backtest.campaigns.order_by("name"))
    return {
        "headline": HEADLINES[BacktestStatus(backtest.status)],
        "stage": backtest.status,
        "tried": tried,
        "days": days_of(backtest),
        "own_dates": backtest.dates == BacktestDates.OWN and tried,
        **progress_context(backtest),
        **(_found(backtest, bool(tried)) if backtest.result else {}),
    }


def days_of(backtest: Backtest) -> Days:
    """Return the local days of its period."""
    zone = timezone.get_current_timezone()
    last = backtest.ends_at - timedelta(microseconds=1)
    return Days(
        backtest.starts_at.astimezone(zone).date(), last.astimezone(zone).date()
    )


def _found(backtest: Backtest, has_tried: bool) -> dict[str, Any]:  # noqa: FBT001 (which words)
    result = backtest.result
    return {
        "found": result,
        "tiles": _tiles(result, days_of(backtest)),
        "charts": _charts(result, has_tried=has_tried),
        "offers": [_offer_line(one, result) for one in result["offers"]],
        "limits": [_limit(one) for one in result["limits"]],
        "overlaps": [_overlap(one) for one in result["overlaps"]],
        "winners": winners_of(backtest, _WINNERS_SHOWN),
        "steps": _steps(result["distribution"]),
        "has_cost": backtest.cost_per_point is not None,
    }


def _tiles(result: dict[str, Any], days: Days) -> list[Tile]:
    runs_out = any(one["is_tried"] and one["spent_on"] for one in result["limits"])
    tiles = [
        Tile(
            wallet["name"],
            points(wallet["points"], wallet["decimals"]),
            "" if runs_out else _per_month(wallet, days),
        )
        for wallet in result["wallets"]
        if wallet["points"]
    ] or [Tile("Points", "0", "nothing would have been paid")]
    if result["cost"] is not None:
        tiles.append(Tile("Cost", money(Decimal(result["cost"])), "in your money"))
    reached, members = result["reached"], result["members"]
    share = f"{reached / members:.0%} of {members:,} active members" if members else ""
    return [
        *tiles,
        Tile("Members reached", f"{reached:,}", share),
        Tile("Awards", f"{result['awards']:,}", _awards_each(result)),
        Tile("Activities replayed", f"{result['activities']:,}"),
    ]


def _per_month(wallet: dict[str, Any], days: Days) -> str:
    length = (days.last - days.first).days + 1
    if length < 45:
        return ""
    each = wallet["points"] * 30 // length
    return f"about {points(each, wallet['decimals'])} in 30 days"


def _awards_each(result: dict[str, Any]) -> str:
    if not result["reached"]:
        return ""
    return f"{result['awards'] / result['reached']:.1f} for each member reached"


def _charts(result: dict[str, Any], *, has_tried: bool) -> list[Chart]:
    charts = []
    for wallet in result["wallets"]:
        sums = {
            date.fromisoformat(one["day"]): one["wallets"][wallet["code"]]
            for one in result["days"]
            if wallet["code"] in one["wallets"]
        }
        if sums:
            charts.append(_chart(wallet, sums, has_tried=has_tried))
    return charts


def _chart(
    wallet: dict[str, Any], sums: dict[date, list[int]], *, has_tried: bool
) -> Chart:
    first, last = min(sums), max(sums)
    step = 1 if (last - first).days < _BARS_MAX else 7
    by_step: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for place in range(0, (last - first).days + 1, step):
        by_step[first + timedelta(days=place)] = [0, 0]
    for day, (tried, others) in sums.items():
        own = by_step[first + timedelta(days=(day - first).days // step * step)]
        own[0] += tried
        own[1] += others
    highest = max(1, *(sum(one) for one in by_step.values()))
    decimals = wallet["decimals"]
    every = len(by_step) // 10 + 1
    bars = [
        Bar(
            f"{_day(day)}{' and the 6 days after' if step > 1 else ''}: "
            f"{points(tried, decimals)}"
            + (
                f", and {points(others, decimals)} of other offers" if has_tried else ""
            ),
            f"{day.day} {day:%b}" if not place % every else "",
            round(100 * max(tried, 0) / highest, 2),
            round(100 * max(others, 0) / highest, 2),
        )
        for place, (day, (tried, others)) in enumerate(sorted(by_step.items()))
    ]
    return Chart(
        f"{wallet['name']} by {'day' if step == 1 else 'week'}",
        points(highest, decimals),
        points(wallet["points"], decimals),
        points(wallet["everything"] - wallet["points"], decimals) if has_tried else "",
        bars,
    )


def _offer_line(one: dict[str, Any], result: dict[str, Any]) -> OfferLine:
    decimals = next(
        (w["decimals"] for w in result["wallets"] if w["code"] == one["wallet"]), 0
    )
    target = one["campaign"] or one["offer"]
    return OfferLine(
        one["name"],
        _KINDS.get(one["kind"], one["kind"]),
        reverse(f"admin:{_PAGES[one['kind']]}_change", args=[target]),
        one["is_tried"],
        points(one["points"], decimals),
        points(one["recorded_points"], decimals),
        one["awards"],
        one["members"],
        "" if one["cost"] is None else money(Decimal(one["cost"])),
    )


def _limit(one: dict[str, Any]) -> tuple[str, str, str]:
    parts = []
    if one["points_budget"] is not None:
        parts.append(f"{points(one['points_budget'], one['decimals'])} points")
    if one["awards_budget"] is not None:
        parts.append(f"{one['awards_budget']:,} awards")
    spent = one["spent_on"]
    when = "Not within the period" if spent is None else _day(date.fromisoformat(spent))
    return one["name"], " and ".join(parts) or "a list of codes", when


def _overlap(one: dict[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "points": points(one["points"], one["decimals"]),
        "other_points": points(one["other_points"], one["other_decimals"]),
        "address": reverse("admin:campaigns_campaign_change", args=[one["other"]]),
    }


def winners_of(
    backtest: Backtest, most: int | None = None
) -> list[tuple[int, str, str, int]]:
    """Return who would have won most: number, name, points and awards; two queries."""
    rows: Iterable[dict[str, Any]] = backtest.result.get("winners", ())
    chosen = list(rows)[:most]
    members = Member.objects.filter(
        program=backtest.program_id, pk__in=[one["member"] for one in chosen]
    ).prefetch_related("identities")
    names = {member.pk: name_of(member) for member in members}
    return [
        (
            one["member"],
            names.get(one["member"], f"Member {one['member']}"),
            number(Decimal(one["points"])),
            one["awards"],
        )
        for one in chosen
    ]


def _steps(distribution: list[dict[str, Any]]) -> list[Step]:
    most = max((one["members"] for one in distribution), default=1) or 1
    return [
        Step(_range(one), one["members"], round(100 * one["members"] / most, 1))
        for one in distribution
    ]


def _range(one: dict[str, Any]) -> str:
    if one["until"] is None:
        return f"{one['from']:,} or more"
    if one["until"] - one["from"] == 1:
        return f"{one['from']:,}"
    return f"{one['from']:,} to {one['until'] - 1:,}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
