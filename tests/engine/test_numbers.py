from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty.engine.numbers import (
    InvalidNumber,
    format_value,
    parse_float_value,
    parse_value,
)

LARGEST = 10**18 - 1


@pytest.mark.parametrize(
    ("value", "units"),
    [
        pytest.param("50", 500_000, id="whole text"),
        pytest.param("12.5", 125_000, id="one decimal"),
        pytest.param("0.0001", 1, id="four decimals"),
        pytest.param("-12.50", -125_000, id="negative"),
        pytest.param("-0.0001", -1, id="negative below one"),
        pytest.param("-0", 0, id="negative zero"),
        pytest.param("007", 70_000, id="leading zeros"),
        pytest.param("99999999999999.9999", LARGEST, id="largest"),
        pytest.param(30, 300_000, id="integer"),
        pytest.param(-30, -300_000, id="negative integer"),
        pytest.param(10**14 - 1, LARGEST - 9999, id="largest integer"),
        pytest.param(Decimal("12.50"), 125_000, id="decimal"),
    ],
)
def test_exact_numbers_are_read(value, units):
    assert parse_value(value) == units


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" 50 ", id="blanks around"),
        pytest.param("5 0", id="blank inside"),
        pytest.param("50\n", id="line end"),
        pytest.param("+5", id="plus"),
        pytest.param("--5", id="two signs"),
        pytest.param("-", id="sign alone"),
        pytest.param("1e3", id="exponent"),
        pytest.param("1E3", id="capital exponent"),
        pytest.param("NaN", id="not a number"),
        pytest.param("Infinity", id="infinity"),
        pytest.param("٣", id="Arabic-Indic digit"),
        pytest.param("\N{FULLWIDTH DIGIT FIVE}", id="full-width digit"),
        pytest.param("²", id="superscript"),
        pytest.param("1_000", id="underscore"),
        pytest.param("1,000.00", id="thousands"),
        pytest.param("12,5", id="decimal comma"),
        pytest.param(".5", id="no digit before the point"),
        pytest.param("5.", id="no digit after the point"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("1.00001", id="five decimals"),
        pytest.param("100000000000000", id="fifteen digits"),
        pytest.param("=1+1", id="formula"),
        pytest.param(12.5, id="float"),
        pytest.param(True, id="boolean"),
        pytest.param(None, id="nothing"),
        pytest.param(b"5", id="bytes"),
        pytest.param([5], id="list"),
        pytest.param(10**14, id="integer of fifteen digits"),
        pytest.param(-(10**14), id="negative integer of fifteen digits"),
        pytest.param(10**5000, id="integer too long to be written"),
        pytest.param(Decimal("NaN"), id="decimal not a number"),
        pytest.param(Decimal("-Infinity"), id="decimal infinity"),
        pytest.param(Decimal("1e3"), id="decimal with exponent"),
        pytest.param(Decimal("1e999999"), id="decimal with huge exponent"),
        pytest.param(Decimal("0.00001"), id="decimal with five decimals"),
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(InvalidNumber) as refused:
        parse_value(value)

    assert refused.value.code == "invalid_number"
    assert str(refused.value).endswith(".") or "12.50" in str(refused.value)


def test_a_refusal_quotes_only_the_beginning_of_a_long_text():
    with pytest.raises(InvalidNumber) as refused:
        parse_value("x" * 100_000)

    assert str(refused.value) == (
        f"“{'x' * 40}” is no value. Write digits and at most 4 decimals: 12.50."
    )


@pytest.mark.parametrize(
    ("cell", "units"),
    [
        pytest.param(0.1, 1_000, id="a tenth"),
        pytest.param(3.0, 30_000, id="whole"),
        pytest.param(-2.75, -27_500, id="negative"),
        pytest.param(0.0001, 1, id="smallest"),
        pytest.param(-0.0, 0, id="negative zero"),
        pytest.param(99999999999999.0, 999_999_999_999_990_000, id="largest whole"),
    ],
)
def test_a_float_cell_counts_as_its_shortest_text(cell, units):
    assert parse_float_value(cell) == units


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(0.1 + 0.2, id="noise"),
        pytest.param(1e-05, id="five decimals"),
        pytest.param(1e16, id="too large"),
        pytest.param(float("nan"), id="not a number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(5, id="integer"),
        pytest.param(True, id="boolean"),
        pytest.param("0.1", id="text"),
    ],
)
def test_other_cells_are_refused(cell):
    with pytest.raises(InvalidNumber):
        parse_float_value(cell)


def test_a_float_that_writes_itself_differently_is_read_all_the_same():
    class LibraryFloat(float):
        def __repr__(self):
            return f"LibraryFloat({float(self)})"

    assert parse_float_value(LibraryFloat(1.5)) == 15_000


@pytest.mark.parametrize(
    ("units", "text"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(1, "0.0001", id="smallest"),
        pytest.param(-1, "-0.0001", id="negative smallest"),
        pytest.param(30_000, "3", id="whole"),
        pytest.param(100_000, "10", id="zeros of a whole stay"),
        pytest.param(125_000, "12.5", id="no zeros at the end"),
        pytest.param(-125_500, "-12.55", id="negative"),
    ],
)
def test_a_value_is_written_as_short_as_possible(units, text):
    assert format_value(units) == text


@given(st.integers(-LARGEST, LARGEST))
def test_reading_what_was_written_gives_the_same(units):
    text = format_value(units)

    assert parse_value(text) == units
    assert parse_value(Decimal(text)) == units
    assert not text.endswith(".")
    assert not ("." in text and text.endswith("0"))


@given(st.integers(-(10**11), 10**11))
def test_reading_the_float_of_a_value_gives_the_same(units):
    assert parse_float_value(float(format_value(units))) == units


@given(st.text())
def test_a_text_is_read_exactly_or_refused(text):
    try:
        units = parse_value(text)
    except InvalidNumber:
        return
    assert Decimal(text) * 10_000 == units


@given(st.floats())
def test_a_float_is_read_as_its_own_text_or_refused(cell):
    try:
        units = parse_float_value(cell)
    except InvalidNumber:
        assume(cell == cell and abs(cell) < 1e14)  # noqa: PLR0124 (not NaN)
        assert Decimal(repr(cell)) % Decimal("0.0001") != 0
    else:
        assert float(format_value(units)) == cell
