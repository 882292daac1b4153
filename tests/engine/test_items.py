"""Which products of a basket a group means, whether on a list or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.facts import Item, ItemGroup
from loyalty.engine.items import matches_of
from tests.engine.offers import activity

TEA = Item("tea", 20_000, (5,), 2)
CUP = Item("cup", 70_000, (5, 6))
HAPPENED = activity(
    items=(TEA, CUP), line_count=4, unlisted_units=9_000, unlisted_quantity=3
)


@pytest.mark.parametrize(
    ("group", "units", "quantity", "items"),
    [
        pytest.param(5, 90_000, 3, (TEA, CUP), id="a list by number"),
        pytest.param(ItemGroup(6), 70_000, 1, (CUP,), id="a group"),
        pytest.param(ItemGroup(7), 0, 0, (), id="nothing of it"),
        pytest.param(None, 99_000, 6, (TEA, CUP), id="every product"),
        pytest.param(
            ItemGroup(6, excludes=True), 29_000, 5, (TEA,), id="all but a list"
        ),
        pytest.param(
            ItemGroup(7, excludes=True), 99_000, 6, (TEA, CUP), id="all but none"
        ),
    ],
)
def test_a_group_means(group, units, quantity, items):
    assert matches_of(HAPPENED, group) == (units, quantity, items)


items = st.builds(
    Item,
    st.text("ab", max_size=2),
    st.integers(-10_000, 10**9),
    st.lists(st.integers(1, 3), max_size=3, unique=True).map(tuple),
    st.integers(1, 9),
)


@given(
    basket=st.lists(items, max_size=8).map(tuple),
    units=st.integers(0, 10**6),
    quantity=st.integers(0, 9),
    list_id=st.integers(1, 4),
)
def test_what_is_on_a_list_and_all_else_are_the_basket(
    basket, units, quantity, list_id
):
    happened = activity(items=basket, unlisted_units=units, unlisted_quantity=quantity)

    on_it = matches_of(happened, ItemGroup(list_id))
    others = matches_of(happened, ItemGroup(list_id, excludes=True))
    every = matches_of(happened, None)

    assert on_it.units + others.units == every.units
    assert on_it.quantity + others.quantity == every.quantity
    assert sorted(on_it.items + others.items) == sorted(every.items)
