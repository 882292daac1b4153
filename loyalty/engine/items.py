"""Which products of a basket a rule means: those of a list, or all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.facts import ItemGroup

if TYPE_CHECKING:
    from loyalty.engine.facts import ActivityFacts, Item


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
        group = ItemGroup(group)
    if group.excludes:
        return _all_but(activity, group.list_id)
    list_id = group.list_id
    items = tuple([one for one in activity.items if list_id in one.list_ids])
    return Matches(
        sum([one.units for one in items]), sum([one.quantity for one in items]), items
    )


def _all_but(activity: ActivityFacts, list_id: int | None) -> Matches:
    items = tuple([one for one in activity.items if list_id not in one.list_ids])
    return Matches(
        sum([one.units for one in items]) + activity.unlisted_units,
        sum([one.quantity for one in items]) + activity.unlisted_quantity,
        items,
    )
