"""Deciding one activity: what each offer pays and why the others do not.

Order: the activity type must be open to the member; then its own rule pays
base; then the candidate campaigns, by priority (highest first) and number. Of an
exclusive group the first that pays wins. Budgets come last. Then the quests that
the activity could count towards, by number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.conditions import failure_of_count, first_failure
from loyalty.engine.facts import (
    ActivityFacts,
    Award,
    Budget,
    Completion,
    Counted,
    Decision,
    MemberHistory,
    Offer,
    OfferKind,
    QuestStep,
    Reason,
    Rejection,
    RewardKind,
    Rules,
    TierChange,
)
from loyalty.engine.points import multiplied, points_per_unit
from loyalty.engine.quest_decision import Conditions, absorb_step, decide_quest
from loyalty.engine.tiers import tier_at, tier_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from loyalty.engine.quests import Candidate

_PER_VALUE = frozenset({RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE})
# The type is not open to the member at all; no campaign pays either.
_CLOSES_THE_TYPE = frozenset(
    {
        Reason.DISABLED,
        Reason.NOT_STARTED,
        Reason.ENDED,
        Reason.TIER_TOO_LOW,
        Reason.NOT_IN_SEGMENT,
        Reason.IN_EXCLUDED_SEGMENT,
    }
)


class Case(NamedTuple):
    """One activity of one member, with what held when it happened."""

    activity: ActivityFacts
    history: MemberHistory
    segment_ids: frozenset[int]
    tier_id: int | None
    rules: Rules
    budgets: Mapping[int, Budget]


def evaluate(  # noqa: PLR0913, PLR0917 (one argument for each kind of fact)
    activity: ActivityFacts,
    history: MemberHistory,
    base: Offer,
    candidates: Sequence[Offer],
    rules: Rules,
    budgets: Mapping[int, Budget],
    quests: Sequence[Candidate] = (),
) -> Decision:
    """Decide what ``activity`` earns; changes nothing.

    Args:
        activity: what happened.
        history: what the member brings along.
        base: the activity type's own rule.
        candidates: campaigns that may apply, in order of evaluation.
        rules: clock and tiers of the program.
        budgets: what is left of each candidate that has a budget.
        quests: those that it could count towards, in order of evaluation.

    Returns:
        Every offer given exactly once, as an award or as a rejection.
    """
    at = activity.occurred_at
    segment_ids = segments_at(history, at)
    tier_id = tier_at(history.tier_timeline, at) if history.tier_timeline else None
    case = Case(activity, history, segment_ids, tier_id, rules, budgets)
    if not history.is_known:
        rejected = tuple(
            Rejection(offer, Reason.MEMBER_UNKNOWN)
            for offer in (base, *candidates, *(one.quest.offer for one in quests))
        )
        return Decision((), rejected)

    awards, rejections, counted = _decide_offers(case, base, candidates)
    steps = _decide_quests(case, base, quests, (awards, rejections, counted))

    return Decision(
        tuple(awards),
        tuple(rejections),
        tuple(counted),
        tier_id,
        _tier_change(awards, case),
        tuple(segment_ids),
        history.score,
        activity.given_points,
        tuple(steps),
    )


def absorb(decision: Decision, activity: ActivityFacts, history: MemberHistory) -> None:
    """Carry a decision into the history that the next activity is decided with."""
    at = activity.occurred_at
    for offer_id, is_paid in decision.counted:
        history.completions.setdefault(offer_id, []).append(Completion(at, is_paid))
    for award in decision.awards:
        if award.offer.wallet.counts_for_tier:
            history.score += award.points
    for step in decision.quest_steps:
        has_prize = any(one.offer.id == step.quest_id for one in decision.awards)
        absorb_step(step, history, has_prize=has_prize)
    if decision.tier_change:
        change = decision.tier_change
        history.tier_timeline.append((change.since, change.tier_id))


def consume(decision: Decision, budgets: Mapping[int, Budget]) -> None:
    """Take a decision's awards from the budgets they fall under."""
    for award in decision.awards:
        if not award.offer.has_budget:
            continue
        budget = budgets[award.offer.id]
        if budget.points_left is not None:
            budget.points_left -= award.points
        if budget.awards_left is not None:
            budget.awards_left -= 1


def segments_at(history: MemberHistory, moment: datetime) -> frozenset[int]:
    """Return the segments that the member was in at ``moment``."""
    return frozenset(
        [
            segment_id
            for segment_id, entered_at, left_at in history.stays
            if entered_at <= moment < left_at
        ]
    )


def _decide_offers(
    case: Case, base: Offer, candidates: Sequence[Offer]
) -> tuple[list[Award], list[Rejection], list[Counted]]:
    awards: list[Award] = []
    rejections: list[Rejection] = []
    counted: list[Counted] = []
    outcome = _outcome(base, case, base_points=0)
    _file(outcome, awards, rejections, counted)
    if isinstance(outcome, Rejection) and outcome.reason in _CLOSES_THE_TYPE:
        rejections.extend(
            Rejection(offer, Reason.TYPE_NOT_OPEN) for offer in candidates
        )
        return awards, rejections, counted
    base_points = outcome.points if isinstance(outcome, Award) else 0
    winners: dict[str, int] = {}
    for offer in candidates:
        if offer.exclusive_group in winners:
            operands = {"winner": winners[offer.exclusive_group]}
            rejections.append(Rejection(offer, Reason.EXCLUSIVE_GROUP, operands))
            continue
        outcome = _outcome(offer, case, _in_wallet_of(offer, base, base_points))
        _file(outcome, awards, rejections, counted)
        if offer.exclusive_group and isinstance(outcome, Award):
            winners[offer.exclusive_group] = offer.id
    return awards, rejections, counted


