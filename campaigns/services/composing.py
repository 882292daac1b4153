"""Which parts of a campaign cannot go together, and why, in one place.

The admin's forms and the API ask here before they save. What the database itself
refuses as a constraint of one row is not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from campaigns.models import (
    BASKETLESS,
    PER_ACTIVITY,
    AssignedGroupKind,
    Campaign,
    Context,
    Handling,
    RewardMethod,
)
from campaigns.services.fitting import fineness, is_payable, overlap
from loyalty.engine.currencies import InvalidCurrency, parse_currency
from loyalty.engine.facts import Distribution, RewardKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from campaigns.models import CampaignGroup
    from loyalty.models import Offer

CAMPAIGN_LINKS = (
    "channels",
    "activity_types",
    "included_segments",
    "excluded_segments",
    "qualify_groups",
    "business_units",
)
METHOD_LINKS = (
    "included_segments",
    "excluded_segments",
    "qualify_groups",
    "business_units",
)
# What the constraints of the campaign's own row say already.
CONSTRAINED = frozenset(
    {
        "campaign_price_is_for_interactions",
        "campaign_without_a_basket_asks_for_none",
        "internal_campaign_has_no_restrictions",
    }
)
# What needs an activity to look at.
_OF_ACTIVITIES = {
    "activity_types": "Activity types",
    "channels": "Channels",
    "item_list": "Product lists",
    "qualify_groups": "Groups of products",
    "business_units": "The units where a basket was bought",
    "currencies": "Currencies",
    "minimum_value": "Values",
    "maximum_value": "Values",
}
# What needs a member or a moment.
_OF_MEMBERS = {
    "included_segments": "Segments",
    "excluded_segments": "Segments",
    "minimum_tier": "Tiers",
    "starts_at": "Dates",
    "ends_at": "Dates",
    "weekdays": "Weekdays",
    "opens_at": "Times of day",
    "closes_at": "Times of day",
    "cap_count": "Limits per member",
    "points_budget": "Budgets",
    "awards_budget": "Budgets",
    "usage_limit": "Stocks",
    "holdout_percent": "Holdouts",
}
_OF_NO_WALLET = {RewardKind.NOTHING.value, RewardKind.VOUCHER.value}


class Misfit(NamedTuple):
    """What does not fit: where, as names and places; a stable code; a sentence."""

    path: tuple[str | int, ...]
    code: str
    sentence: str


@dataclass(frozen=True)
class Part:
    """A campaign or a reward method as it would be saved, and what it is linked to."""

    row: Any
    links: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def names(self, restriction: str) -> bool:
        """Return whether the restriction is set."""
        if restriction in self.links:
            return bool(self.links[restriction])
        if restriction in CAMPAIGN_LINKS:
            return False
        # Of another row its number will do.
        column = f"{restriction}_id"
        name = column if hasattr(self.row, column) else restriction
        return getattr(self.row, name, None) not in (None, "", [])


def saved_parts(campaign: Campaign) -> tuple[Part, list[Part]]:
    """Return a saved campaign and its reward methods; queries for each link."""
    methods = campaign.methods.prefetch_related(*METHOD_LINKS).order_by("pk")
    return Part(campaign, links_of(campaign)), [
        Part(method, links_of(method)) for method in methods
    ]


def links_of(row: Campaign | RewardMethod) -> dict[str, list[Any]]:
    """Return what a saved row is linked to; a new one to nothing."""
    names = METHOD_LINKS if isinstance(row, RewardMethod) else CAMPAIGN_LINKS
    if row._state.adding:
        return {name: [] for name in names}
    return {name: list(getattr(row, name).all()) for name in names}


def problems_of(campaign: Part, methods: Sequence[Part]) -> list[Misfit]:
    """Return everything that does not fit; an empty list can be saved."""
    return [*problems_of_campaign(campaign), *problems_of_methods(campaign, methods)]


def problems_of_campaign(campaign: Part) -> list[Misfit]:
    """Return what of the campaign's own does not fit, its reward methods apart."""
    row: Campaign = campaign.row
    return [
        *_wrong_restrictions(campaign, row.context),
        *_wrong_currencies(row.currencies),
        *_wrong_groups(campaign, AssignedGroupKind.QUALIFY),
        *_wrong_price(row, row.context, "point_cost"),
        *_useless_attempts(row),
        *_wrong_reward(row, row.context),
        *_missing_list(row),
        *_wrong_draw(row),
        *_apart_from_group(row, row.group),
    ]


