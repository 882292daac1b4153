"""What happened to an activity, with names instead of numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

from loyalty.admin.formatting import number, points
from loyalty.engine.decisions import Reason
from loyalty.engine.explanation import (
    Voice,
    clipped,
    given,
    paid,
    progress,
    sentence,
)
from loyalty.engine.facts import Bucket, OfferKind
from loyalty.engine.numbers import format_value
from loyalty.engine.tiers import score_told
from loyalty.models import Completion, Entry, Offer, Segment, Tier, Wallet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from activities.models import Activity

_BUCKETS = [bucket.value for bucket in Bucket]
_PAGES = {
    OfferKind.ACTIVITY_TYPE.value: "loyalty_activitytype",
    OfferKind.CAMPAIGN.value: "campaigns_campaign",
    OfferKind.QUEST.value: "campaigns_quest",
}


class WalletLine(NamedTuple):
    """What an activity earned in one wallet, by bucket, as text."""

    wallet: str
    base: str
    bonus: str
    targeted: str
    total: str


class OfferLine(NamedTuple):
    """One offer that was considered: what it paid, or why it did not.

    ``mark`` says what is special about it where drafts are tried.
    """

    name: str
    address: str
    bucket: str
    points: str
    reason: str
    mark: str = ""
    used_by: tuple[tuple[str, str], ...] = ()


class ItemLine(NamedTuple):
    """One line of the basket, as text."""

    item_id: str
    quantity: str
    value: str


def item_lines(activity: Activity) -> list[ItemLine]:
    """Return what was in the basket, as it was sent."""
    return [
        ItemLine(
            str(one.get("item_id", "")),
            str(one.get("quantity") or "–"),
            str(one.get("value", "–")),
        )
        for one in activity.items or []
    ]


@dataclass(frozen=True)
class Explanation:
    """Everything that the page of an activity tells about its decision."""

    wallets: list[WalletLine] = field(default_factory=list)
    awards: list[OfferLine] = field(default_factory=list)
    rejections: list[OfferLine] = field(default_factory=list)
    tier: str = ""
    segments: str = ""
    score: str = ""
    converted: str = ""
    revision: int | None = None
    tier_change: str = ""
    entries: list[tuple[Entry, str]] = field(default_factory=list)


class _Names(NamedTuple):
    offers: dict[int, Offer]
    wallets: dict[str, Wallet]
    tiers: dict[int, Tier]
    voice: Voice
    marks: Mapping[int, str]


def explain(
    activity: Activity, zone: tzinfo, marks: Mapping[int, str] | None = None
) -> Explanation:
    """Return the decision record in words; five queries.

    The activity may be one that is only simulated and has no row. ``marks`` are
    words beside some offers, by number.
    """
    record: dict[str, Any] = activity.latest_decision() or {}
    awards = record.get("awards", [])
    rejections = record.get("rejections", [])
    names = _names(activity, awards, rejections, zone)._replace(marks=marks or {})
    segment_ids = record.get("segments") or []
    return Explanation(
        wallets=_wallet_lines(awards, names),
        awards=[_award_line(one, activity, names) for one in awards],
        rejections=[_rejection_line(one, activity, names) for one in rejections],
        tier=_tier_name(record.get("tier"), names),
        segments=", ".join(
            Segment.objects.filter(pk__in=segment_ids)
            .order_by("name")
            .values_list("name", flat=True)
        ),
        score=number(Decimal(record.get("score", 0))),
        converted=_converted(record.get("converted")),
        revision=record.get("revision"),
        tier_change=_tier_change(record.get("tier_change"), names),
        entries=_entries(activity),
    )


def _names(
    activity: Activity,
    awards: list[dict[str, Any]],
    rejections: list[dict[str, Any]],
    zone: tzinfo,
) -> _Names:
    offer_ids = {one["offer"] for one in (*awards, *rejections)}
    offer_ids |= {one["winner"] for one in rejections if "winner" in one}
    rows = Offer.objects.filter(pk__in=offer_ids).select_related("wallet")
    offers = {offer.pk: offer for offer in rows}
    wallets = Wallet.objects.filter(program=activity.program_id)
    tiers = {tier.pk: tier for tier in Tier.objects.filter(program=activity.program_id)}
    voice = Voice(
        zone,
        offers={pk: offer.name for pk, offer in offers.items()},
        tiers={
            score_told(int(tier.threshold.scaleb(4))): tier.name
            for tier in tiers.values()
        },
    )
    return _Names(offers, {wallet.code: wallet for wallet in wallets}, tiers, voice, {})


def _wallet_lines(awards: list[dict[str, Any]], names: _Names) -> list[WalletLine]:
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_BUCKETS, 0))
    for award in awards:
        sums[award["wallet"]][award["bucket"]] += award["points"]
    lines = []
    for code, by_bucket in sums.items():
        wallet = names.wallets.get(code)
        decimals = wallet.decimals if wallet else 0
        amounts = [*by_bucket.values(), sum(by_bucket.values())]
        base, bonus, targeted, total = (points(one, decimals) for one in amounts)
        name = wallet.name if wallet else code
        lines.append(WalletLine(name, base, bonus, targeted, total))
    return lines


def _award_line(award: dict[str, Any], activity: Activity, names: _Names) -> OfferLine:
    name, address, decimals = _offer(award["offer"], names)
    return OfferLine(
        name,
        address,
        award["bucket"].capitalize(),
        points(award["points"], decimals),
        _remark(award, activity, _voice(names, decimals)),
        _mark(award, names),
    )


def _remark(award: dict[str, Any], activity: Activity, voice: Voice) -> str:
    """Return how an award was computed, and why it is not what its rule says."""
    if "progress" in award:
        return f"The quest is completed. {progress(award)}"
    if "by_rule" in award:
        return given(award, voice)
    told = paid(award, _units(activity), voice)
    asked = award.get("asked")
    if asked is None:
        return told
    return f"{told} {clipped(award, asked, award['points'], voice)}"


def _units(activity: Activity) -> int:
    """Return the value that the rules saw, in 1/10,000 of the program's currency."""
    converted = (activity.latest_decision() or {}).get("converted")
    if converted is not None:
        return int(converted["value"])
    return int((activity.value or 0) * 10_000)


