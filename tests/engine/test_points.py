from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.points import (
    ExpiryModel,
    ExpiryRule,
    Rounding,
    divided,
    expiry_moment,
    multiplied,
    points_per_unit,
    units_of_points,
)

DOWN, HALF_UP, UP = Rounding.DOWN, Rounding.HALF_UP, Rounding.UP
NEW_YORK = ZoneInfo("America/New_York")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")

amounts = st.integers(0, 10**18)
divisors = st.integers(1, 10**10)


@pytest.mark.parametrize(
    ("value_units", "points", "per_units", "down", "half_up", "up"),
    [
        pytest.param(125_000, 1, 10_000, 12, 13, 13, id="a half"),
        pytest.param(124_999, 1, 10_000, 12, 12, 13, id="just under a half"),
        pytest.param(120_001, 1, 10_000, 12, 12, 13, id="a trace"),
        pytest.param(120_000, 1, 10_000, 12, 12, 12, id="nothing to round"),
        pytest.param(90_000, 5, 25_000, 18, 18, 18, id="no rounding of steps"),
        pytest.param(1, 1, 10_000, 0, 0, 1, id="the smallest value"),
        pytest.param(0, 5, 10_000, 0, 0, 0, id="zero value"),
        pytest.param(-50_000, 5, 10_000, 0, 0, 0, id="negative value"),
        pytest.param(50_000, 0, 10_000, 0, 0, 0, id="no points"),
        pytest.param(
            10**18 - 1, 10**12, 1, *[(10**18 - 1) * 10**12] * 3, id="beyond 64 bits"
        ),
    ],
)
def test_points_per_value_are_rounded_once(
    value_units, points, per_units, down, half_up, up
):
    given_points = [
        points_per_unit(value_units, points, per_units, rounding)
        for rounding in (DOWN, HALF_UP, UP)
    ]

    assert given_points == [down, half_up, up]


@pytest.mark.parametrize(
    ("base_points", "multiplier", "down", "half_up", "up"),
    [
        pytest.param(5, 15_000, 7, 8, 8, id="one and a half times"),
        pytest.param(7, 20_000, 14, 14, 14, id="twice"),
        pytest.param(3, 3_333, 0, 1, 1, id="a third"),
        pytest.param(0, 15_000, 0, 0, 0, id="no base"),
        pytest.param(-5, 15_000, 0, 0, 0, id="negative base"),
        pytest.param(5, 0, 0, 0, 0, id="times nothing"),
    ],
)
def test_a_multiplier_is_rounded_once(base_points, multiplier, down, half_up, up):
    given_points = [
        multiplied(units_of_points(base_points, 0), multiplier, rounding)
        for rounding in (DOWN, HALF_UP, UP)
    ]

    assert given_points == [down, half_up, up]


@pytest.mark.parametrize(
    ("dividend", "divisor"),
    [
        pytest.param(-1, 10, id="negative dividend"),
        pytest.param(1, 0, id="zero divisor"),
        pytest.param(1, -10, id="negative divisor"),
    ],
)
@pytest.mark.parametrize("rounding", Rounding, ids=lambda rounding: rounding.value)
def test_impossible_amounts_are_refused(dividend, divisor, rounding):
    with pytest.raises(ValueError, match="above zero"):
        divided(dividend, divisor, rounding)


@given(amounts, divisors)
def test_down_and_up_enclose_the_exact_quotient(dividend, divisor):
    exact = Fraction(dividend, divisor)

    down, up = divided(dividend, divisor, DOWN), divided(dividend, divisor, UP)

    assert down <= exact <= up
    assert up - down == (0 if exact.denominator == 1 else 1)


@given(amounts, divisors)
def test_half_up_differs_by_at_most_a_half(dividend, divisor):
    exact = Fraction(dividend, divisor)

    difference = divided(dividend, divisor, HALF_UP) - exact

    assert -Fraction(1, 2) < difference <= Fraction(1, 2)


