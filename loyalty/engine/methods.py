"""What a campaign with several reward methods gives: all that apply, or one drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loyalty.engine.conditions import failure_of_count
from loyalty.engine.decisions import Award, Draw, Reason, Rejection
from loyalty.engine.draw import draw
from loyalty.engine.facts import Budget
from loyalty.engine.rewards import (
    codes_left,
    failure_of,
    reward_of,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loyalty.engine.facts import Offer
    from loyalty.engine.rewards import Case


@dataclass(slots=True)
class Given:
    """What came of a campaign's methods; ``rejections`` may name the campaign too."""

    awards: list[Award] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    draw: Draw | None = None


def decide_methods(campaign: Offer, case: Case, base_units: int) -> Given:
    """Return what the methods of ``campaign`` give for an activity.

    ``base_units`` are the base points in 1/10,000 point. Conditions of the campaign
    come first, then each method's own, its limits included: nothing is drawn that
    could not be given.
    """
    failure = failure_of(campaign, case) or count_failure(campaign, case)
    if failure:
        return Given(rejections=[failure])
    given = eligible(campaign, case, base_units)
    if not given.awards:
        given.rejections.append(Rejection(campaign, Reason.NO_METHOD_APPLIES))
    elif campaign.draws:
        draw_one(campaign, given, case.activity.seed)
    return given


def count_failure(campaign: Offer, case: Case) -> Rejection | None:
    """Return why the campaign's own cap or attempts forbid anything, or None."""
    if not campaign.counts_completions:
        return None
    return failure_of_count(
        campaign,
        case.activity.occurred_at,
        case.history.completions.get(campaign.id, ()),
        case.rules.clock,
    )


def spent(campaign: Offer, case: Case) -> Rejection | None:
    """Return that the campaign's own budget is spent for everybody, or None."""
    if not campaign.has_budget:
        return None
    one_point = Award(campaign, 1, 1, None)
    outcome = within_budget(one_point, case.budgets[campaign.id], campaign)
    return outcome if isinstance(outcome, Rejection) else None


def eligible(campaign: Offer, case: Case, base_units: int) -> Given:
    """Return what could be given, the campaign's own conditions held.

    Of a draw these are the candidates; all of them have a chance.
    """
    given = Given()
    left = replace(case.budgets[campaign.id]) if campaign.has_budget else None
    for method in campaign.methods:
        outcome = failure_of(method, case) or reward_of(method, case, base_units)
        if isinstance(outcome, Award) and left is not None:
            outcome = within_budget(outcome, left, campaign)
        if (campaign.draws or method.takes_codes) and isinstance(outcome, Award):
            outcome = _beside(given.awards, outcome, campaign, case)
        if isinstance(outcome, Rejection):
            given.rejections.append(outcome)
            continue
        given.awards.append(outcome)
        if left is not None and not campaign.draws:
            _take(left, outcome)
    return given


def _beside(
    others: Sequence[Award], award: Award, campaign: Offer, case: Case
) -> Award | Rejection:
    """Return the award, if those of the methods before leave it a chance or a code."""
    method = award.offer
    if campaign.draws:
        return award if method.weight else Rejection(method, Reason.NOT_DRAWN)
    if method.takes_codes:
        type_id = method.voucher_type_id
        taken = sum([one.offer.voucher_type_id == type_id for one in others])
        if codes_left(method, case) <= taken:
            return Rejection(method, Reason.VOUCHER_CODES_SPENT)
    return award


def draw_one(campaign: Offer, given: Given, seed: int) -> None:
    """Keep the one award that is drawn; the others become rejections."""
    candidates = [(one.offer.id, one.offer.weight) for one in given.awards]
    given.draw = draw(campaign.id, candidates, seed)
    winner_id = given.draw.winner_id
    given.rejections += [
        Rejection(one.offer, Reason.NOT_DRAWN, {"winner": winner_id})
        for one in given.awards
        if one.offer.id != winner_id
    ]
    given.awards = [one for one in given.awards if one.offer.id == winner_id]


def _take(left: Budget, award: Award) -> None:
    if left.points_left is not None:
        left.points_left -= award.points
    if left.awards_left is not None:
        left.awards_left -= 1
