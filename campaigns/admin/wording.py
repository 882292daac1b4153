"""A campaign and a quest in words, from their saved rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaigns.models import Context, Handling
from loyalty.admin.formatting import money, number, points
from loyalty.admin.offers import limits, listed, pays, reward, when
from loyalty.engine.facts import Distribution, RewardKind
from loyalty.engine.quests import Measure
from loyalty.models import Weekday

if TYPE_CHECKING:
    from datetime import tzinfo

    from campaigns.models import Campaign, Quest, QuestRequirement, RewardMethod
    from campaigns.reports import Given


def points_given(given: Given, decimals: int) -> str:
    """Return the points of an offer's wallet, then those of others with their names.

    >>> from campaigns.reports import Given, InWallet
    >>> points_given(Given(1250, 2), 0)
    '1,250'
    >>> points_given(Given(1250, 3, (InWallet("Stars", 1, 5),)), 0)
    '1,250 and 0.5 Stars'
    """
    others = [
        f"{points(one.points, one.decimals)} {one.wallet}" for one in given.elsewhere
    ]
    own = [points(given.points, decimals)] if given.points or not others else []
    return listed([*own, *others], "and")


def in_words(campaign: Campaign, zone: tzinfo) -> str:
    """Return what a campaign does: a sentence, and more where it does not stack.

    Reads the foreign keys, the many-to-many fields and the reward methods: select and
    prefetch them for lists.
    """
    if campaign.context == Context.INTERNAL.value:
        return (
            "Nothing sets it off and nobody gets anything: other systems refer to it."
        )
    parts = [
        when(campaign, zone) + _schedule(campaign) + ",",
        _audience(campaign),
        _given(campaign),
        _of_what(campaign),
        _where(campaign),
    ]
    text = " ".join(part for part in parts if part)
    text = ", ".join([text, *limits(campaign), *_budgets(campaign)]) + "."
    if campaign.exclusive_group:
        text += (
            " Does not stack with other campaigns of the group "
            f"“{campaign.exclusive_group}”."
        )
    if campaign.group is not None:
        text += f" Part of “{campaign.group}”, within its dates."
    if campaign.holdout_percent is not None:
        text += (
            f" {number(campaign.holdout_percent)} % of the members are held out, to "
            "measure its effect."
        )
    return text


def _schedule(campaign: Campaign) -> str:
    text = ""
    if campaign.weekdays and len(campaign.weekdays) < 7:
        names = [f"{Weekday(day).label}s" for day in sorted(campaign.weekdays)]
        text += f", on {_all(names)}"
    if campaign.opens_at and campaign.closes_at:
        text += f", {campaign.opens_at:%H:%M} to {campaign.closes_at:%H:%M}"
    return text


def _audience(campaign: Campaign) -> str:
    included = [f"“{one}”" for one in campaign.included_segments.all()]
    excluded = [f"“{one}”" for one in campaign.excluded_segments.all()]
    text = f"members in {listed(included)}" if included else "members"
    if campaign.minimum_tier_id is not None:
        text += f" of tier {campaign.minimum_tier} or higher"
    if not included and campaign.minimum_tier_id is None:
        text = "all members"
    if excluded:
        text += f" except those in {listed(excluded)}"
    return text


def _given(campaign: Campaign) -> str:
    """Return what members get, as the verb of the sentence."""
    methods = sorted(campaign.methods.all(), key=lambda one: one.pk)
    methods = [one for one in methods if one.is_enabled]
    if campaign.reward_method != RewardKind.METHODS.value:
        return pays(campaign)
    if not methods:
        return "get nothing yet"
    if campaign.handling == Handling.RANDOM_DRAW.value:
        things = dict.fromkeys(gives(one) for one in methods)
        return f"draw one of {len(methods)} prizes ({listed(things)})"
    return f"get {listed([gives(one) for one in methods], 'and')}"


def gives(method: RewardMethod) -> str:
    """Return what a reward method gives: "500 Loyalty points", "nothing"."""
    text = reward(method)
    if method.distribution == Distribution.PER_ITEM.value:
        return f"{text} for each matching product"
    return text


def _price(campaign: Campaign) -> str:
    if campaign.point_cost is None:
        return "each time they interact with it"
    unit = campaign.point_cost_wallet
    return f"for {number(campaign.point_cost)} of their “{unit}” each time"


def _of_what(campaign: Campaign) -> str:
    if campaign.context == Context.INTERACTION.value:
        return _price(campaign)
    types = listed([str(one) for one in campaign.activity_types.all()])
    is_per_item = campaign.reward_method == RewardKind.PER_ITEM_VALUE.value
    phrases = []
    if is_per_item:
        phrases.append(f"of products on “{campaign.item_list}”")
    elif campaign.reward_method == RewardKind.PER_VALUE.value:
        phrases.append("of the value")
    if types:
        phrases.append(f"for {types}")
    elif not is_per_item:
        is_basket = campaign.context == "basket"
        phrases.append("for any basket" if is_basket else "for any activity")
    if campaign.item_list_id is not None and not is_per_item:
        phrases.append(f"with a product on “{campaign.item_list}”")
    groups = [f"“{one}”" for one in campaign.qualify_groups.all()]
    if groups:
        phrases.append(f"that holds {listed(groups, 'and')}")
    return " ".join([*phrases, *_values(campaign)])


def _values(campaign: Campaign) -> list[str]:
    low, high = campaign.minimum_value, campaign.maximum_value
    if low is not None and high is not None:
        return [f"worth {money(low)} to {money(high)}"]
    if low is not None:
        return [f"worth {money(low)} or more"]
    if high is not None:
        return [f"worth at most {money(high)}"]
    return []


def _where(campaign: Campaign) -> str:
    channels = listed([str(one) for one in campaign.channels.all()])
    phrases = [f"through {channels}"] if channels else []
    units = [str(one) for one in campaign.business_units.all()]
    if campaign.business_unit_id is not None:
        units = [str(campaign.business_unit)]
    if units:
        phrases.append(f"at {listed(units)}")
    if campaign.currencies:
        phrases.append(f"paid in {listed(campaign.currencies)}")
    return " ".join(phrases)


def _budgets(campaign: Campaign) -> list[str]:
    phrases = []
    if campaign.points_budget is not None:
        phrases.append(f"until {number(campaign.points_budget)} points are given")
    if campaign.awards_budget is not None:
        phrases.append(f"until it has paid {number(campaign.awards_budget)} times")
    return phrases


def _all(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def quest_in_words(quest: Quest, zone: tzinfo) -> str:
    """Return what a quest asks for and gives; prefetch its requirements."""
    steps = [
        _asked(one)
        for one in sorted(quest.requirements.all(), key=lambda row: (row.order, row.pk))
    ]
    between = ", then " if quest.enforce_order else " and "
    asked = between.join(steps) or "nothing yet"
    return f"{when(quest, zone)}, members who do this {pays(quest)}: {asked}."


def _asked(one: QuestRequirement) -> str:
    text = one.description
    if one.measure != Measure.ACTIVITIES.value:
        text += f" (to the value of {number(one.value_threshold)})"
    if one.check_in_interval_days:
        text += f" every {one.check_in_interval_days} days"
    return text
