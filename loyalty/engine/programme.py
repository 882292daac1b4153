"""A program's configuration, compiled: vocabulary by code and offers by index.

An activity meets only the campaigns that could possibly pay it. Each campaign
stands in one place of the index, under its most selective condition; what stands
in a place is cut along time, so campaigns that are over cost nothing either.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.facts import Distribution, Offer, RewardKind, Rules
from loyalty.engine.identities import IdentityRules
from loyalty.engine.plausible import NO_LIMITS, Limits
from loyalty.engine.quests import Candidate, Measure, Quest, amounts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from loyalty.engine.baskets import Product
    from loyalty.engine.money import Rate

_INTERVALS_REMEMBERED = 512


class NamedUnit(NamedTuple):
    """A business unit as calls name it."""

    id: int
    code: str
    name: str
    is_enabled: bool


class NamedChannel(NamedTuple):
    """A channel as calls name it."""

    id: int
    code: str
    is_enabled: bool


class TypeRule(NamedTuple):
    """An activity type: its offer, what it accepts, and where some find its value."""

    offer: Offer
    code: str
    allows_negative_value: bool
    value_param: str = ""


# Highest priority first, then the number: no two offers have the same.
Order = tuple[int, int]


class OffersOverTime:
    """Offers of one place of the index, cut where any of them starts or ends."""

    __slots__ = ("_boundaries", "_live", "_offers")

    def __init__(self, offers: Iterable[Offer]) -> None:
        """Sort the offers into the order of evaluation."""
        self._offers = sorted(offers, key=order_of_evaluation)
        moments = {offer.starts_at for offer in self._offers}
        moments |= {offer.ends_at for offer in self._offers}
        self._boundaries = sorted(moments)
        self._live: dict[int, dict[Order, Offer]] = {}

    def live_at(self, moment: datetime) -> dict[Order, Offer]:
        """Return the offers whose dates contain ``moment``, by their sort key."""
        interval = bisect_right(self._boundaries, moment)
        live = self._live.get(interval)
        if live is None:
            if len(self._live) >= _INTERVALS_REMEMBERED:
                self._live.clear()
            live = {
                order_of_evaluation(offer): offer
                for offer in self._offers
                if offer.starts_at <= moment < offer.ends_at
            }
            self._live[interval] = live
        return live


def order_of_evaluation(offer: Offer) -> Order:
    """Return the sort key: highest priority first, then the number."""
    return (-offer.priority, offer.id)


# A place: dimension and value of the dimension.
Place = tuple[str, int]


class OfferIndex:
    """Finds the campaigns that could pay an activity."""

    __slots__ = ("_by_type", "_lists", "_places", "_segments")

    def __init__(self, campaigns: Iterable[Offer]) -> None:
        """Put every enabled campaign into its places."""
        # Under 0 stand those for any type.
        by_type: dict[int, dict[Place, list[Offer]]] = defaultdict(dict)
        for offer in campaigns:
            if offer.is_enabled:
                for type_id in offer.activity_type_ids or (0,):
                    for place in _most_selective(offer):
                        by_type[type_id].setdefault(place, []).append(offer)
        self._by_type = by_type
        self._places: dict[int, dict[Place, OffersOverTime]] = {}
        every = {place for places in by_type.values() for place in places}
        self._segments = frozenset(key for kind, key in every if kind == "segment")
        self._lists = frozenset(key for kind, key in every if kind == "list")

    @property
    def segment_ids(self) -> frozenset[int]:
        """Segments under which a campaign stands."""
        return self._segments

    def candidates(
        self,
        moment: datetime,
        activity_type_id: int,
        business_unit_id: int | None,
        channel_id: int | None,
        segment_ids: frozenset[int],
        list_ids: frozenset[int],
    ) -> list[Offer]:
        """Return the campaigns live at ``moment`` that could apply, in order.

        Sound, not complete: what is left out could not have paid; what is
        returned is still to be decided.
        """
        keys = [("any", 0), ("unit", business_unit_id or 0)]
        if channel_id is not None:
            keys.append(("channel", channel_id))
        keys += [("segment", key) for key in self._segments & segment_ids]
        keys += [("list", key) for key in self._lists & list_ids]
        places = self._places.get(activity_type_id)
        if places is None:
            places = self._places_of(activity_type_id)
        found: dict[Order, Offer] = {}
        for key in keys:
            if key in places:
                found.update(places[key].live_at(moment))
        return [found[order] for order in sorted(found)]

    def _places_of(self, activity_type_id: int) -> dict[Place, OffersOverTime]:
        """Return the places for a type, those for any type included; remembered."""
        own, any_type = (
            self._by_type.get(activity_type_id, {}),
            self._by_type.get(0, {}),
        )
        places = {
            place: OffersOverTime(own.get(place, []) + any_type.get(place, []))
            for place in {**own, **any_type}
        }
        self._places[activity_type_id] = places
        return places


def _most_selective(offer: Offer) -> list[Place]:
    """Return dimension and values of which an activity must have one to be paid."""
    if offer.segments:
        return [("segment", segment_id) for segment_id in sorted(offer.segments)]
    list_id = _list_needed(offer)
    if list_id is not None:
        return [("list", list_id)]
    units = offer.business_unit_ids
    if offer.business_unit_id is not None:
        units = frozenset({offer.business_unit_id})
    if units:
        # Under 0 too: an activity that names no unit meets the offers of every unit.
        return [("unit", unit_id) for unit_id in (0, *sorted(units))]
    if offer.channel_ids:
        return [("channel", channel_id) for channel_id in sorted(offer.channel_ids)]
    return [("any", 0)]


def _list_needed(offer: Offer) -> int | None:
    """Return a list of which the basket must hold a product, if there is one."""
    if offer.item_list_id is not None:
        return offer.item_list_id
    for group in offer.qualify:
        if group.required and not group.excludes:
            return group.list_id
    return None


class QuestIndex:
    """Finds the quests that an activity could count towards."""

    __slots__ = ("_by_type", "_quests")

    def __init__(self, quests: Iterable[Quest]) -> None:
        """Put every enabled quest under the types of its requirements."""
        by_type: dict[int, list[Offer]] = defaultdict(list)
        self._quests = {quest.id: quest for quest in quests if quest.offer.is_enabled}
        for quest in self._quests.values():
            for type_id in quest.offer.activity_type_ids:
                by_type[type_id].append(quest.offer)
        self._by_type = {key: OffersOverTime(some) for key, some in by_type.items()}

    def candidates(
        self,
        moment: datetime,
        activity_type_id: int,
        units: int,
        products: Sequence[Product],
    ) -> list[Candidate]:
        """Return the quests live at ``moment`` that the activity adds to."""
        place = self._by_type.get(activity_type_id)
        if place is None:
            return []
        found = []
        for offer in place.live_at(moment).values():
            quest = self._quests[offer.id]
            amounts = amounts_of(quest.requirements, activity_type_id, units, products)
            if amounts:
                found.append(Candidate(quest, amounts))
        return found


@dataclass(slots=True)
class Programme:
    """One revision of a program's configuration, ready to decide with.

    ``segment_ids`` and ``has_item_lists`` say what has to be gathered. Balances of
    ``overdrawn_wallet_ids`` may go below zero. ``scoring_wallets`` count for the tier:
    what their smallest unit adds to the score, in 1/10,000 point. The value
    is shared by all threads of a process and never changed after it was built.
    """

    program_id: int
    revision: int
    rules: Rules
    types: Mapping[str, TypeRule]
    campaigns: tuple[Offer, ...]
    quests: tuple[Quest, ...] = ()
    units: Mapping[str, NamedUnit] = field(default_factory=dict)
    units_by_name: Mapping[str, NamedUnit] = field(default_factory=dict)
    channels: Mapping[str, NamedChannel] = field(default_factory=dict)
    issued_accounts: Mapping[tuple[int, int | None], int] = field(default_factory=dict)
    redeemed_accounts: Mapping[int, int] = field(default_factory=dict)
    overdrawn_wallet_ids: frozenset[int] = frozenset()
    scoring_wallets: Mapping[int, int] = field(default_factory=dict)
    voucher_types: Mapping[int, str] = field(default_factory=dict)
    wallet_codes: Mapping[int, str] = field(default_factory=dict)
    identity_rules: IdentityRules = field(default_factory=IdentityRules)
    currency: str = ""
    rates: Mapping[str, Sequence[Rate]] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    naive_policy: str = "program_zone"
    late_after_hours: int = 24
    acceptance_days: int | None = None
    allows_backdating: bool = False
    has_rule_segments: bool = False
    is_enabled: bool = True
    index: OfferIndex = field(init=False)
    quest_index: QuestIndex = field(init=False)
    offers: dict[int, Offer] = field(init=False)
    unit_codes: dict[int, str] = field(init=False)
    segment_ids: frozenset[int] = field(init=False)
    item_list_ids: frozenset[int] = field(init=False)
    has_draws: bool = field(init=False)
    counts_unlisted: bool = field(init=False)

    def __post_init__(self) -> None:
        """Build the indexes."""
        self.index = OfferIndex(one for one in self.campaigns if is_for_activities(one))
        self.quest_index = QuestIndex(self.quests)
        bases = [rule.offer for rule in self.types.values()]
        every = [*bases, *self.campaigns, *(quest.offer for quest in self.quests)]
        every += [method for campaign in self.campaigns for method in campaign.methods]
        self.offers = {offer.id: offer for offer in every}
        self.unit_codes = {unit.id: unit.code for unit in self.units.values()}
        self.segment_ids = frozenset().union(
            *(offer.segments | offer.excluded_segments for offer in every)
        )
        self.item_list_ids = frozenset().union(
            *(lists_of_offer(offer) for offer in every)
        )
        self.counts_unlisted = any(_asks_for_all_lines(offer) for offer in every)
        self.has_draws = any(
            offer.draws for offer in self.campaigns if is_for_activities(offer)
        )

    def with_campaigns(self, campaigns: Iterable[Offer]) -> Programme:
        """Return the same program with other campaigns, for trying out drafts."""
        return replace(self, campaigns=tuple(campaigns))


def types_that_count_values(programme: Programme) -> frozenset[str]:
    """Return the codes of the types whose value some rule made for them counts with."""
    ids: set[int] = set()
    for rule in programme.types.values():
        if rule.offer.reward is RewardKind.PER_VALUE:
            ids.add(rule.offer.id)
    for campaign in programme.campaigns:
        some = (campaign, *campaign.methods)
        if campaign.is_enabled and any(map(_counts_with_value, some)):
            ids |= campaign.activity_type_ids
    for quest in programme.quests:
        for one in quest.requirements:
            if one.measure is not Measure.ACTIVITIES:
                ids.add(one.activity_type_id)
    return frozenset(
        code for code, rule in programme.types.items() if rule.offer.id in ids
    )


def _counts_with_value(offer: Offer) -> bool:
    return (
        offer.reward is RewardKind.PER_VALUE
        or offer.minimum_units is not None
        or offer.maximum_units is not None
    )


def is_for_activities(offer: Offer) -> bool:
    """Return whether activities can set the campaign off."""
    return offer.context in {"activity", "basket"}


def lists_of_offer(offer: Offer) -> set[int]:
    """Return the lists of products that an offer looks at."""
    groups = [*offer.qualify, *([offer.redeem] if offer.redeem else [])]
    own = set() if offer.item_list_id is None else {offer.item_list_id}
    return own | {group.list_id for group in groups}


def _asks_for_all_lines(offer: Offer) -> bool:
    if any(group.excludes for group in offer.qualify):
        return True
    if offer.redeem is not None:
        return offer.redeem.excludes
    return offer.item_list_id is None and (
        offer.distribution is not Distribution.BASKET_FIXED
        or offer.reward is RewardKind.PER_ITEM_VALUE
    )