def _converted(record: dict[str, Any] | None) -> str:
    if record is None:
        return ""
    value = format_value(record["value"])
    return (
        f"It came in {record['currency']} and counts as {value} {record['into']}: "
        f"1 {record['currency']} was worth {record['rate']} {record['into']}."
    )


def _rejection_line(
    rejection: dict[str, Any], activity: Activity, names: _Names
) -> OfferLine:
    name, address, decimals = _offer(rejection["offer"], names)
    text = sentence(rejection["reason"], rejection, _voice(names, decimals))
    used_by = _what_used(rejection, activity, names)
    return OfferLine(name, address, "", "", text, _mark(rejection, names), used_by)


def _what_used(
    rejection: dict[str, Any], activity: Activity, names: _Names
) -> tuple[tuple[str, str], ...]:
    """Return links to the activities that a cap has counted, oldest first."""
    if rejection["reason"] != Reason.CAP_REACHED.value or not activity.member_id:
        return ()
    rows = Completion.objects.filter(
        member=activity.member_id, offer=rejection["offer"], is_paid=True
    )
    since = parse_datetime(str(rejection.get("from") or ""))
    until = parse_datetime(str(rejection.get("until") or ""))
    if since is not None:
        rows = rows.filter(occurred_at__gte=since)
    if until is not None:
        rows = rows.filter(occurred_at__lt=until)
    found = rows.exclude(activity_id=activity.pk).order_by("occurred_at", "pk")[:10]
    page = "admin:activities_activity_change"
    return tuple(
        (
            _when(one.occurred_at, names),
            reverse(page, args=[one.activity_id]),
        )
        for one in found
    )


def _when(moment: datetime, names: _Names) -> str:
    return date_format(moment.astimezone(names.voice.zone), "DATETIME_FORMAT")


def _mark(part: dict[str, Any], names: _Names) -> str:
    return names.marks.get(part.get("campaign", part["offer"]), "")


def _voice(names: _Names, decimals: int) -> Voice:
    voice = names.voice
    return Voice(voice.zone, decimals, voice.offers, voice.tiers)


def _offer(offer_id: int, names: _Names) -> tuple[str, str, int]:
    """Return an offer's name, the address of its page and its wallet's decimals."""
    offer = names.offers.get(offer_id)
    if offer is None:
        return f"Offer {offer_id}", "", 0
    # Reward methods stand on their campaign's page and have none of their own.
    page = _PAGES.get(offer.kind)
    address = reverse(f"admin:{page}_change", args=[offer.pk]) if page else ""
    return offer.name, address, offer.wallet.decimals


def _tier_name(tier_id: int | None, names: _Names) -> str:
    if tier_id is None:
        return ""
    tier = names.tiers.get(tier_id)
    return tier.name if tier else f"Tier {tier_id}"


def _tier_change(change: dict[str, Any] | None, names: _Names) -> str:
    if not change:
        return ""
    tier = _tier_name(change["tier"], names) or "no tier"
    return f"{tier}, with a score of {number(Decimal(change['score']))}"


def _entries(activity: Activity) -> list[tuple[Entry, str]]:
    if not activity.pk:
        return []
    rows = Entry.objects.filter(activity_id=activity.pk).select_related(
        "credit_account__wallet", "offer"
    )
    return [
        (entry, points(entry.amount, entry.credit_account.wallet.decimals))
        for entry in rows.order_by("pk")[:200]
    ]
