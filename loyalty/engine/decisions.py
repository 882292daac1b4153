"""What the engine decides: awards, rejections with their reasons, draws and steps.

Amounts of points are integers in the wallet's smallest unit, scores integers of
1/10,000 point.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from loyalty.engine.facts import Contribution, Offer, OptIn
from loyalty.engine.money import Converted


class Reason(Enum):
    """Why an offer did not pay: the published list of rejection codes."""

    DISABLED = "disabled"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    OTHER_BUSINESS_UNIT = "other_business_unit"
    OTHER_CHANNEL = "other_channel"
    OTHER_ACTIVITY_TYPE = "other_activity_type"
    VALUE_TOO_LOW = "value_too_low"
    VALUE_TOO_HIGH = "value_too_high"
    OUTSIDE_SCHEDULE = "outside_schedule"
    NO_MATCHING_ITEM = "no_matching_item"
    TIER_TOO_LOW = "tier_too_low"
    NOT_IN_SEGMENT = "not_in_segment"
    IN_EXCLUDED_SEGMENT = "in_excluded_segment"
    IN_HOLDOUT = "in_holdout"
    TYPE_NOT_OPEN = "type_not_open"
    MORE_ATTEMPTS_NEEDED = "more_attempts_needed"
    CAP_REACHED = "cap_reached"
    NOTHING_TO_PAY = "nothing_to_pay"
    EXCLUSIVE_GROUP = "exclusive_group"
    POINTS_BUDGET_SPENT = "points_budget_spent"
    AWARDS_BUDGET_SPENT = "awards_budget_spent"
    MEMBER_UNKNOWN = "member_unknown"
    IS_RETURN = "is_return"
    NOT_A_BASKET = "not_a_basket"
    OTHER_CURRENCY = "other_currency"
    BASKET_WITHOUT_GROUP = "basket_without_group"
    NO_METHOD_APPLIES = "no_method_applies"
    NOT_DRAWN = "not_drawn"
    VOUCHER_CODES_SPENT = "voucher_codes_spent"
    QUEST_IN_PROGRESS = "quest_in_progress"
    QUEST_NOT_OPTED_IN = "quest_not_opted_in"
    QUEST_EXPIRED = "quest_expired"
    QUEST_COMPLETED = "quest_completed"


class QuestStep(NamedTuple):
    """That an activity counts towards a quest. ``new_opt_in`` has no row yet."""

    quest_id: int
    contribution: Contribution
    new_opt_in: OptIn | None = None


class Award(NamedTuple):
    """What an offer pays. ``asked`` is what it would have paid without limits.

    Vouchers and blanks are awards of zero points.
    """

    offer: Offer
    points: int
    asked: int
    business_unit_id: int | None
    operands: dict[str, Any] | None = None


class Rejection(NamedTuple):
    """Why an offer does not pay, with the numbers that decided it."""

    offer: Offer
    reason: Reason
    operands: dict[str, Any] | None = None


class TierChange(NamedTuple):
    """A member's move to another tier."""

    tier_id: int | None
    since: datetime
    score: int


class Counted(NamedTuple):
    """A completion that the decision adds."""

    offer_id: int
    is_paid: bool


class Draw(NamedTuple):
    """One draw: each candidate and its weight, by number, and which one won."""

    campaign_id: int
    seed: int
    candidates: tuple[tuple[int, int], ...]
    ticket: int
    winner_id: int


class Decision(NamedTuple):
    """Everything decided about one activity; every considered offer once."""

    awards: tuple[Award, ...]
    rejections: tuple[Rejection, ...]
    counted: tuple[Counted, ...] = ()
    tier_id: int | None = None
    tier_change: TierChange | None = None
    segment_ids: tuple[int, ...] = ()
    score_before: int = 0
    given_points: int | None = None
    quest_steps: tuple[QuestStep, ...] = ()
    draws: tuple[Draw, ...] = ()
    converted: Converted | None = None
