"""Deciding composed campaigns in tests: a basket of three products, and its outcome."""

from loyalty.engine.decisions import Reason
from loyalty.engine.evaluation import evaluate
from loyalty.engine.facts import Clock, Item, Rules
from loyalty.engine.tiers import TierStep
from tests.engine.offers import RULES, activity, anyone, base

TIERS = Rules(Clock(RULES.clock.zone), (TierStep(7, 0, 0), TierStep(8, 1, 100)))
BASKET = (
    Item("tea", 20_000, (5,), 2),
    Item("cup", 70_000, (5, 6), 1),
    Item("jam", 35_000, (6,), 3),
)


def decide(*candidates, happened=None, history=None, rules=RULES, budgets=None):
    return evaluate(
        happened or activity(items=BASKET, line_count=3, currency="EUR"),
        history or anyone(),
        base(),
        candidates,
        rules,
        budgets or {},
    )


def paid(decision) -> dict[int, int]:
    return {one.offer.id: one.points for one in decision.awards if one.offer.id != 1}


def reasons(decision) -> dict[int, Reason]:
    return {one.offer.id: one.reason for one in decision.rejections}
