"""Which products of a basket a rule means: those of a list, or all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from loyalty.engine.facts import ActivityFacts, Item, ItemGroup


class Matches(NamedTuple):
    """The products that a group means: value, quantity, and the lines known.

    Lines on no list in use are counted in the sums only.
    """

    units: int
    quantity: int
    items: tuple[Item, ...]


def matches_of(activity: ActivityFacts, group: ItemGroup | int | None) -> Matches:
    """Return what of the basket belongs to a group, or to the list of a number.

    None means every product.
    """
    if group is None:
        return _all_but(activity, None)
    if isinstance(group, int):
        return _on_list(activity, group)
    if group.excludes:
        return _all_but(activity, group.list_id)
    return _on_list(activity, group.list_id)


def _on_list(activity: ActivityFacts, list_id: int) -> Matches:
    # One loop by hand: three comprehensions take twice as long for so few items.
    units = quantity = 0
    items = []
    for item in activity.items:
        if list_id in item.list_ids:
            units += item.units
            quantity += item.quantity
            items.append(item)
    return Matches(units, quantity, tuple(items))


def _all_but(activity: ActivityFacts, list_id: int | None) -> Matches:
    units, quantity = activity.unlisted_units, activity.unlisted_quantity
    items = []
    for item in activity.items:
        if list_id not in item.list_ids:
            units += item.units
            quantity += item.quantity
            items.append(item)
    return Matches(units, quantity, tuple(items))
