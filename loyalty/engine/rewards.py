"""What an offer gives once its conditions hold: points, a voucher, or a blank."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from loyalty.engine.conditions import (
    failure_of_count,
    failure_of_holdout,
    first_failure,
)
from loyalty.engine.decisions import Award, Reason, Rejection
from loyalty.engine.facts import (
    ActivityFacts,
    Budget,
    Distribution,
    Item,
    MemberHistory,
    Offer,
    OfferKind,
    RewardKind,
    Rules,
)
from loyalty.engine.items import matches_of
from loyalty.engine.points import multiplied, points_per_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Looked up once: on the hot path, looking up a member of an enum is slow.
_PER_VALUE, _PER_ITEM_VALUE = RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE
_FIXED, _MULTIPLIER = RewardKind.FIXED, RewardKind.MULTIPLIER


class Case(NamedTuple):
    """One activity of one member, with what held when it happened.

    ``codes_taken`` counts, by voucher type, the listed codes that offers decided
    before have given for the same activity.
    """

    activity: ActivityFacts
    history: MemberHistory
    segment_ids: frozenset[int]
    tier_id: int | None
    rules: Rules
    budgets: Mapping[int, Budget]
    codes_taken: Mapping[int | None, int] = MappingProxyType({})


def failure_of(offer: Offer, case: Case) -> Rejection | None:
    """Return why ``offer`` does not apply to the activity and its member, or None."""
    if (
        offer.asks_for_its_dates_only
        and offer.starts_at <= case.activity.occurred_at < offer.ends_at
    ):
        return None
    failure = first_failure(
        offer, case.activity, case.segment_ids, case.tier_id, case.rules
    )
    if failure is None and offer.holdout is not None:
        return failure_of_holdout(offer, case.history.member_id)
    return failure


def reward_of(offer: Offer, case: Case, base_units: int) -> Award | Rejection:
    """Return what ``offer``, whose conditions hold, gives within its limits.

    ``base_units`` are the base points in 1/10,000 point, whatever their wallet.
    """
    points, operands = offer.points, None
    if not offer.pays_the_same:
        points, operands = _points(offer, case.activity, base_units)
    given = case.activity.given_points
    if given is not None and offer.kind is OfferKind.ACTIVITY_TYPE:
        points, operands = given, {"by_rule": points}
    if points <= 0 and not offer.gives_no_points:
        return Rejection(offer, Reason.NOTHING_TO_PAY, operands)
    if offer.counts_completions:
        failure = failure_of_count(
            offer,
            case.activity.occurred_at,
            case.history.completions.get(offer.id, ()),
            case.rules.clock,
        )
        if failure:
            return failure
    unit_id = offer.business_unit_id or case.activity.business_unit_id
    award = Award(offer, points, points, unit_id, operands)
    if offer.takes_codes and codes_left(offer, case) <= 0:
        return Rejection(offer, Reason.VOUCHER_CODES_SPENT)
    if offer.has_budget:
        return within_budget(award, case.budgets[offer.id], offer)
    return award


def codes_left(offer: Offer, case: Case) -> int:
    """Return how many codes its voucher's list has left for ``offer``."""
    codes = case.budgets[offer.id].codes
    left = 0 if codes is None else codes.left
    return left - case.codes_taken.get(offer.voucher_type_id, 0)


def within_budget(asked: Award, budget: Budget, limited: Offer) -> Award | Rejection:
    """Return the award, clipped to what ``limited`` has left, or why it has too little.

    ``limited`` is the award's own offer, or the campaign of its reward method. What
    gives no points takes none, however little is left of them.
    """
    if budget.awards_left is not None and budget.awards_left <= 0:
        operands = {"awards_budget": limited.awards_budget}
        return Rejection(asked.offer, Reason.AWARDS_BUDGET_SPENT, operands)
    left = budget.points_left
    if left is None or asked.points <= max(left, 0):
        return asked
    if left <= 0 or not limited.clips_to_budget:
        operands = {"points_budget": limited.points_budget, "left": max(left, 0)}
        return Rejection(asked.offer, Reason.POINTS_BUDGET_SPENT, operands)
    told: dict[str, Any] = asked.operands or {}
    if "spread" in told:
        shares = [Item(item_id, part) for item_id, part in told["spread"]]
        told = {**told, "spread": spread(left, shares)}
    told = {**told, "points_budget": limited.points_budget}
    return asked._replace(points=left, operands=told)


def _points(
    offer: Offer, activity: ActivityFacts, base_units: int
) -> tuple[int, dict[str, Any] | None]:
    """Return what the reward computes, rounded once, and what it was reckoned of."""
    reward, wallet = offer.reward, offer.wallet
    if reward is _FIXED:
        return _per_product(offer, activity)
    if reward is _PER_VALUE or reward is _PER_ITEM_VALUE:
        units, operands = activity.units, None
        if reward is _PER_ITEM_VALUE:
            units = matches_of(activity, _rewarded(offer)).units
            operands = {"of": units}
        points = points_per_unit(units, offer.points, offer.per_units, wallet.rounding)
        return points, operands
    if reward is _MULTIPLIER:
        decimals = wallet.decimals
        points = multiplied(base_units, offer.multiplier, wallet.rounding, decimals)
        return points, None
    return 0, None


def _rewarded(offer: Offer) -> Any:
    return offer.redeem or offer.item_list_id


def _per_product(
    offer: Offer, activity: ActivityFacts
) -> tuple[int, dict[str, Any] | None]:
    matches = matches_of(activity, _rewarded(offer))
    if offer.distribution is Distribution.PER_ITEM:
        operands = {"each": offer.points, "count": matches.quantity}
        return offer.points * matches.quantity, operands
    if matches.quantity <= 0:
        return 0, None
    left = [item for item in matches.items if item.stays]
    return offer.points, {"spread": spread(offer.points, left)}


def spread(points: int, items: Sequence[Item]) -> list[list[Any]]:
    """Return each item's part of ``points`` in proportion to its value.

    The parts add up exactly: what is left of rounding down goes to the greatest
    remainders, the first item first. Items of no value share equally.

    >>> from loyalty.engine.facts import Item
    >>> spread(10, [Item("a", 10_000), Item("b", 20_000)])
    [['a', 3], ['b', 7]]
    """
    values = [max(item.units, 0) for item in items]
    total = sum(values)
    if not total:
        values, total = [1] * len(items), len(items)
    parts = [points * value // total for value in values]
    by_remainder = sorted(
        range(len(items)), key=lambda place: -(points * values[place] % total)
    )
    for place in by_remainder[: points - sum(parts)]:
        parts[place] += 1
    return [[item.item_id, part] for item, part in zip(items, parts, strict=True)]
