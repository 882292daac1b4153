"""What it gives: reward methods that never apply, codes, stock and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.facts import RewardKind
from loyalty.engine.readiness.hours import ever_open_together
from loyalty.engine.readiness.reach import of_groups
from loyalty.engine.readiness.subject import (
    Finding,
    Severity,
    Subject,
    counted,
    meet,
    money,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.engine.facts import Offer

_NEEDS_POINTS = frozenset(
    {RewardKind.FIXED, RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE}
)


def of_gifts(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with what the campaign gives."""
    campaign = subject.campaign
    if campaign.context == "internal":
        return
    if campaign.has_methods:
        yield from _of_methods(subject)
    for one in subject.gives:
        if not one.points and one.reward in _NEEDS_POINTS:
            text = f"{subject.whom(one)} pays no points: say how many."
            yield Finding(_severity(subject, one), "no_points", text, "points", one.id)
        yield from _of_codes(subject, one)
        yield from _of_budget(subject, one)
        yield from _of_price(subject, one)
    if campaign.has_methods:
        yield from _of_budget(subject, campaign)
        yield from _of_price(subject, campaign)
    elif campaign.reward is RewardKind.NOTHING:
        severity = Severity.STOP if subject.by_activities else Severity.LOOK
        text = "It gives nothing: choose what it pays."
        yield Finding(severity, "gives_nothing", text, "reward_method")


def _of_methods(subject: Subject) -> Iterator[Finding]:
    campaign, gives = subject.campaign, subject.gives
    if not gives:
        text = "It gives what its reward methods give, and has none that is enabled."
        yield Finding(Severity.STOP, "no_methods", text, "methods")
        return
    dead = {}
    for method in gives:
        why = _contradiction(subject, method)
        if why:
            dead[method.id] = why
            text = f"{subject.whom(method)} can never be given: {why}"
            code = "method_contradicts_campaign"
            yield Finding(Severity.LOOK, code, text, "methods", method.id)
        yield from of_groups(subject, method, Severity.LOOK)
    if len(dead) == len(gives):
        text = "None of its reward methods can ever be given."
        yield Finding(Severity.STOP, "no_method_applies", text, "methods")
    if campaign.draws:
        yield from _of_chances(subject)
    off = len(campaign.methods) - len(gives)
    if off:
        text = f"{counted(off, 'reward method')} of it {_is(off)} disabled."
        yield Finding(Severity.KNOW, "methods_disabled", text, "methods")


def _of_chances(subject: Subject) -> Iterator[Finding]:
    gives = subject.gives
    if not any(one.weight for one in gives):
        text = "Nothing can be drawn: every weight is 0."
        yield Finding(Severity.STOP, "draw_without_chance", text, "methods")
        return
    for one in gives:
        if not one.weight:
            text = f"{subject.whom(one)} never wins the draw: its weight is 0."
            yield Finding(Severity.LOOK, "weight_zero", text, "methods", one.id)
    if len(gives) == 1:
        text = "The draw has one reward only, so everybody wins it."
        yield Finding(Severity.LOOK, "draw_of_one", text, "methods")


def _contradiction(subject: Subject, method: Offer) -> str:
    """Return how a method's restrictions rule out those of its campaign, or nothing."""
    campaign = subject.campaign
    if not meet(method, campaign):
        return "its dates lie outside those of the campaign."
    if not ever_open_together(method.schedule, campaign.schedule):
        return "its weekdays and hours are never those of the campaign."
    low = max(method.minimum_units or 0, campaign.minimum_units or 0)
    highs = [method.maximum_units, campaign.maximum_units]
    high = min([one for one in highs if one is not None], default=low)
    if low > high:
        return f"no value is at least {money(low)} and at most {money(high)}."
    for mine, its, what in (
        (method.currencies, campaign.currencies, "currencies"),
        (method.business_unit_ids, campaign.business_unit_ids, "business units"),
    ):
        if mine and its and mine.isdisjoint(its):
            return f"its {what} are others than those of the campaign."
    if method.segments and method.segments <= campaign.excluded_segments:
        return "the campaign leaves its segments out."
    if campaign.segments and campaign.segments <= method.excluded_segments:
        return "it leaves out the segments that the campaign is for."
    return ""


def _of_codes(subject: Subject, offer: Offer) -> Iterator[Finding]:
    if not offer.takes_codes or offer.voucher_type_id is None:
        return
    known = subject.known
    left = known.codes_left.get(offer.voucher_type_id, 0)
    name = known.vouchers.get(offer.voucher_type_id, "its voucher")
    stock = _stock(subject, offer)
    if not left:
        text = f"{subject.whom(offer)} gives “{name}”, and no code of it is left."
        yield Finding(
            _severity(subject, offer), "no_codes", text, "voucher_type", offer.id
        )
    elif stock is not None and left < stock:
        text = (
            f"{subject.whom(offer)} may give “{name}” {stock:,} times, and "
            f"{counted(left, 'code')} of it {_is(left)} left."
        )
        yield Finding(Severity.LOOK, "too_few_codes", text, "voucher_type", offer.id)
    elif stock is None and left < subject.known.audience:
        text = (
            f"{counted(left, 'code')} of “{name}” {_is(left)} left for an audience of "
            f"{counted(subject.known.audience, 'member')}."
        )
        yield Finding(Severity.LOOK, "too_few_codes", text, "voucher_type", offer.id)


def _stock(subject: Subject, offer: Offer) -> int | None:
    """Return how often an offer may still be given, over all members."""
    budget = subject.known.budgets.get(offer.id)
    if budget is not None and budget.awards_left is not None:
        return budget.awards_left
    return offer.awards_budget


def _of_budget(subject: Subject, offer: Offer) -> Iterator[Finding]:
    budget = subject.known.budgets.get(offer.id)
    if budget is None:
        return
    severity = _severity(subject, offer)
    if budget.awards_left is not None and budget.awards_left <= 0:
        text = (
            f"{subject.whom(offer)} was given {offer.awards_budget:,} times already, "
            "as often as it may."
        )
        field = "awards_budget" if offer is subject.campaign else "usage_limit"
        yield Finding(severity, "budget_spent", text, field, offer.id)
    if budget.points_left is not None and budget.points_left <= 0:
        total = subject.points(offer.points_budget or 0, offer.wallet)
        text = f"Its budget of {total} was given out already."
        yield Finding(severity, "budget_spent", text, "points_budget", offer.id)


def _of_price(subject: Subject, offer: Offer) -> Iterator[Finding]:
    wallet_id = offer.cost_wallet_id
    if wallet_id is None or subject.campaign.context != "interaction":
        return
    able = subject.known.can_pay.get((wallet_id, offer.cost), 0)
    if able:
        return
    wallet = subject.known.wallets.get(wallet_id, f"wallet {wallet_id}")
    text = f"{subject.whom(offer)} costs {wallet}, and nobody has enough of them now."
    # In a new program that is how it starts; members may earn them yet.
    yield Finding(Severity.LOOK, "price_nobody_can_pay", text, "point_cost", offer.id)


def _severity(subject: Subject, offer: Offer) -> Severity:
    """Return how grave it is that an offer gives nothing: what else is left."""
    is_one_of_many = offer is not subject.campaign and len(subject.gives) > 1
    return Severity.LOOK if is_one_of_many else Severity.STOP


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