def problems_of_methods(campaign: Part, methods: Sequence[Part]) -> list[Misfit]:
    """Return what of the reward methods does not fit, alone and together."""
    found = list(_wrong_rows(campaign.row, methods))
    for place, method in enumerate(methods):
        for one in _wrong_method(campaign.row, method):
            path = ("methods", place, *one.path)
            found.append(Misfit(path, one.code, one.sentence))
    if campaign.row.handling == Handling.RANDOM_DRAW:
        found += _wrong_chances(methods)
        found += _wrong_prices(campaign.row, methods)
    return found


def _wrong_restrictions(part: Part, context: str) -> Iterator[Misfit]:
    refused: dict[str, str] = {}
    why = ""
    if context in BASKETLESS:
        refused |= _OF_ACTIVITIES
        why = "{} belong to activities; this context has none."
    if context == Context.INTERNAL:
        refused |= _OF_MEMBERS
        why = "Nothing sets this campaign off, so it takes no restrictions: {} too."
    for name, what in refused.items():
        if part.names(name):
            told = what[0].lower() + what[1:] if why.endswith("too.") else what
            yield Misfit((name,), "not_in_this_context", why.format(told))


def _wrong_currencies(codes: Iterable[str]) -> Iterator[Misfit]:
    for code in codes:
        try:
            parse_currency(code)
        except InvalidCurrency as error:
            yield Misfit(("currencies",), error.code, str(error))
            return


def _wrong_groups(part: Part, kind: AssignedGroupKind) -> Iterator[Misfit]:
    for group in part.links.get("qualify_groups", ()):
        if group.kind != kind:
            yield Misfit(
                ("qualify_groups",),
                "group_is_for_rewards",
                f"“{group}” is a group of products to reward; it cannot qualify a "
                "basket.",
            )


def _wrong_price(row: Any, context: str, name: str) -> Iterator[Misfit]:
    cost = getattr(row, name)
    if cost is None:
        return
    if context != Context.INTERACTION:
        yield Misfit(
            (name,),
            "price_without_interaction",
            "Only members who interact pay a price; in this context nobody is asked. "
            "Leave it empty.",
        )
    wallet = getattr(row, f"{name}_wallet")
    if wallet is not None and not is_payable(cost, wallet.decimals):
        yield Misfit(
            (name,),
            "price_too_fine",
            f"“{wallet}” counts {fineness(wallet.decimals)}: a price of {cost:f} "
            "cannot be paid.",
        )


def _useless_attempts(row: Campaign) -> Iterator[Misfit]:
    if row.required_attempts > 1 and row.context in BASKETLESS:
        yield Misfit(
            ("required_attempts",),
            "attempts_without_activities",
            "Only activities are attempts; here each interaction is paid for and "
            "gives something. Leave it at 1.",
        )


def _wrong_reward(row: Offer, context: str) -> Iterator[Misfit]:
    if context in BASKETLESS and row.reward_method in PER_ACTIVITY:
        yield Misfit(
            ("reward_method",),
            "reward_without_activity",
            "There is no value and no base to reckon from when members interact: "
            "choose a fixed number of points, a voucher, or nothing.",
        )


def _missing_list(row: Campaign) -> Iterator[Misfit]:
    pays_items = row.reward_method == RewardKind.PER_ITEM_VALUE.value
    if pays_items and row.item_list_id is None and row.context not in BASKETLESS:
        yield Misfit(
            ("item_list",),
            "products_missing",
            "Points per matching items need a list of items.",
        )


def _wrong_draw(row: Campaign) -> Iterator[Misfit]:
    is_composed = row.reward_method == RewardKind.METHODS.value
    if row.handling == Handling.RANDOM_DRAW and not is_composed:
        yield Misfit(
            ("handling",),
            "draw_without_methods",
            "Only reward methods can be drawn: let it pay “What its reward methods "
            "give”.",
        )


def _apart_from_group(row: Campaign, group: CampaignGroup | None) -> Iterator[Misfit]:
    if group is not None and not overlap(row, group):
        yield Misfit(
            ("group",),
            "apart_from_group",
            f"The campaign and its group “{group}” are never open at the same time: "
            "change the dates of one of them.",
        )


