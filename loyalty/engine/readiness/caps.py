"""Limits that cannot bind, because another one always comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.periods import ROLLING_UNITS
from loyalty.engine.readiness.cost import points_of_one, total_of
from loyalty.engine.readiness.often import awards_of_member, windows_of
from loyalty.engine.readiness.subject import (
    Finding,
    Severity,
    Subject,
    counted,
    has_both_dates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def of_caps(subject: Subject) -> Iterator[Finding]:
    """Yield which limits never matter, and which liability has none."""
    yield from _of_members(subject)
    yield from _of_budgets(subject)
    yield from _of_stock(subject)
    if subject.campaign.context != "internal" and total_of(subject) is None:
        text = (
            "Nothing limits what it costs: give it a budget of points or of awards, or "
            "an end and a cap for each member."
        )
        yield Finding(Severity.LOOK, "no_total_limit", text, "points_budget")


def _of_members(subject: Subject) -> Iterator[Finding]:
    campaign = subject.campaign
    most = awards_of_member(campaign, campaign, subject)
    for one in subject.gives:
        if one.cap is None:
            continue
        stock = [
            limit
            for limit in (one.awards_budget, campaign.awards_budget)
            if limit is not None
        ]
        if stock and one.cap > min(stock):
            text = (
                f"{subject.whom(one)} lets a member have {one.cap:,}, but there are "
                f"{min(stock):,} for all: the cap never matters."
            )
            yield Finding(Severity.LOOK, "cap_above_stock", text, "cap_count", one.id)
        if one is not campaign and most is not None and one.cap > most:
            text = (
                f"{subject.whom(one)} lets a member have {one.cap:,}, but the campaign "
                f"pays a member {counted(most, 'time')} in all its dates: the limit of "
                "the reward never matters."
            )
            yield Finding(
                Severity.LOOK, "cap_above_campaign", text, "cap_count", one.id
            )
    if campaign.period in ROLLING_UNITS and campaign.cap is not None:
        yield from _of_long_period(subject)


def _of_long_period(subject: Subject) -> Iterator[Finding]:
    campaign = subject.campaign
    if has_both_dates(campaign) and windows_of(campaign, campaign, subject) == 1:
        text = (
            "The period of its cap is as long as the campaign or longer: the cap holds "
            "for all of it."
        )
        yield Finding(Severity.KNOW, "period_above_dates", text, "frequency_period")


def _of_budgets(subject: Subject) -> Iterator[Finding]:
    campaign = subject.campaign
    points, awards = campaign.points_budget, campaign.awards_budget
    others = {
        one.wallet.id
        for one in subject.gives
        if one.wallet.id != campaign.wallet.id and not one.gives_no_points
    }
    if points is not None and others:
        text = (
            "Its budget of points counts what goes to several wallets as if a point "
            "of one were a point of the other."
        )
        yield Finding(Severity.LOOK, "budget_mixes_wallets", text, "points_budget")
    per_award = points_of_one(subject)
    if points is None or awards is None or per_award is None or others:
        return
    low, high = per_award
    total = subject.points(points, campaign.wallet)
    if high * awards < points:
        text = (
            f"{counted(awards, 'award')} are "
            f"{subject.points(high * awards, campaign.wallet)} at most: its budget of "
            f"{total} is never reached."
        )
        yield Finding(
            Severity.LOOK, "points_budget_never_reached", text, "points_budget"
        )
    elif low * (awards - 1) >= points:
        text = (
            f"{total} are spent after {-(-points // low):,} awards: its budget of "
            f"{counted(awards, 'award')} is never reached."
        )
        yield Finding(
            Severity.LOOK, "awards_budget_never_reached", text, "awards_budget"
        )


def _of_stock(subject: Subject) -> Iterator[Finding]:
    campaign, audience = subject.campaign, subject.known.audience
    stocks = [one.awards_budget for one in subject.gives]
    limits = [sum(one for one in stocks if one is not None)] if all(stocks) else []
    if campaign.awards_budget is not None:
        limits.append(campaign.awards_budget)
    if limits and min(limits) < audience:
        text = (
            f"There is {counted(min(limits), 'award')} for an audience of "
            f"{counted(audience, 'member')}: not everybody gets one."
        ).replace("There is", "There is" if min(limits) == 1 else "There are")
        yield Finding(Severity.KNOW, "stock_below_audience", text, "awards_budget")
