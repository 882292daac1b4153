import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty.engine.numbers import (
    InvalidNumber,
    NumberText,
    format_value,
    parse_float_value,
    parse_seconds,
    parse_value,
    parse_whole,
)

LARGEST = 10**18 - 1


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


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
        pytest.param(Decimal("1e3"), 10_000_000, id="decimal with exponent"),
        pytest.param(" 36 ", 360_000, id="blanks around"),
        pytest.param("\t36\n", 360_000, id="tab and line end"),
        pytest.param("\N{NO-BREAK SPACE}36", 360_000, id="no-break space"),
        pytest.param("+5", 50_000, id="plus"),
        pytest.param("\N{MINUS SIGN}5", -50_000, id="typographic minus"),
        pytest.param(".5", 5_000, id="no digit before the point"),
        pytest.param("-.5", -5_000, id="minus, no digit before the point"),
        pytest.param("5.", 50_000, id="no digit after the point"),
        pytest.param("36.90000", 369_000, id="zeros beyond four decimals"),
        pytest.param("0" * 20 + "5", 50_000, id="many leading zeros"),
        pytest.param(NumberText("1e2"), 1_000_000, id="JSON: exponent"),
        pytest.param(NumberText("1.5E+3"), 15_000_000, id="JSON: capital exponent"),
        pytest.param(NumberText("12500e-3"), 125_000, id="JSON: negative exponent"),
        pytest.param(NumberText("9e13"), 9 * 10**17, id="JSON: large exponent"),
        pytest.param(NumberText("0e9999"), 0, id="JSON: zero with an exponent"),
        pytest.param(NumberText("-0.0"), 0, id="JSON: negative zero"),
    ],
)
def test_exact_numbers_are_read(value, units):
    assert parse_value(value) == units


@pytest.mark.parametrize("kind", [str, NumberText], ids=["text", "JSON number"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("3.3000000000000003", "3.3", id="1.1 x 3"),
        pytest.param("36.900000000000006", "36.9", id="12.3 x 3"),
        pytest.param("-36.900000000000006", "-36.9", id="12.3 x -3"),
        pytest.param("0.30000000000000004", "0.3", id="0.1 + 0.2"),
        pytest.param("99.9999999999986", "100", id="a thousand times 0.1"),
        pytest.param("8333333.333300001", "8333333.3333", id="above a million"),
        pytest.param("10000000000.100002", "10000000000.1", id="ten billions"),
        pytest.param(
            "3.29999999999999982236431605997495353221893310546875",
            "3.3",
            id="all digits of a double",
        ),
        pytest.param("3.299999952316284", "3.3", id="float32, widened"),
        pytest.param("36.900001525878906", "36.9", id="float32, widened, above"),
        pytest.param("5000.2998046875", "5000.3", id="float32, coarser than 0.0001"),
        pytest.param("100000.1015625", "100000.1", id="float32 of seven digits"),
        pytest.param("36.899998", "36.9", id="float32 as it is: 12.3 x 3"),
    ],
)
def test_noise_of_binary_floats_is_read_as_the_number_meant(written, meant, kind):
    assert parse_value(kind(written)) == parse_value(meant)


@pytest.mark.parametrize("kind", [str, NumberText], ids=["text", "JSON number"])
@pytest.mark.parametrize(
    "written",
    [
        "12.3456789",
        "12.34567",
        "1.00001",
        "0.00001",
        "9.99999",
        "12.345678901234567",
        "0.03125",
        "0.015625",
        "1000.03125",
        "1000.00005",
        "1234.56789",
        "250.30002",
        "20000000000.12341",
    ],
)
def test_decimals_that_were_meant_are_refused_and_never_cut(written, kind):
    with pytest.raises(InvalidNumber) as refused:
        parse_value(kind(written))

    assert str(refused.value) == f"“{written}” has more than 4 decimals."