def _decide_quests(
    case: Case,
    base: Offer,
    quests: Sequence[Candidate],
    into: tuple[list[Award], list[Rejection], list[Counted]],
) -> list[QuestStep]:
    """File what comes of each quest's prize; return the steps made."""
    if not quests:
        return []
    awards, rejections, counted = into
    is_closed = any(
        one.offer is base and one.reason in _CLOSES_THE_TYPE for one in rejections
    )
    held = Conditions(*case)
    steps = []
    for candidate in quests:
        if is_closed:
            rejections.append(Rejection(candidate.quest.offer, Reason.TYPE_NOT_OPEN))
            continue
        outcome, step = decide_quest(candidate, held)
        if isinstance(outcome, Award):
            awards.append(outcome)
            counted.append(Counted(outcome.offer.id, True))  # noqa: FBT003
        else:
            rejections.append(outcome)
        if step is not None:
            steps.append(step)
    return steps


def _file(
    outcome: Award | Rejection,
    awards: list[Award],
    rejections: list[Rejection],
    counted: list[Counted],
) -> None:
    offer = outcome.offer
    if isinstance(outcome, Award):
        awards.append(outcome)
        if offer.counts_completions:
            counted.append(Counted(offer.id, True))  # noqa: FBT003 (positional in a NamedTuple on the hot path)
        return
    rejections.append(outcome)
    if outcome.reason is Reason.MORE_ATTEMPTS_NEEDED:
        counted.append(Counted(offer.id, False))  # noqa: FBT003


def _outcome(offer: Offer, case: Case, base_points: int) -> Award | Rejection:
    failure = first_failure(
        offer, case.activity, case.segment_ids, case.tier_id, case.rules
    )
    if failure:
        return failure
    units = _units_for(offer, case.activity)
    points, operands = _points(offer, units, base_points), None
    if offer.reward is RewardKind.PER_ITEM_VALUE:
        operands = {"of": units}
    given = case.activity.given_points
    if given is not None and offer.kind is OfferKind.ACTIVITY_TYPE:
        points, operands = given, {"by_rule": points}
    if points <= 0:
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
    if offer.has_budget:
        asked = Award(offer, points, points, unit_id, operands)
        return _within_budget(asked, case.budgets[offer.id])
    return Award(offer, points, points, unit_id, operands)


def _units_for(offer: Offer, activity: ActivityFacts) -> int:
    """Return the value that an offer pays for: the activity's, or its items'."""
    if offer.reward is RewardKind.PER_ITEM_VALUE:
        list_id = offer.item_list_id
        return sum([item[1] for item in activity.items if list_id in item[2]])
    return activity.units


def _points(offer: Offer, units: int, base_points: int) -> int:
    """Return what the reward computes, rounded once; never negative."""
    reward, wallet = offer.reward, offer.wallet
    if reward is RewardKind.FIXED:
        return offer.points
    if reward in _PER_VALUE:
        return points_per_unit(units, offer.points, offer.per_units, wallet.rounding)
    if reward is RewardKind.MULTIPLIER:
        return multiplied(base_points, offer.multiplier, wallet.rounding)
    return 0


def _in_wallet_of(offer: Offer, base: Offer, base_points: int) -> int:
    """Return base points in the smallest unit of the offer's wallet."""
    if offer.wallet.decimals == base.wallet.decimals:
        return base_points
    numerator: int = 10**offer.wallet.decimals
    denominator: int = 10**base.wallet.decimals
    return base_points * numerator // denominator


def _within_budget(asked: Award, budget: Budget) -> Award | Rejection:
    offer = asked.offer
    if budget.awards_left is not None and budget.awards_left <= 0:
        operands = {"awards_budget": offer.awards_budget}
        return Rejection(offer, Reason.AWARDS_BUDGET_SPENT, operands)
    left = budget.points_left
    if left is None or asked.points <= left:
        return asked
    if left <= 0 or not offer.clips_to_budget:
        operands = {"points_budget": offer.points_budget, "left": max(left, 0)}
        return Rejection(offer, Reason.POINTS_BUDGET_SPENT, operands)
    operands = {**(asked.operands or {}), "points_budget": offer.points_budget}
    return asked._replace(points=left, operands=operands)


def _tier_change(awards: Sequence[Award], case: Case) -> TierChange | None:
    if not case.rules.tiers:
        return None
    timeline = case.history.tier_timeline
    score = case.history.score + sum(
        award.points for award in awards if award.offer.wallet.counts_for_tier
    )
    tier_id = tier_for(score, case.rules.tiers)
    latest_since, latest_id = timeline[-1] if timeline else (None, None)
    if tier_id == latest_id:
        return None
    # A late activity cannot lift the member before the tier that was decided
    # meanwhile: the timeline only grows at its end.
    since = case.activity.occurred_at
    if latest_since is not None and latest_since > since:
        since = latest_since
    return TierChange(tier_id, since, score)