@given(amounts, amounts, divisors, st.sampled_from(Rounding))
def test_a_larger_value_never_earns_less(one, two, per_units, rounding):
    smaller, larger = sorted((one, two))

    assert points_per_unit(smaller, 3, per_units, rounding) <= points_per_unit(
        larger, 3, per_units, rounding
    )


@given(amounts, st.sampled_from(Rounding))
def test_a_multiplier_of_one_changes_nothing(base_points, rounding):
    assert multiplied(units_of_points(base_points, 0), 10_000, rounding) == base_points


def expiry(model, count, earned_at, zone=NEW_YORK):
    moment = expiry_moment(
        ExpiryRule(model, count), datetime.fromisoformat(earned_at), zone
    )
    return moment and moment.isoformat()


@pytest.mark.parametrize(
    ("model", "count", "earned_at", "expires_at"),
    [
        pytest.param(
            ExpiryModel.NEVER, 0, "2026-01-14T19:00:00Z", None, id="points that stay"
        ),
        pytest.param(
            ExpiryModel.DAYS,
            30,
            "2026-01-14T19:00:00Z",
            "2026-02-13T19:00:00+00:00",
            id="thirty days",
        ),
        pytest.param(
            ExpiryModel.DAYS,
            1,
            "2026-03-07T17:00:00Z",
            "2026-03-08T16:00:00+00:00",
            id="a day of 23 hours: the same local time",
        ),
        pytest.param(
            ExpiryModel.DAYS,
            1,
            "2026-03-07T07:30:00Z",
            "2026-03-08T07:30:00+00:00",
            id="days onto a skipped local time move on",
        ),
        pytest.param(
            ExpiryModel.DAYS,
            1,
            "2026-10-31T05:30:00Z",
            "2026-11-01T05:30:00+00:00",
            id="days onto a local time that comes twice: the first",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            1,
            "2026-01-31T17:00:00Z",
            "2026-02-28T17:00:00+00:00",
            id="a month from the 31st clamps",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            12,
            "2024-02-29T17:00:00Z",
            "2025-02-28T17:00:00+00:00",
            id="a year from a leap day clamps",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            48,
            "2024-02-29T17:00:00Z",
            "2028-02-29T17:00:00+00:00",
            id="leap day to leap day",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            11,
            "2026-01-14T19:00:00Z",
            "2026-12-14T19:00:00+00:00",
            id="to December",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            1,
            "2026-02-01T03:00:00Z",
            "2026-03-01T03:00:00+00:00",
            id="the local day counts: 31 January in New York",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            4,
            "2025-11-08T07:30:00Z",
            "2026-03-08T07:30:00+00:00",
            id="months onto a skipped local time move on",
        ),
        pytest.param(
            ExpiryModel.MONTHS,
            1,
            "2026-10-01T05:30:00Z",
            "2026-11-01T05:30:00+00:00",
            id="months onto a local time that comes twice: the first",
        ),
        pytest.param(
            # 01:30 comes twice on both days.
            ExpiryModel.MONTHS,
            72,
            "2020-11-01T06:30:00Z",
            "2026-11-01T05:30:00+00:00",
            id="earned the second time, expires the first",
        ),
        pytest.param(
            ExpiryModel.END_OF_MONTH,
            1,
            "2026-01-14T19:00:00Z",
            "2026-03-01T05:00:00+00:00",
            id="end of the following month",
        ),
        pytest.param(
            ExpiryModel.END_OF_MONTH,
            0,
            "2026-01-14T19:00:00Z",
            "2026-02-01T05:00:00+00:00",
            id="end of the month of earning",
        ),
        pytest.param(
            ExpiryModel.END_OF_MONTH,
            11,
            "2026-01-31T19:00:00Z",
            "2027-01-01T05:00:00+00:00",
            id="end of December",
        ),
        pytest.param(
            ExpiryModel.END_OF_MONTH,
            1,
            "2026-02-01T04:59:59Z",
            "2026-03-01T05:00:00+00:00",
            id="earned in January, locally",
        ),
        pytest.param(
            ExpiryModel.END_OF_YEAR,
            1,
            "2026-01-14T19:00:00Z",
            "2028-01-01T05:00:00+00:00",
            id="end of the following year",
        ),
        pytest.param(
            ExpiryModel.END_OF_YEAR,
            1,
            "2027-01-01T04:59:59Z",
            "2028-01-01T05:00:00+00:00",
            id="earned on New Year's Eve, locally",
        ),
        pytest.param(
            ExpiryModel.INACTIVITY,
            6,
            "2026-08-31T16:00:00Z",
            "2027-02-28T17:00:00+00:00",
            id="months after the last activity, at its local time",
        ),
        pytest.param(
            ExpiryModel.DAYS, 3_000_000, "2026-01-14T19:00:00Z", None, id="days beyond"
        ),
        pytest.param(
            ExpiryModel.DAYS, 10**10, "2026-01-14T19:00:00Z", None, id="too many days"
        ),
        pytest.param(
            ExpiryModel.MONTHS, 10**6, "2026-01-31T19:00:00Z", None, id="months beyond"
        ),
        pytest.param(
            ExpiryModel.END_OF_MONTH, 1, "9999-11-14T19:00:00Z", None, id="last month"
        ),
        pytest.param(
            ExpiryModel.END_OF_YEAR, 7973, "2026-01-14T19:00:00Z", None, id="last year"
        ),
    ],
)
def test_points_expire_as_the_wallet_says(model, count, earned_at, expires_at):
    assert expiry(model, count, earned_at) == expires_at


