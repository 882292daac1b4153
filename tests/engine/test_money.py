"""Money of another currency: which rate holds, and one rounding."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.money import (
    Rate,
    converted,
    converted_lines,
    rate_at,
    rate_text,
    scaled_rate,
)
from tests.engine.offers import NOON

DAY = timedelta(days=1)
RATES = {"CHF": (Rate(NOON, 5), Rate(NOON + DAY, 7))}


@pytest.mark.parametrize(
    ("currency", "moment", "expected"),
    [
        pytest.param("CHF", NOON - timedelta(microseconds=1), None, id="too early"),
        pytest.param("CHF", NOON, 5, id="the first moment is inside"),
        pytest.param("CHF", NOON + DAY / 2, 5, id="until the next"),
        pytest.param("CHF", NOON + DAY, 7, id="the next"),
        pytest.param("CHF", NOON + 99 * DAY, 7, id="the last goes on"),
        pytest.param("JPY", NOON, None, id="another currency"),
    ],
)
def test_the_rate_that_holds(currency, moment, expected):
    assert rate_at(RATES, currency, moment) == expected


@pytest.mark.parametrize(
    ("units", "rate", "expected"),
    [
        pytest.param(16_000_000, "0.0062", 99_200, id="yen"),
        pytest.param(1, "0.5", 1, id="half goes away from zero"),
        pytest.param(-1, "0.5", -1, id="below zero too"),
        pytest.param(1, "0.4999999999", 0, id="less than half"),
        pytest.param(0, "3", 0, id="nothing"),
    ],
)
def test_a_value_is_converted_and_rounded_once(units, rate, expected):
    assert converted(units, scaled_rate(Decimal(rate))) == expected


def test_lines_keep_everything_but_their_value():
    [line] = converted_lines([("pen", 20_000, "2", "g")], scaled_rate(Decimal("1.5")))

    assert line == ("pen", 30_000, "2", "g")


@given(st.integers(-(10**18), 10**18))
def test_a_return_is_worth_what_the_purchase_was(units):
    rate = scaled_rate(Decimal("0.0123456789"))

    assert converted(-units, rate) == -converted(units, rate)


@given(st.integers(1, 10**20 - 1))
def test_a_rate_is_read_as_it_is_written(scaled):
    assert scaled_rate(Decimal(rate_text(scaled))) == scaled
