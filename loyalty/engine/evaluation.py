"""Deciding one activity: what each offer pays and why the others do not.

A return earns nothing and counts for nothing, whatever the offers say.

Order: the activity type must be open to the member; then its own rule pays
base; then the candidate campaigns, by priority (highest first) and number. Of an
exclusive group the first that pays wins. Budgets come last. Then the quests that
the activity could count towards, by number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.decisions import (
    Award,
    Counted,
    Decision,
    Reason,
    Rejection,
    TierChange,
)
from loyalty.engine.facts import Completion
from loyalty.engine.methods import decide_methods
from loyalty.engine.points import units_of_points
from loyalty.engine.quest_decision import absorb_step, decide_quest
from loyalty.engine.rewards import Case, failure_of, reward_of
from loyalty.engine.tiers import tier_at, tier_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from loyalty.engine.decisions import Draw, QuestStep
    from loyalty.engine.facts import ActivityFacts, Budget, MemberHistory, Offer, Rules
    from loyalty.engine.quests import Candidate

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
    outcome = _Outcome()
    case = Case(
        activity, history, segment_ids, tier_id, rules, budgets, outcome.codes_taken
    )
    if not history.is_known or activity.is_return:
        reason = Reason.IS_RETURN if history.is_known else Reason.MEMBER_UNKNOWN
        rejected = tuple(
            Rejection(offer, reason)
            for offer in (base, *candidates, *(one.quest.offer for one in quests))
        )
        if not history.is_known:
            return Decision((), rejected, converted=activity.converted)
        return Decision(
            (),
            rejected,
            tier_id=tier_id,
            segment_ids=tuple(segment_ids),
            score_before=history.score,
            given_points=activity.given_points,
            converted=activity.converted,
        )

    _decide_offers(case, base, candidates, outcome)
    if quests:
        _decide_quests(case, base, quests, outcome)

    return Decision(
        tuple(outcome.awards),
        tuple(outcome.rejections),
        tuple(outcome.counted),
        tier_id,
        tier_change(outcome.awards, case),
        tuple(segment_ids),
        history.score,
        activity.given_points,
        tuple(outcome.steps),
        tuple(outcome.draws),
        activity.converted,
    )


class _Outcome:
    """What has been decided so far."""

    __slots__ = ("awards", "codes_taken", "counted", "draws", "rejections", "steps")

    def __init__(self) -> None:
        self.awards: list[Award] = []
        self.rejections: list[Rejection] = []
        self.counted: list[Counted] = []
        self.steps: list[QuestStep] = []
        self.draws: list[Draw] = []
        self.codes_taken: dict[int | None, int] = {}

    def file(self, outcome: Award | Rejection) -> None:
        offer = outcome.offer
        if isinstance(outcome, Award):
            self.awards.append(outcome)
            if offer.takes_codes:
                taken = self.codes_taken.get(offer.voucher_type_id, 0)
                self.codes_taken[offer.voucher_type_id] = taken + 1
            if offer.leaves_completions:
                self.counted.append(Counted(offer.id, True))  # noqa: FBT003 (positional in a NamedTuple on the hot path)
            return
        self.rejections.append(outcome)
        if outcome.reason is Reason.MORE_ATTEMPTS_NEEDED:
            self.counted.append(Counted(offer.id, False))  # noqa: FBT003


def absorb(decision: Decision, activity: ActivityFacts, history: MemberHistory) -> None:
    """Carry a decision into the history that the next activity is decided with."""
    at = activity.occurred_at
    for offer_id, is_paid in decision.counted:
        history.completions.setdefault(offer_id, []).append(Completion(at, is_paid))
    for award in decision.awards:
        history.score += award.points * award.offer.wallet.score_units
    for step in decision.quest_steps:
        has_prize = any(one.offer.id == step.quest_id for one in decision.awards)
        absorb_step(step, history, has_prize=has_prize)
    if decision.tier_change:
        change = decision.tier_change
        history.tier_timeline.append((change.since, change.tier_id))


def consume(decision: Decision, budgets: Mapping[int, Budget]) -> None:
    """Take a decision's awards from the budgets they fall under."""
    for award in decision.awards:
        offer = award.offer
        if offer.has_budget or offer.takes_codes:
            _take(budgets[offer.id], award.points)
        if offer.campaign_id is not None and offer.campaign_id in budgets:
            _take(budgets[offer.campaign_id], award.points)


def _take(budget: Budget, points: int) -> None:
    if budget.points_left is not None:
        budget.points_left -= points
    if budget.awards_left is not None:
        budget.awards_left -= 1
    if budget.codes is not None:
        budget.codes.left -= 1


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
    case: Case, base: Offer, candidates: Sequence[Offer], into: _Outcome
) -> None:
    outcome = failure_of(base, case) or reward_of(base, case, 0)
    into.file(outcome)
    if isinstance(outcome, Rejection) and outcome.reason in _CLOSES_THE_TYPE:
        into.rejections.extend(
            Rejection(offer, Reason.TYPE_NOT_OPEN) for offer in candidates
        )
        return
    base_points = outcome.points if isinstance(outcome, Award) else 0
    base_units = units_of_points(base_points, base.wallet.decimals)
    winners: dict[str, int] = {}
    for offer in candidates:
        if offer.exclusive_group in winners:
            operands = {"winner": winners[offer.exclusive_group]}
            into.rejections.append(Rejection(offer, Reason.EXCLUSIVE_GROUP, operands))
            continue
        if offer.has_methods:
            pays = _decide_methods(offer, case, base_units, into)
        else:
            outcome = failure_of(offer, case) or reward_of(offer, case, base_units)
            into.file(outcome)
            pays = isinstance(outcome, Award)
        if offer.exclusive_group and pays:
            winners[offer.exclusive_group] = offer.id


def _decide_methods(
    campaign: Offer, case: Case, base_units: int, into: _Outcome
) -> bool:
    """File what comes of the campaign's methods; return whether any gives."""
    given = decide_methods(campaign, case, base_units)
    for award in given.awards:
        into.file(award)
    for rejection in given.rejections:
        into.file(rejection)
    if given.awards and campaign.leaves_completions:
        into.counted.append(Counted(campaign.id, True))  # noqa: FBT003
    if given.draw is not None:
        into.draws.append(given.draw)
    return bool(given.awards)


def _decide_quests(
    case: Case, base: Offer, quests: Sequence[Candidate], into: _Outcome
) -> None:
    """File what comes of each quest's prize, and the steps made."""
    is_closed = any(
        one.offer is base and one.reason in _CLOSES_THE_TYPE for one in into.rejections
    )
    for candidate in quests:
        if is_closed:
            offer = candidate.quest.offer
            into.rejections.append(Rejection(offer, Reason.TYPE_NOT_OPEN))
            continue
        outcome, step = decide_quest(candidate, case)
        if isinstance(outcome, Award):
            into.file(outcome)
            if not outcome.offer.leaves_completions:
                into.counted.append(Counted(outcome.offer.id, True))  # noqa: FBT003
        else:
            into.rejections.append(outcome)
        if step is not None:
            into.steps.append(step)


def tier_change(awards: Sequence[Award], case: Case) -> TierChange | None:
    """Return the move to another tier that the awards bring about, or None."""
    if not case.rules.tiers:
        return None
    timeline = case.history.tier_timeline
    # A list, because a generator takes longer for so few.
    scoring = [one.points * one.offer.wallet.score_units for one in awards]
    score = case.history.score + sum(scoring)
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