def test_a_month_ends_when_the_next_begins_though_its_midnight_was_skipped():
    # In Damascus clocks went from 00:00 to 01:00 on 1 April 2005.
    damascus = ZoneInfo("Asia/Damascus")

    moment = expiry(ExpiryModel.END_OF_MONTH, 0, "2005-03-10T12:00:00Z", damascus)

    assert moment == "2005-03-31T22:00:00+00:00"


def test_a_naive_moment_of_earning_is_refused():
    rule = ExpiryRule(ExpiryModel.NEVER, 0)

    with pytest.raises(ValueError, match="with a zone"):
        expiry_moment(rule, datetime(2026, 1, 14), UTC)


def test_stored_values_never_change():
    assert [rounding.value for rounding in Rounding] == ["down", "half_up", "up"]
    assert [model.value for model in ExpiryModel] == [
        "never",
        "days",
        "months",
        "end_of_month",
        "end_of_year",
        "inactivity",
    ]


rules = st.builds(
    ExpiryRule,
    st.sampled_from([model for model in ExpiryModel if model is not ExpiryModel.NEVER]),
    st.integers(1, 120),
)
earnings = st.datetimes(
    datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)
)


@given(rules, earnings, st.sampled_from([UTC, NEW_YORK, SAO_PAULO]))
def test_points_live_about_as_long_as_the_rule_says(rule, earned_at, zone):
    days_min, days_max = {
        ExpiryModel.DAYS: (rule.count, rule.count),
        ExpiryModel.MONTHS: (28 * rule.count, 31 * rule.count),
        ExpiryModel.INACTIVITY: (28 * rule.count, 31 * rule.count),
        ExpiryModel.END_OF_MONTH: (28 * rule.count, 31 * (rule.count + 1)),
        ExpiryModel.END_OF_YEAR: (365 * rule.count, 366 * (rule.count + 1)),
    }[rule.model]

    expires_at = expiry_moment(rule, earned_at, zone)

    change = timedelta(hours=1)
    assert expires_at is not None
    assert timedelta(days=days_min) - change <= expires_at - earned_at
    assert expires_at - earned_at <= timedelta(days=days_max) + change


@given(rules, earnings, earnings, st.sampled_from([UTC, NEW_YORK, SAO_PAULO]))
def test_points_earned_later_never_expire_earlier(rule, one, two, zone):
    earlier, later = sorted((one, two))

    expires_at = expiry_moment(rule, earlier, zone)
    then_expires_at = expiry_moment(rule, later, zone)

    # Around a repeated or skipped hour local times are not in the order of instants.
    assert expires_at is not None
    assert then_expires_at is not None
    assert expires_at <= then_expires_at + timedelta(hours=1)
