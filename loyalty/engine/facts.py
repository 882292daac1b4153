"""The frozen values that the engine decides about, and what it decides.

Amounts of points are integers in the wallet's smallest unit. Values of
activities and line items are integers of 1/10,000. Moments are aware and UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from enum import Enum
from typing import NamedTuple

from loyalty.engine.baskets import is_left
from loyalty.engine.holdout import Holdout
from loyalty.engine.money import Converted
from loyalty.engine.periods import Unit
from loyalty.engine.points import ExpiryRule, Rounding
from loyalty.engine.tiers import TierStep, units_of_score

EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


class OfferKind(Enum):
    """What an offer was made from."""

    ACTIVITY_TYPE = "activity_type"
    CAMPAIGN = "campaign"
    QUEST = "quest"
    REWARD_METHOD = "reward_method"


class Bucket(Enum):
    """Which part of what was earned an award belongs to."""

    BASE = "base"
    BONUS = "bonus"
    TARGETED = "targeted"


class RewardKind(Enum):
    """How an offer computes its points."""

    NOTHING = "nothing"
    FIXED = "fixed"
    PER_VALUE = "per_value"
    PER_ITEM_VALUE = "per_item_value"
    MULTIPLIER = "multiplier"
    VOUCHER = "voucher"
    METHODS = "methods"


class Distribution(Enum):
    """How a fixed reward meets the products of a basket; the values are stored."""

    BASKET_FIXED = "basket_fixed"
    PER_ITEM = "per_item"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Wallet:
    """A kind of points, as far as an award needs to know it."""

    id: int
    code: str
    decimals: int = 0
    rounding: Rounding = Rounding.DOWN
    expiry: ExpiryRule | None = None
    pending_days: int = 0
    counts_for_tier: bool = True
    # What its smallest unit adds to the tier score, in 1/10,000 point.
    score_units: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Reckon what counts for the tier."""
        units = units_of_score(self.decimals) if self.counts_for_tier else 0
        object.__setattr__(self, "score_units", units)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekdays (ISO numbers) and hours at which an offer is open, in local time.

    ``opens_at`` after ``closes_at`` runs over midnight; the day is then the one
    on which it opened. ``closes_at`` is outside.
    """

    weekdays: frozenset[int] = frozenset(range(1, 8))
    opens_at: time | None = None
    closes_at: time | None = None


class ItemGroup(NamedTuple):
    """Products on a list, or all but them, and how many a basket must hold."""

    list_id: int
    required: int = 0
    excludes: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can pay, with every condition on it.

    ``segments`` lets in members of any of them; ``excluded_segments`` keeps out
    members of any. ``minimum_tier_threshold`` is the threshold of the lowest tier
    admitted, in 1/10,000 point. ``points`` and ``per_units`` are scaled;
    ``multiplier`` counts 1/10,000.

    A campaign whose reward is METHODS gives what its ``methods`` give, sorted by
    number: all that apply, or one of them if it ``draws``. A method names its
    campaign in ``campaign_id``; its ``awards_budget`` is its stock. Every group of
    ``qualify`` must be in the basket; ``redeem`` are the items that are paid for.
    ``cost`` is the price of an interaction in the smallest unit of its wallet.
    """

    id: int
    kind: OfferKind
    bucket: Bucket
    wallet: Wallet
    reward: RewardKind = RewardKind.FIXED
    points: int = 0
    per_units: int = 10_000
    multiplier: int = 0
    is_enabled: bool = True
    starts_at: datetime = EVER
    ends_at: datetime = NEVER
    business_unit_id: int | None = None
    activity_type_ids: frozenset[int] = frozenset()
    channel_ids: frozenset[int] = frozenset()
    segments: frozenset[int] = frozenset()
    excluded_segments: frozenset[int] = frozenset()
    minimum_tier_threshold: int | None = None
    item_list_id: int | None = None
    minimum_units: int | None = None
    maximum_units: int | None = None
    schedule: Schedule | None = None
    cap: int | None = None
    period: Unit = Unit.LIFETIME
    required_attempts: int = 1
    points_budget: int | None = None
    awards_budget: int | None = None
    clips_to_budget: bool = True
    priority: int = 0
    exclusive_group: str = ""
    context: str = "activity"
    methods: tuple[Offer, ...] = ()
    draws: bool = False
    campaign_id: int | None = None
    weight: int = 1
    voucher_type_id: int | None = None
    takes_codes: bool = False
    cost: int = 0
    cost_wallet_id: int | None = None
    business_unit_ids: frozenset[int] = frozenset()
    currencies: frozenset[str] = frozenset()
    qualify: tuple[ItemGroup, ...] = ()
    redeem: ItemGroup | None = None
    distribution: Distribution = Distribution.BASKET_FIXED
    holdout: Holdout | None = None

    # What follows from the fields, reckoned once: each is asked for every activity.
    counts_completions: bool = field(init=False, repr=False, compare=False)
    leaves_completions: bool = field(init=False, repr=False, compare=False)
    gives_no_points: bool = field(init=False, repr=False, compare=False)
    has_budget: bool = field(init=False, repr=False, compare=False)
    has_methods: bool = field(init=False, repr=False, compare=False)
    pays_the_same: bool = field(init=False, repr=False, compare=False)
    asks_about_activity: bool = field(init=False, repr=False, compare=False)
    asks_about_basket: bool = field(init=False, repr=False, compare=False)
    asks_about_member: bool = field(init=False, repr=False, compare=False)
    asks_for_its_dates_only: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Reckon what follows from the fields."""
        is_method = self.campaign_id is not None
        is_voucher = self.reward is RewardKind.VOUCHER
        counts = self.cap is not None or self.required_attempts > 1
        found = {
            # Completions decide about the next one.
            "counts_completions": counts,
            # Completions must be written: nothing else says how often it gave.
            "leaves_completions": counts
            or is_method
            or is_voucher
            or self.context == "interaction",
            # Its award is a voucher or a blank.
            "gives_no_points": is_voucher
            or (
                (is_method or self.context == "interaction")
                and self.reward is RewardKind.NOTHING
            ),
            # A total over all members limits it.
            "has_budget": self.points_budget is not None
            or self.awards_budget is not None,
            "has_methods": self.reward is RewardKind.METHODS,
            # Whatever the activity.
            "pays_the_same": self.reward is RewardKind.FIXED
            and self.distribution is Distribution.BASKET_FIXED,
            "asks_about_activity": bool(
                self.activity_type_ids or self.business_unit_ids or self.channel_ids
            )
            or self.business_unit_id is not None
            or self.minimum_units is not None
            or self.maximum_units is not None,
            "asks_about_basket": self.context == "basket"
            or bool(self.currencies or self.qualify)
            or self.item_list_id is not None
            or self.redeem is not None,
            "asks_about_member": bool(self.segments or self.excluded_segments)
            or self.minimum_tier_threshold is not None,
        }
        found["asks_for_its_dates_only"] = (
            self.is_enabled
            and self.schedule is None
            and self.holdout is None
            and not any(found[name] for name in found if name.startswith("asks_"))
        )
        for name, value in found.items():
            object.__setattr__(self, name, value)


class Item(NamedTuple):
    """One product of an activity, its lines netted out.

    ``list_ids`` are the item lists it stands on. ``quantity`` counts pieces; it and
    ``units`` are below zero where more came back than was bought.
    """

    item_id: str
    units: int
    list_ids: tuple[int, ...] = ()
    quantity: int = 1
    came_back: bool = False

    @property
    def stays(self) -> bool:
        """Return whether something of it is left with the customer."""
        return is_left(self.units, self.quantity, came_back=self.came_back)


class ActivityFacts(NamedTuple):
    """What happened, as far as a rule can ask.

    ``given_points`` stand in place of what the type's own rule computes, in the
    smallest unit of its wallet; None leaves it to the rule. ``items`` are the products
    that stand on a list in use; of all others the value and the quantity are told.
    ``seed`` is the random number that the activity's draws are made with. A return
    (``is_return``) is no visit: nothing pays for it and nothing counts it. Values are
    in the program's currency; ``converted`` tells that they were told in another.
    """

    occurred_at: datetime
    activity_type_id: int
    units: int = 0
    channel_id: int | None = None
    business_unit_id: int | None = None
    items: tuple[Item, ...] = ()
    given_points: int | None = None
    line_count: int = 0
    unlisted_units: int = 0
    unlisted_quantity: int = 0
    currency: str = ""
    seed: int = 0
    is_return: bool = False
    converted: Converted | None = None


class Stay(NamedTuple):
    """A stay in a segment: ``[entered_at, left_at)``."""

    segment_id: int
    entered_at: datetime
    left_at: datetime


class Completion(NamedTuple):
    """A completion of an offer that counts them."""

    occurred_at: datetime
    is_paid: bool


class OptIn(NamedTuple):
    """How a member takes part in a quest; ``id`` is None before it has a row.

    ``ends_at`` is when the time to complete it is over, NEVER without a limit.
    """

    id: int | None
    starts_at: datetime
    ends_at: datetime = NEVER
    is_automatic: bool = False

    @property
    def counts_from(self) -> datetime:
        """Return the first moment at which an activity counts under it."""
        if self.is_automatic and self.ends_at == NEVER:
            return EVER
        return self.starts_at


class Contribution(NamedTuple):
    """What one activity adds to a quest: requirement and amount, by number.

    Sorts by moment and then by what it adds, so that equal ones can change places.
    """

    occurred_at: datetime
    amounts: tuple[tuple[int, int], ...]
    activity_id: int = 0


@dataclass(slots=True)
class QuestHistory:
    """What a member has done in one quest; grows as a batch is decided.

    ``opt_ins`` are sorted by start. ``prizes`` are those that stand: the moment
    and the number of the activity that they came with.
    """

    opt_ins: list[OptIn] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    prizes: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass(slots=True)
class MemberHistory:
    """What one member brings along; grows as a batch is decided in order.

    ``tier_timeline`` is sorted; ``completions`` by offer holds at least every
    completion in the windows that the batch touches, in any order. ``quests``
    holds every quest that the batch touches. ``enrolled_at`` is loaded where an
    automatic quest asks for it. ``member_id`` decides who is held out. ``score`` is
    in 1/10,000 point.
    """

    is_known: bool = True
    member_id: int = 0
    score: int = 0
    tier_timeline: list[tuple[datetime, int | None]] = field(default_factory=list)
    stays: tuple[Stay, ...] = ()
    completions: dict[int, list[Completion]] = field(default_factory=dict)
    quests: dict[int, QuestHistory] = field(default_factory=dict)
    enrolled_at: datetime = EVER


@dataclass(slots=True)
class Codes:
    """The codes left of a voucher type with a list of codes; offers share it."""

    left: int
    voucher_type_id: int | None = None


@dataclass(slots=True)
class Budget:
    """What a campaign may still give, over all members; None is no limit.

    ``is_unread`` says that points and awards were not asked for yet.
    """

    points_left: int | None = None
    awards_left: int | None = None
    codes: Codes | None = None
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """The program's zone and first day of the week; 0 is Monday."""

    zone: tzinfo
    first_weekday: int = 0

    def local_date(self, moment: datetime) -> date:
        """Return the day on the program's calendar."""
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Rules:
    """What a decision needs beside the offers: clock and tiers, lowest first."""

    clock: Clock
    tiers: tuple[TierStep, ...] = ()

    def threshold_of(self, tier_id: int | None) -> int:
        """Return the threshold of a tier, -1 for none."""
        for step in self.tiers:
            if step.id == tier_id:
                return step.threshold
        return -1