def _wrong_rows(row: Campaign, methods: Sequence[Part]) -> Iterator[Misfit]:
    is_composed = row.reward_method == RewardKind.METHODS.value
    if methods and not is_composed:
        yield Misfit(
            ("reward_method",),
            "methods_not_used",
            "It has reward methods: let it pay “What its reward methods give”, or "
            "remove them.",
        )
    if is_composed and row.is_enabled and not _enabled(methods):
        yield Misfit(
            ("methods",),
            "methods_missing",
            "Add an enabled reward method before the campaign is enabled: it would "
            "give nothing.",
        )


def _wrong_method(row: Campaign, method: Part) -> Iterator[Misfit]:
    given: RewardMethod = method.row
    yield from _wrong_restrictions(method, row.context)
    yield from _wrong_currencies(given.currencies)
    yield from _wrong_groups(method, AssignedGroupKind.QUALIFY)
    yield from _wrong_price(given, row.context, "usage_cost")
    if given.reward_method == RewardKind.METHODS.value:
        sentence = "Say what this method gives."
        yield Misfit(("reward_method",), "methods_of_methods", sentence)
    yield from _wrong_reward(given, row.context)
    yield from _wrong_products(row, given)
    if row.handling != Handling.RANDOM_DRAW and given.weight != 1:
        yield Misfit(
            ("weight",),
            "chance_without_draw",
            "Chances belong to draws: let one of the reward methods be drawn, or "
            "leave the chance at 1.",
        )
    is_of_points = given.reward_method not in _OF_NO_WALLET
    if (
        row.points_budget
        and is_of_points
        and given.wallet_id not in {None, row.wallet_id}
    ):
        yield Misfit(
            ("wallet",),
            "budget_in_another_wallet",
            "A points budget counts points of the campaign's own wallet: give these "
            "into it, too, or limit the number of awards.",
        )
    if not overlap(given, row):
        yield Misfit(
            ("starts_at",),
            "apart_from_campaign",
            "The campaign and this reward method are never open at the same time.",
        )


def _wrong_products(row: Campaign, given: RewardMethod) -> Iterator[Misfit]:
    group = given.redeem_group
    pays_items = given.reward_method == RewardKind.PER_ITEM_VALUE.value
    if group is not None and group.kind != AssignedGroupKind.REDEEM:
        yield Misfit(
            ("redeem_group",),
            "group_is_for_qualifying",
            f"“{group}” is a group of products to qualify; it cannot be rewarded.",
        )
    if group is not None and row.context in BASKETLESS:
        yield Misfit(
            ("redeem_group",),
            "not_in_this_context",
            "Groups of products belong to activities; this context has none.",
        )
    if pays_items and group is None and row.item_list_id is None:
        yield Misfit(
            ("redeem_group",),
            "products_missing",
            "Points per matching items need products: choose a group of products to "
            "reward, or a product list for the campaign.",
        )
    if given.distribution == Distribution.BASKET_FIXED.value:
        return
    if row.context in BASKETLESS or given.reward_method != RewardKind.FIXED.value:
        yield Misfit(
            ("distribution",),
            "nothing_to_distribute",
            "Only a fixed number of points for a basket can be given for each "
            "product or spread over them.",
        )


def _wrong_chances(methods: Sequence[Part]) -> Iterator[Misfit]:
    if methods and not any(one.row.weight for one in _enabled(methods)):
        yield Misfit(
            ("methods",),
            "no_chance",
            "Nothing can be drawn: one of the enabled reward methods at least needs a "
            "chance above 0.",
        )


def _wrong_prices(row: Campaign, methods: Sequence[Part]) -> Iterator[Misfit]:
    priced = [
        (place, one.row)
        for place, one in enumerate(methods)
        if one.row.usage_cost is not None
    ]
    if row.point_cost is not None:
        for place, _ in priced:
            yield Misfit(
                ("methods", place, "usage_cost"),
                "price_twice",
                "A draw costs what the campaign says, whatever is won: leave this "
                "price empty, or empty the campaign's.",
            )
        return
    for place, given in priced[1:]:
        if given.usage_cost_wallet_id != priced[0][1].usage_cost_wallet_id:
            yield Misfit(
                ("methods", place, "usage_cost_wallet"),
                "prices_in_two_wallets",
                "The price of a draw is known before it: all of its prices are paid "
                "from one wallet.",
            )


def _enabled(methods: Sequence[Part]) -> list[Part]:
    return [one for one in methods if one.row.is_enabled]
