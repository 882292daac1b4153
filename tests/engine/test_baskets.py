"""Lines net out by product before any rule sees them; what is left decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.baskets import Product, is_return, netted, value_of
from loyalty.engine.numbers import format_value


def basket(*lines):
    """Return products of (product, value, quantity) in whole units of value."""
    return netted([(name, worth * 10_000, text) for name, worth, text in lines])


@pytest.mark.parametrize(
    ("lines", "quantity"),
    [
        pytest.param([("pen", 5, "")], 1, id="no quantity is one piece"),
        pytest.param([("pen", 5, "3")], 3, id="a whole number"),
        pytest.param([("pen", 5, "2.0")], 2, id="a whole number with decimals"),
        pytest.param([("pen", 5, "0")], 0, id="none, such as a discount"),
        pytest.param([("pen", 5, "2.5")], 1, id="a weight is one piece"),
        pytest.param([("pen", 5, "0.455")], 1, id="a small weight is one piece"),
        pytest.param([("pen", 5, "0.5"), ("pen", 5, "0.3")], 2, id="two weights"),
        pytest.param([("pen", -5, "")], -1, id="the value has the sign"),
        pytest.param([("pen", 5, "-2")], -2, id="the quantity has the sign"),
        pytest.param([("pen", -5, "-2")], -2, id="both have the sign"),
        pytest.param([("pen", -5, "2")], -2, id="a quantity written without its sign"),
        pytest.param([("pen", -5, "-0.5")], -1, id="a weight that came back"),
        pytest.param([("pen", 5, "1"), ("pen", -5, "-1")], 0, id="bought, returned"),
        pytest.param([("pen", 15, "3"), ("pen", -5, "-1")], 2, id="one of three"),
        pytest.param([("pen", 5, "0.5"), ("pen", -5, "-0.5")], 0, id="all of a weight"),
        pytest.param(
            [("pen", 5, "0.5"), ("pen", -1, "-0.1")], 1, id="part of a weight"
        ),
        pytest.param([("pen", 9, "0.5"), ("pen", -9, "-1")], -1, id="more than bought"),
        pytest.param([("pen", 9, "nonsense")], 1, id="stored before it was checked"),
    ],
)
def test_pieces_of_a_product(lines, quantity):
    [product] = basket(*lines)

    assert product.quantity == quantity


def test_products_do_not_net_each_other_out():
    found = basket(("pen", -10, "-1"), ("book", 15, "1"), ("pen", 4, "1"))

    assert found == [
        Product("pen", -60_000, 0, came_back=True),
        Product("book", 150_000, 1),
    ]


@pytest.mark.parametrize(
    ("units", "lines", "expected"),
    [
        pytest.param(-1, [], True, id="value below zero"),
        pytest.param(-1, [("pen", 5, "1")], True, id="below zero whatever the lines"),
        pytest.param(0, [], False, id="no value and no lines"),
        pytest.param(
            0, [("pen", 5, "1"), ("pen", -5, "-1")], True, id="nets to nothing"
        ),
        pytest.param(
            0, [("pen", 5, "1"), ("pen", -5, "1")], True, id="unsigned quantity"
        ),
        pytest.param(0, [("pen", 0, "0")], False, id="a line that says nothing"),
        pytest.param(9, [("pen", -5, "-1")], True, id="nothing but returned lines"),
        pytest.param(9, [("pen", 9, "-1")], True, id="only the quantity is signed"),
        pytest.param(0, [("pen", 0, "1")], False, id="a gift"),
        pytest.param(
            0, [("pen", 9, "1"), ("coupon", -9, "1")], False, id="paid by coupon"
        ),
        pytest.param(
            5, [("pen", -10, "-1"), ("book", 15, "1")], False, id="an exchange"
        ),
        pytest.param(5, [("delivery", 5, "0")], False, id="a service without pieces"),
    ],
)
def test_a_return_is_what_leaves_nothing(units, lines, expected):
    assert is_return(units * 10_000, basket(*lines)) is expected


@pytest.mark.parametrize(
    ("units", "lines", "expected"),
    [
        pytest.param(
            None, [("pen", 20, ""), ("tea", 30, "")], 50, id="sum of the lines"
        ),
        pytest.param(7, [("pen", 20, "")], 7, id="the one that is given"),
        pytest.param(0, [("pen", 20, "")], 0, id="also if it is zero"),
        pytest.param(None, [], None, id="neither"),
    ],
)
def test_the_value_of_an_activity(units, lines, expected):
    given_units = None if units is None else units * 10_000

    found = value_of(
        given_units, [(name, of * 10_000, text) for name, of, text in lines]
    )

    assert found == (None if expected is None else expected * 10_000)


lines = st.lists(
    st.tuples(
        st.sampled_from(["pen", "tea"]),
        st.integers(-100_000, 100_000),
        st.integers(-50_000, 50_000).map(format_value) | st.just(""),
    ),
    max_size=6,
)


@given(lines)
def test_netting_keeps_the_value_and_names_each_product_once(some):
    products = netted(some)

    assert sum(one.units for one in products) == sum(line[1] for line in some)
    assert len({one.item_id for one in products}) == len(products)


@given(lines)
def test_a_basket_and_the_same_returned_leave_nothing(some):
    back = [
        (name, -units, format_value(-10_000) if text == "" else f"-{text.lstrip('-')}")
        for name, units, text in some
    ]
    bought = [(name, abs(units), text.lstrip("-")) for name, units, text in some]
    returned = [(name, -abs(units), text) for name, units, text in back]

    left = netted([*bought, *returned])

    assert not any(one.stays for one in left if one.came_back)


@given(lines, st.randoms())
def test_the_order_of_lines_does_not_matter(some, random):
    shuffled = [*some]
    random.shuffle(shuffled)

    assert sorted(netted(some)) == sorted(netted(shuffled))