def test_what_cancels_out_but_for_noise_is_nothing():
    assert parse_value(NumberText(repr(0.1 + 0.2 - 0.3))) == 0
    assert parse_value(NumberText("1e-400")) == 0


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="a blank alone"),
        pytest.param("5 0", id="blank inside"),
        pytest.param("- 5", id="blank behind the sign"),
        pytest.param("+-5", id="plus and minus"),
        pytest.param(".", id="point alone"),
        pytest.param("1.2.3", id="two points"),
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
        pytest.param(Decimal("1e14"), id="decimal of fifteen digits"),
        pytest.param(NumberText("1e14"), id="JSON: fifteen digits"),
        pytest.param(NumberText("1e400"), id="JSON: huge exponent"),
        pytest.param(NumberText("1e99999"), id="JSON: exponent of five digits"),
        pytest.param(NumberText("99999999999999.99999999999"), id="JSON: rounds up"),
        pytest.param(NumberText("1" * 5000), id="JSON: too long"),
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
        f"“{'x' * 40}” is not a valid value. Write digits with at most 4 decimals,"
        " such as 12.50."
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
    ("cell", "bits", "meant"),
    [
        pytest.param(0.1 + 0.2, 64, "0.3", id="double"),
        pytest.param(12.3 * 3, 64, "36.9", id="double, 12.3 x 3"),
        pytest.param(3.299999952316284, 32, "3.3", id="float32"),
        pytest.param(36.89999771118164, 32, "36.9", id="float32, 12.3 x 3"),
        pytest.param(131072.09375, 32, "131072.1", id="float32, few binary digits"),
        pytest.param(9042.8193359375, 32, "9042.819", id="float32 has seven digits"),
        pytest.param(3.30078125, 16, "3.3", id="float16"),
        pytest.param(65504.0, 16, "65500", id="float16, largest"),
    ],
)
def test_noise_of_a_float_cell_is_read_by_the_width_of_its_column(cell, bits, meant):
    assert parse_float_value(cell, bits) == parse_value(meant)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(12.3456789, id="seven decimals"),
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
    read = Decimal(text.strip().replace("\N{MINUS SIGN}", "-")) * 10_000
    assert abs(read - units) < Decimal("0.1")


@given(st.floats())
def test_a_float_is_read_as_its_own_text_or_refused(cell):
    try:
        units = parse_float_value(cell)
    except InvalidNumber:
        assume(cell == cell and abs(cell) < 1e14)  # noqa: PLR0124 (not NaN)
        assert Decimal(repr(cell)) % Decimal("0.0001") != 0
    else:
        written = Fraction(repr(cell))
        is_near = abs(Fraction(units, 10_000) - written) < Fraction(1, 100_000)
        assert is_near or float32(units / 10_000) == cell


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=50))
def test_a_sum_of_doubles_is_read_as_the_sum_that_was_meant(units):
    total = sum(one / 10_000 for one in units)

    assert parse_value(NumberText(repr(total))) == sum(units)
    assert parse_float_value(total) == sum(units)


@given(st.integers(0, 10**5 - 1), st.integers(1, 99))
def test_a_product_of_doubles_is_read_as_the_product_that_was_meant(cents, count):
    assert parse_value(repr(cents / 100 * count)) == cents * count * 100


@given(st.integers(0, 10**7 - 1), st.sampled_from([1, 10, 100, 1000, 10_000]))
def test_a_float32_of_seven_digits_is_read_back_however_it_is_written(digits, scale):
    meant = Fraction(digits, scale)
    narrow = float32(digits / scale)

    assert parse_float_value(narrow, 32) == meant * 10_000
    written = repr(narrow)
    decimals = 8 if "e" in written else len(written.partition(".")[2])
    if decimals >= 7:
        assert parse_value(NumberText(written)) == meant * 10_000
    elif decimals <= 4:
        # Nothing shows that these are not the decimals that were meant.
        assert parse_value(NumberText(written)) == Fraction(written) * 10_000


@given(
    st.integers(1, 10**6),
    st.integers(10**4, 10**5 - 1).filter(lambda one: 10 < one % 100 < 90),
)
def test_a_fifth_decimal_that_was_meant_is_refused(whole, decimals):
    with pytest.raises(InvalidNumber):
        parse_value(f"{whole}.{decimals + 1 if decimals % 10 == 0 else decimals}")


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        pytest.param(5, 5, id="integer"),
        pytest.param(10**18, 10**18, id="long integer"),
        pytest.param(NumberText("5.0"), 5, id="decimals of zero"),
        pytest.param(NumberText("1e2"), 100, id="exponent"),
        pytest.param(NumberText("-3.000"), -3, id="negative"),
    ],
)
def test_a_whole_number_is_read_however_json_writes_it(value, whole):
    assert parse_whole(value) == whole


@pytest.mark.parametrize(
    "value", ["5", NumberText("5.5"), NumberText("1e15"), True, None, 5.0, [5]]
)
def test_what_is_not_a_whole_json_number_is_refused(value):
    with pytest.raises(InvalidNumber):
        parse_whole(value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param(5, Fraction(5), id="integer"),
        pytest.param(NumberText("1.25"), Fraction(5, 4), id="JSON number"),
        pytest.param(" 5 ", Fraction(5), id="text with blanks"),
        pytest.param(NumberText("12.3456789"), Fraction(123456789, 10**7), id="long"),
        pytest.param("-1", Fraction(-1), id="negative"),
    ],
)
def test_seconds_may_have_any_number_of_decimals(value, seconds):
    assert parse_seconds(value) == seconds


@pytest.mark.parametrize("value", [1.5, True, None, "soon", [5]])
def test_what_is_not_a_number_of_seconds_is_refused(value):
    with pytest.raises(InvalidNumber):
        parse_seconds(value)
