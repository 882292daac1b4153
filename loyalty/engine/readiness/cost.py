"""What a campaign may cost: an activity, a day of a member, and in all."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.facts import Distribution, RewardKind
from loyalty.engine.periods import Unit
from loyalty.engine.points import (
    multiplied,
    points_per_unit,
    times_in_words,
    units_of_points,
)
from loyalty.engine.readiness.often import awards_of_member
from loyalty.engine.readiness.overlap import overlapping
from loyalty.engine.readiness.subject import (
    Finding,
    Severity,
    Subject,
    listed,
    money,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.engine.facts import Offer, Wallet

# Periods in which a day's cap is the cap itself.
_WITHIN_A_DAY = frozenset({Unit.CALENDAR_DAY, Unit.ROLLING_24_HOURS})


class Most(NamedTuple):
    """The most that offers give for one activity.

    ``amounts`` are by wallet, in its smallest unit; ``growing`` tells in words what
    has no end because it grows with the basket.
    """

    amounts: dict[Wallet, int]
    growing: list[str]
    vouchers: list[str]


def of_cost(subject: Subject) -> Iterator[Finding]:
    """Yield figures: what it costs at the worst, and what a draw costs on average."""
    if subject.campaign.context == "internal":
        return
    alone = most_of(subject, subject.campaign)
    each = "activity" if subject.by_activities else "interaction"
    text = f"At most {_told(subject, alone)} for one {each}."
    yield Finding(Severity.KNOW, "worst_case_activity", text, "points")
    yield from _together(subject)
    yield from _per_day(subject, alone)
    total = total_of(subject)
    if total:
        text = f"At most {_told(subject, Most(total, [], []))} in all."
        yield Finding(Severity.KNOW, "worst_case_total", text, "points_budget")
    if subject.campaign.draws:
        yield from _of_draw(subject)


def most_of(subject: Subject, campaign: Offer) -> Most:
    """Return the most that a campaign gives for one activity."""
    most = Most({}, [], [])
    gives = [campaign]
    if campaign.has_methods:
        gives = [one for one in campaign.methods if one.is_enabled]
    for one in gives:
        if one.voucher_type_id is not None:
            name = subject.known.vouchers.get(one.voucher_type_id, "voucher")
            most.vouchers.append(f"the voucher “{name}”")
            continue
        points = _most_points(subject, campaign, one)
        if points is None:
            most.growing.append(_rate(subject, one))
        elif points and campaign.draws:
            most.amounts[one.wallet] = max(most.amounts.get(one.wallet, 0), points)
        elif points:
            most.amounts[one.wallet] = most.amounts.get(one.wallet, 0) + points
    return most


def points_of_one(subject: Subject) -> tuple[int, int] | None:
    """Return the fewest and most points of one award; None where they vary."""
    found = []
    for one in subject.gives:
        if one.gives_no_points or not one.points or not one.pays_the_same:
            return None
        found.append(one.points)
    return (min(found), max(found)) if found else None


def total_of(subject: Subject) -> dict[Wallet, int] | None:
    """Return the most points by wallet that it gives in all; None without a limit."""
    campaign = subject.campaign
    most = most_of(subject, campaign)
    if most.growing:
        return _budgeted(campaign)
    limits = [] if campaign.awards_budget is None else [campaign.awards_budget]
    times = awards_of_member(campaign, campaign, subject)
    if times is not None:
        limits.append(times * subject.known.audience)
    if limits:
        total = {wallet: one * min(limits) for wallet, one in most.amounts.items()}
        if campaign.points_budget is not None and campaign.wallet in total:
            total[campaign.wallet] = min(total[campaign.wallet], campaign.points_budget)
        return total
    return _of_stocks(subject) or _budgeted(campaign)


def _of_stocks(subject: Subject) -> dict[Wallet, int] | None:
    """Return the total by the stock of each method, where all have one."""
    total: dict[Wallet, int] = defaultdict(int)
    for one in subject.gives:
        if one.gives_no_points and one.voucher_type_id is None:
            continue
        if one.awards_budget is None:
            return None
        if not one.gives_no_points:
            total[one.wallet] += one.points * one.awards_budget
    return dict(total)


def _budgeted(campaign: Offer) -> dict[Wallet, int] | None:
    if campaign.points_budget is None:
        return None
    return {campaign.wallet: campaign.points_budget}


def _most_points(subject: Subject, campaign: Offer, one: Offer) -> int | None:
    """Return the most that one offer pays for an activity; None where it grows."""
    if one.reward is RewardKind.FIXED:
        return None if one.distribution is Distribution.PER_ITEM else one.points
    if one.gives_no_points or one.reward is RewardKind.NOTHING:
        return 0
    if one.reward is RewardKind.MULTIPLIER:
        return _most_multiplied(subject, one)
    highs = [one.maximum_units, campaign.maximum_units]
    high = min([limit for limit in highs if limit is not None], default=None)
    if high is None:
        return None
    return points_per_unit(high, one.points, one.per_units, one.wallet.rounding)


def _most_multiplied(subject: Subject, one: Offer) -> int | None:
    bases = subject.types()
    if any(base.reward is not RewardKind.FIXED for base in bases):
        return None
    most = max(
        [units_of_points(base.points, base.wallet.decimals) for base in bases],
        default=0,
    )
    wallet = one.wallet
    return multiplied(most, one.multiplier, wallet.rounding, wallet.decimals)


def _rate(subject: Subject, one: Offer) -> str:
    if one.reward is RewardKind.MULTIPLIER:
        return times_in_words(one.multiplier)
    points = subject.points(one.points, one.wallet)
    if one.reward is RewardKind.FIXED:
        return f"{points} for each product"
    return f"{points} for every {money(one.per_units)}"


def _told(subject: Subject, most: Most) -> str:
    parts = [_priced(subject, wallet, one) for wallet, one in most.amounts.items()]
    word = "or" if subject.campaign.draws else "and"
    return listed([*parts, *most.growing, *most.vouchers], word) or "no points"


def _priced(subject: Subject, wallet: Wallet, amount: int) -> str:
    text = subject.points(amount, wallet)
    cost = subject.known.costs.get(wallet.id)
    if cost is None:
        return text
    return f"{text} (worth {Decimal(amount).scaleb(-wallet.decimals) * cost:,.2f})"


def _together(subject: Subject) -> Iterator[Finding]:
    """Yield what one activity can earn from all campaigns that stack."""
    if not subject.by_activities:
        return
    campaign = subject.campaign
    best: dict[str, Most] = {}
    count = 0
    for one in (campaign, *overlapping(subject)):
        most = most_of(subject, one)
        key = one.exclusive_group or f"{one.id}"
        if one.exclusive_group and key in best:
            most = _greater(best[key], most)
        else:
            count += 1
        best[key] = most
    if count < 2:
        return
    every = Most({}, [], [])
    for most in best.values():
        for wallet, amount in most.amounts.items():
            every.amounts[wallet] = every.amounts.get(wallet, 0) + amount
        every.growing.extend(most.growing)
        every.vouchers.extend(most.vouchers)
    others = "campaign" if count == 2 else f"{count - 1:,} campaigns"
    text = (
        f"At most {_told(subject, every)} for one activity with the {others} that it "
        "stacks with."
    )
    yield Finding(Severity.KNOW, "worst_case_together", text, "exclusive_group")


def _greater(one: Most, other: Most) -> Most:
    wallets = {**one.amounts, **other.amounts}
    return Most(
        {
            wallet: max(one.amounts.get(wallet, 0), other.amounts.get(wallet, 0))
            for wallet in wallets
        },
        one.growing or other.growing,
        one.vouchers or other.vouchers,
    )


def _per_day(subject: Subject, alone: Most) -> Iterator[Finding]:
    campaign = subject.campaign
    if campaign.cap is None or alone.growing or not alone.amounts:
        return
    if campaign.period not in _WITHIN_A_DAY and campaign.cap > 100:
        return
    day = {wallet: one * campaign.cap for wallet, one in alone.amounts.items()}
    text = f"At most {_told(subject, Most(day, [], []))} for one member a day."
    yield Finding(Severity.KNOW, "worst_case_day", text, "cap_count")


def _of_draw(subject: Subject) -> Iterator[Finding]:
    """Yield what a draw gives on average: each chance times what it gives."""
    gives = [one for one in subject.gives if one.weight]
    total = sum(one.weight for one in gives)
    if not total or any(
        _most_points(subject, subject.campaign, one) is None for one in gives
    ):
        return
    mean: dict[Wallet, Decimal] = defaultdict(Decimal)
    for one in gives:
        if one.points and not one.gives_no_points:
            mean[one.wallet] += Decimal(one.weight * one.points) / total
    parts = [
        f"{amount.scaleb(-wallet.decimals):,.2f} "
        f"{subject.known.wallets.get(wallet.id, wallet.code)}"
        for wallet, amount in mean.items()
    ]
    parts += [
        f"“{subject.known.vouchers.get(one.voucher_type_id, 'voucher')}” with a chance "
        f"of {one.weight / total:.1%}"
        for one in gives
        if one.voucher_type_id is not None
    ]
    if parts:
        text = f"A draw gives {listed(parts)} on average, while everything is in stock."
        yield Finding(Severity.KNOW, "expected_draw", text, "methods")
