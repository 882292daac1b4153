"""Campaigns to interact with, and deciding about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loyalty.engine.facts import Budget, Codes, Completion, RewardKind
from loyalty.engine.interactions import decide_interaction
from loyalty.engine.rewards import Case
from tests.engine.offers import NOON, RULES, activity, anyone, composed

if TYPE_CHECKING:
    from loyalty.engine.facts import Offer
    from loyalty.engine.interactions import Interaction

CREDITS, GEMS = 5, 6
BLANK = {"reward": RewardKind.NOTHING, "points": 0}
VOUCHER = {"reward": RewardKind.VOUCHER, "points": 0, "voucher_type_id": 3}
SPENT = {"awards_budget": 2}
LISTED = {**VOUCHER, "takes_codes": True}
OTHERS = {"segments": frozenset({1})}
HAD = {"cap": 1}
NO_CODES = Budget(codes=Codes(0))
COST_5 = {"cost": 5, "cost_wallet_id": CREDITS}
COST_30 = {"cost": 30, "cost_wallet_id": CREDITS}
COST_GEMS = {"cost": 2, "cost_wallet_id": GEMS}


def scratch_card(*methods: Offer, **fields: Any) -> Offer:
    """Return a campaign that draws one of its methods."""
    return composed(*methods, **{"context": "interaction", "draws": True, **fields})


def every(*methods: Offer, **fields: Any) -> Offer:
    """Return a campaign that gives all of its methods."""
    return scratch_card(*methods, draws=False, **fields)


def decide(
    campaign: Offer,
    *,
    at_hand: Any = None,
    had: Any = (),
    left: Any = None,
    seed: int = 1,
    at: Any = NOON,
) -> Interaction:
    """Decide; ``had`` are offers that the member had, ``left`` budgets by offer."""
    history = anyone(completions={one: [Completion(NOON, is_paid=True)] for one in had})
    happened = activity(occurred_at=at, activity_type_id=0, units=0, seed=seed)
    case = Case(happened, history, frozenset(), None, RULES, left or {})
    return decide_interaction(campaign, case, at_hand or {})


def given_by(outcome: Interaction) -> list[int]:
    """Return the numbers of what is given."""
    assert outcome.decision is not None
    return [one.offer.id for one in outcome.decision.awards]
