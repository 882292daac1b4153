"""Deciding what comes of a member's interaction with a campaign.

Order of the checks: the campaign must be live and meant for interactions; the member
must be let in; must not have had everything already; something must be left for
anybody; the price must be at hand. Only then is anything drawn, charged or given.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.decisions import Award, Counted, Decision, Reason, Rejection
from loyalty.engine.evaluation import tier_change
from loyalty.engine.facts import RewardKind
from loyalty.engine.methods import Given, count_failure, draw_one, eligible, spent
from loyalty.engine.rewards import failure_of, reward_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loyalty.engine.facts import Offer
    from loyalty.engine.rewards import Case

INTERACTION = "interaction"
_BY_TIME = frozenset(
    {Reason.DISABLED, Reason.NOT_STARTED, Reason.ENDED, Reason.OUTSIDE_SCHEDULE}
)
_BY_MEMBER = frozenset({Reason.CAP_REACHED})
_BY_STOCK = frozenset(
    {
        Reason.AWARDS_BUDGET_SPENT,
        Reason.POINTS_BUDGET_SPENT,
        Reason.VOUCHER_CODES_SPENT,
    }
)


class Verdict(Enum):
    """What comes of an interaction, in the order of the checks."""

    OTHER_CONTEXT = "other_context"
    NOT_ACTIVE = "not_active"
    NOT_IN_AUDIENCE = "not_in_audience"
    MEMBER_HAD_ALL = "member_had_all"
    FULLY_REDEEMED = "fully_redeemed"
    TOO_FEW_POINTS = "too_few_points"
    ACTED = "acted"


class Price(NamedTuple):
    """Points to be paid from one wallet, in its smallest unit."""

    wallet_id: int
    amount: int


class Interaction(NamedTuple):
    """What was decided: ``decision`` only if the interaction happens.

    ``rejection`` says why it does not; ``missing`` is the price that could not be
    paid.
    """

    verdict: Verdict
    decision: Decision | None = None
    prices: tuple[Price, ...] = ()
    rejection: Rejection | None = None
    missing: Price | None = None


def decide_interaction(
    campaign: Offer, case: Case, at_hand: Mapping[int, int | None]
) -> Interaction:
    """Decide an interaction; changes nothing.

    Args:
        campaign: with its reward methods; without any it gives its own reward.
        case: the moment, the member's history, and what budgets have left.
        at_hand: spendable points by wallet; None where a balance may go below zero.
    """
    refused = _refusal(campaign, case)
    if refused is not None:
        return refused
    given = _candidates(campaign, case)
    if not _is_worth_it(campaign, given):
        return _nothing_left(given)
    prices = _prices(campaign, given.awards)
    for price in prices:
        available = at_hand.get(price.wallet_id, 0)
        if available is not None and available < price.amount:
            return Interaction(Verdict.TOO_FEW_POINTS, missing=price, prices=prices)
    if campaign.draws:
        draw_one(campaign, given, case.activity.seed)
    return Interaction(Verdict.ACTED, _decision(campaign, case, given), prices)


def _refusal(campaign: Offer, case: Case) -> Interaction | None:
    if campaign.context != INTERACTION:
        return Interaction(Verdict.OTHER_CONTEXT)
    failure = failure_of(campaign, case)
    if failure:
        is_over = failure.reason in _BY_TIME
        verdict = Verdict.NOT_ACTIVE if is_over else Verdict.NOT_IN_AUDIENCE
        return Interaction(verdict, rejection=failure)
    failure = count_failure(campaign, case)
    if failure:
        return Interaction(Verdict.MEMBER_HAD_ALL, rejection=failure)
    failure = spent(campaign, case)
    if failure:
        return Interaction(Verdict.FULLY_REDEEMED, rejection=failure)
    return None


def _candidates(campaign: Offer, case: Case) -> Given:
    if campaign.has_methods:
        return eligible(campaign, case, 0)
    outcome = reward_of(campaign, case, 0)
    if isinstance(outcome, Award):
        return Given(awards=[outcome])
    return Given(rejections=[outcome])


def _is_worth_it(campaign: Offer, given: Given) -> bool:
    """Return whether there is something to give.

    A blank is what a draw may end on; given for certain, beside what a limit keeps
    back, it is nothing to pay for.
    """
    if campaign.draws or not campaign.has_methods:
        return bool(given.awards)
    if any(one.offer.reward is not RewardKind.NOTHING for one in given.awards):
        return True
    limits = _BY_MEMBER | _BY_STOCK
    return bool(given.awards) and not any(
        one.reason in limits for one in given.rejections
    )


def _nothing_left(given: Given) -> Interaction:
    """Return why nothing can be given: the member's limits, the stock, or the rules."""
    for reasons, verdict in (
        (_BY_MEMBER, Verdict.MEMBER_HAD_ALL),
        (_BY_STOCK, Verdict.FULLY_REDEEMED),
    ):
        for one in given.rejections:
            if one.reason in reasons:
                return Interaction(verdict, rejection=one)
    rejection = given.rejections[0] if given.rejections else None
    return Interaction(Verdict.NOT_IN_AUDIENCE, rejection=rejection)


def _prices(campaign: Offer, awards: Sequence[Award]) -> tuple[Price, ...]:
    """Return what it costs, known before anything is drawn.

    Of a draw that has no price of its own it is the highest of all candidates: a
    price that told the outcome would be a way to look before paying.
    """
    prices: Counter[int] = Counter()
    own = campaign.cost_wallet_id
    if own is not None:
        prices[own] += campaign.cost
    if campaign.draws:
        if own is None:
            for award in awards:
                wallet_id, cost = award.offer.cost_wallet_id, award.offer.cost
                if wallet_id is not None:
                    prices[wallet_id] = max(prices[wallet_id], cost)
    else:
        for award in awards:
            wallet_id = award.offer.cost_wallet_id
            if wallet_id is not None and award.offer.campaign_id is not None:
                prices[wallet_id] += award.offer.cost
    return tuple(Price(*one) for one in sorted(prices.items()) if one[1])


def _decision(campaign: Offer, case: Case, given: Given) -> Decision:
    used = {campaign.id} | {
        one.offer.id for one in given.awards if one.offer.leaves_completions
    }
    return Decision(
        awards=tuple(given.awards),
        rejections=tuple(given.rejections),
        counted=tuple(Counted(one, True) for one in sorted(used)),  # noqa: FBT003
        tier_id=case.tier_id,
        tier_change=tier_change(given.awards, case),
        segment_ids=tuple(case.segment_ids),
        score_before=case.history.score,
        draws=() if given.draw is None else (given.draw,),
    )
