"""Deciding what one activity does for one quest: its progress and its prize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loyalty.engine.conditions import first_failure
from loyalty.engine.decisions import Award, QuestStep, Reason, Rejection
from loyalty.engine.facts import Contribution, OptIn, QuestHistory
from loyalty.engine.numbers import format_value
from loyalty.engine.quests import (
    Candidate,
    Run,
    automatic_opt_in,
    completions_of,
    opt_in_at,
    runs_of,
)
from loyalty.engine.rewards import codes_left

if TYPE_CHECKING:
    from loyalty.engine.facts import Budget, MemberHistory
    from loyalty.engine.rewards import Case


def decide_quest(
    candidate: Candidate, held: Case
) -> tuple[Award | Rejection, QuestStep | None]:
    """Return what comes of the prize and, if the activity counts, its step."""
    quest = candidate.quest
    offer, at = quest.offer, held.activity.occurred_at
    failure = first_failure(
        offer, held.activity, held.segment_ids, held.tier_id, held.rules
    )
    if failure:
        return failure, None
    history = held.history.quests.get(quest.id) or QuestHistory()
    opt_ins, new = history.opt_ins, None
    if not opt_ins and quest.is_automatic:
        new = automatic_opt_in(quest, held.history.enrolled_at)
        opt_ins = [new]
    opt_in = opt_in_at(opt_ins, at)
    if opt_in is None:
        has_begun = any(one.counts_from <= at for one in opt_ins)
        reason = Reason.QUEST_EXPIRED if has_begun else Reason.QUEST_NOT_OPTED_IN
        return Rejection(offer, reason), None

    contribution = Contribution(at, candidate.amounts)
    contributions = [*history.contributions, contribution]
    after = QuestHistory(opt_ins, contributions, history.prizes)
    outcome = _prize(candidate, after, opt_in, held)
    return outcome, QuestStep(quest.id, contribution, new)


def _prize(
    candidate: Candidate, history: QuestHistory, opt_in: OptIn, held: Case
) -> Award | Rejection:
    quest = candidate.quest
    offer = quest.offer
    prizes = len(history.prizes)
    most = quest.completions_per_member
    if most is not None and prizes >= most:
        return Rejection(offer, Reason.QUEST_COMPLETED, {"completions": prizes})
    run = runs_of(quest, history, opt_in)[-1]
    operands: dict[str, Any] = {"progress": _told(run, candidate.amounts)}
    if completions_of(quest, history) <= prizes:
        return Rejection(offer, Reason.QUEST_IN_PROGRESS, operands)
    if offer.points <= 0 and not offer.gives_no_points:
        return Rejection(offer, Reason.NOTHING_TO_PAY, operands)
    if offer.awards_budget is not None and _is_spent(held.budgets[offer.id]):
        spent = {"awards_budget": offer.awards_budget, **operands}
        return Rejection(offer, Reason.AWARDS_BUDGET_SPENT, spent)
    if offer.takes_codes and codes_left(offer, held) <= 0:
        return Rejection(offer, Reason.VOUCHER_CODES_SPENT, operands)
    unit_id = offer.business_unit_id or held.activity.business_unit_id
    points = 0 if offer.gives_no_points else offer.points
    return Award(offer, points, points, unit_id, operands)


def _is_spent(budget: Budget) -> bool:
    return budget.awards_left is not None and budget.awards_left <= 0


def _told(run: Run, amounts: tuple[tuple[int, int], ...]) -> list[dict[str, Any]]:
    """Return the run for the decision record; amounts as decimal text."""
    added = dict(amounts)
    return [
        {
            "requirement": one.requirement.id,
            "what": one.requirement.description,
            "added": format_value(added.get(one.requirement.id, 0)),
            "value": format_value(one.value),
            "needed": None if one.needed is None else format_value(one.needed),
        }
        for one in run.progress
    ]


def absorb_step(step: QuestStep, history: MemberHistory, *, has_prize: bool) -> None:
    """Carry a step into the history that the next activity is decided with."""
    quest = history.quests.setdefault(step.quest_id, QuestHistory())
    if step.new_opt_in is not None:
        quest.opt_ins.append(step.new_opt_in)
    quest.contributions.append(step.contribution)
    if has_prize:
        quest.prizes.append((step.contribution.occurred_at, 0))
