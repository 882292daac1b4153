"""The conditions on an offer: what each refuses, and which comes first."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.conditions import (
    counted_around,
    failure_of_count,
    first_failure,
    is_open,
)
from loyalty.engine.decisions import Reason
from loyalty.engine.facts import Clock, Completion, Item, ItemGroup, Rules, Schedule
from loyalty.engine.periods import MOVING_UNITS, Unit, window_containing
from loyalty.engine.tiers import TierStep
from tests.engine.offers import NOON, RULES, activity, offer

TIERS = Rules(Clock(UTC), (TierStep(7, 0, 0), TierStep(8, 1, 100)))
LISTED = (Item("a", 10_000, (5,)),)


@pytest.mark.parametrize(
    ("conditions", "happened", "reason"),
    [
        pytest.param({}, {}, None, id="no condition holds for all"),
        pytest.param({"is_enabled": False}, {}, Reason.DISABLED, id="switched off"),
        pytest.param({"starts_at": NOON}, {}, None, id="the first instant is inside"),
        pytest.param(
            {"starts_at": NOON + timedelta(microseconds=1)},
            {},
            Reason.NOT_STARTED,
            id="before the first instant",
        ),
        pytest.param({"ends_at": NOON}, {}, Reason.ENDED, id="the end is outside"),
        pytest.param(
            {"ends_at": NOON + timedelta(microseconds=1)}, {}, None, id="before the end"
        ),
        pytest.param(
            {"activity_type_ids": frozenset({2})},
            {},
            Reason.OTHER_ACTIVITY_TYPE,
            id="another type",
        ),
        pytest.param(
            {"business_unit_id": 3},
            {"business_unit_id": 4},
            Reason.OTHER_BUSINESS_UNIT,
            id="another unit",
        ),
        pytest.param({"business_unit_id": 3}, {}, None, id="no unit meets every unit"),
        pytest.param(
            {}, {"business_unit_id": 4}, None, id="an offer of no unit meets every one"
        ),
        pytest.param(
            {"channel_ids": frozenset({1})},
            {},
            Reason.OTHER_CHANNEL,
            id="no channel is not the channel asked for",
        ),
        pytest.param(
            {"channel_ids": frozenset({1})}, {"channel_id": 1}, None, id="its channel"
        ),
        pytest.param({"minimum_units": 125_000}, {}, None, id="the lowest value"),
        pytest.param(
            {"minimum_units": 125_001}, {}, Reason.VALUE_TOO_LOW, id="below it"
        ),
        pytest.param({"maximum_units": 125_000}, {}, None, id="the highest value"),
        pytest.param(
            {"maximum_units": 124_999}, {}, Reason.VALUE_TOO_HIGH, id="above it"
        ),
        pytest.param({"item_list_id": 5}, {"items": LISTED}, None, id="a listed item"),
        pytest.param(
            {"item_list_id": 6},
            {"items": LISTED},
            Reason.NO_MATCHING_ITEM,
            id="only items of other lists",
        ),
        pytest.param(
            {"item_list_id": 5}, {}, Reason.NO_MATCHING_ITEM, id="no items at all"
        ),
        pytest.param(
            {"segments": frozenset({2})}, {}, Reason.NOT_IN_SEGMENT, id="not in it"
        ),
        pytest.param(
            {"segments": frozenset({1, 2})}, {}, None, id="in one of several segments"
        ),
        pytest.param(
            {"excluded_segments": frozenset({1})},
            {},
            Reason.IN_EXCLUDED_SEGMENT,
            id="in a segment kept out",
        ),
        pytest.param(
            {"minimum_tier_threshold": 0}, {}, Reason.TIER_TOO_LOW, id="no tier"
        ),
        pytest.param(
            {"is_enabled": False, "segments": frozenset({2})},
            {},
            Reason.DISABLED,
            id="the first that fails is the reason",
        ),
    ],
)
def test_first_failing_condition_is_the_reason(conditions, happened, reason):
    failure = first_failure(
        offer(**conditions), activity(**happened), frozenset({1}), None, TIERS
    )

    assert (failure and failure.reason) == reason


@pytest.mark.parametrize(
    ("tier_id", "threshold", "is_admitted"),
    [(7, 0, True), (7, 100, False), (8, 100, True), (8, 0, True), (None, 0, False)],
)
def test_tiers_compare_by_threshold(tier_id, threshold, is_admitted):
    failure = first_failure(
        offer(minimum_tier_threshold=threshold),
        activity(),
        frozenset(),
        tier_id,
        TIERS,
    )

    assert (failure is None) is is_admitted


@pytest.mark.parametrize(
    ("schedule", "moment", "expected"),
    [
        pytest.param(Schedule(frozenset({3})), NOON, True, id="Wednesday"),
        pytest.param(Schedule(frozenset({4})), NOON, False, id="not Thursday"),
        pytest.param(
            Schedule(opens_at=time(12), closes_at=time(13)), NOON, True, id="opens"
        ),
        pytest.param(
            Schedule(opens_at=time(11), closes_at=time(12)), NOON, False, id="closed"
        ),
        pytest.param(
            Schedule(frozenset({2}), time(22), time(2)),
            datetime(2026, 3, 4, 1, 59, tzinfo=UTC),
            True,
            id="the night belongs to the day it began",
        ),
        pytest.param(
            Schedule(frozenset({3}), time(22), time(2)),
            datetime(2026, 3, 4, 1, 59, tzinfo=UTC),
            False,
            id="not to the day it ends",
        ),
        pytest.param(
            Schedule(frozenset({3}), time(22), time(2)),
            datetime(2026, 3, 4, 22, 0, tzinfo=UTC),
            True,
            id="the evening",
        ),
    ],
)
def test_schedules(schedule, moment, expected):
    assert is_open(schedule, moment, RULES.clock) is expected


def test_schedules_read_the_programs_clock():
    sunday_in_utc = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    monday = Schedule(frozenset({1}))

    assert is_open(monday, sunday_in_utc, Clock(ZoneInfo("Asia/Kolkata")))
    assert not is_open(monday, sunday_in_utc, Clock(UTC))


def paid(*hours_before: float) -> list[Completion]:
    return [Completion(NOON - timedelta(hours=n), is_paid=True) for n in hours_before]


@pytest.mark.parametrize(
    ("period", "completions", "is_capped"),
    [
        (Unit.LIFETIME, paid(100_000), True),
        (Unit.CALENDAR_DAY, paid(12), True),
        (Unit.CALENDAR_DAY, paid(12.001), False),
        (Unit.ROLLING_24_HOURS, paid(23.999), True),
        (Unit.ROLLING_24_HOURS, paid(24), False),
        (Unit.CALENDAR_WEEK, paid(60), True),
        (Unit.CALENDAR_WEEK, paid(60.001), False),
        (Unit.SEVEN_CALENDAR_DAYS, paid(6 * 24 + 12), True),
        (Unit.SEVEN_CALENDAR_DAYS, paid(6 * 24 + 12.001), False),
        (Unit.CALENDAR_MONTH, paid(3 * 24 + 12), True),
        (Unit.CALENDAR_MONTH, paid(3 * 24 + 12.001), False),
        (Unit.CALENDAR_YEAR, paid(62 * 24 + 12), True),
        (Unit.CALENDAR_YEAR, paid(62 * 24 + 12.001), False),
        (Unit.ROLLING_30_DAYS, paid(30 * 24), False),
        (Unit.ROLLING_90_DAYS, paid(90 * 24 - 0.001), True),
        (Unit.ROLLING_180_DAYS, paid(180 * 24), False),
        (Unit.ROLLING_365_DAYS, paid(365 * 24 - 0.001), True),
    ],
)
def test_a_cap_counts_awards_in_the_window_of_the_activity(
    period, completions, is_capped
):
    capped = offer(cap=1, period=period)

    failure = failure_of_count(capped, NOON, completions, RULES.clock)

    assert (failure is not None) is is_capped
    if failure is not None:
        assert failure.reason is Reason.CAP_REACHED
        assert (failure.operands["cap"], failure.operands["used"]) == (1, 1)


def test_a_cap_counts_awards_not_completions():
    unpaid = [Completion(NOON, is_paid=False)] * 5

    assert failure_of_count(offer(cap=1), NOON, unpaid, RULES.clock) is None


def test_attempts_start_anew_with_the_calendar_period():
    third = offer(required_attempts=3, period=Unit.CALENDAR_DAY)
    yesterday = [Completion(NOON - timedelta(days=1), is_paid=False)] * 2

    failure = failure_of_count(third, NOON, yesterday, RULES.clock)

    assert failure.operands == {"required": 3, "completed": 1}


def test_attempts_never_start_anew_in_a_rolling_period():
    third = offer(required_attempts=3, period=Unit.ROLLING_24_HOURS)
    long_ago = [Completion(NOON - timedelta(days=9), is_paid=False)] * 2

    assert failure_of_count(third, NOON, long_ago, RULES.clock) is None


BASKET = (Item("a", 10_000, (5,), 2), Item("b", 10_000, (6,)))
# In the order in which they are asked: conditions that fail for IN_STORE, each on
# its own, and the reason that they give.
FAILING = [
    ({"is_enabled": False}, Reason.DISABLED),
    ({"starts_at": NOON + timedelta(days=1)}, Reason.NOT_STARTED),
    ({"ends_at": NOON - timedelta(days=1)}, Reason.ENDED),
    ({"schedule": Schedule(frozenset({4}))}, Reason.OUTSIDE_SCHEDULE),
    ({"activity_type_ids": frozenset({2})}, Reason.OTHER_ACTIVITY_TYPE),
    ({"business_unit_id": 4}, Reason.OTHER_BUSINESS_UNIT),
    ({"business_unit_ids": frozenset({4, 5})}, Reason.OTHER_BUSINESS_UNIT),
    ({"channel_ids": frozenset({2})}, Reason.OTHER_CHANNEL),
    ({"minimum_units": 125_001}, Reason.VALUE_TOO_LOW),
    ({"maximum_units": 124_999}, Reason.VALUE_TOO_HIGH),
    ({"context": "basket"}, Reason.NOT_A_BASKET),
    ({"currencies": frozenset({"USD"})}, Reason.OTHER_CURRENCY),
    ({"item_list_id": 9}, Reason.NO_MATCHING_ITEM),
    ({"qualify": (ItemGroup(5, 3),)}, Reason.BASKET_WITHOUT_GROUP),
    ({"redeem": ItemGroup(9)}, Reason.BASKET_WITHOUT_GROUP),
    ({"minimum_tier_threshold": 100}, Reason.TIER_TOO_LOW),
    ({"segments": frozenset({2})}, Reason.NOT_IN_SEGMENT),
    ({"excluded_segments": frozenset({1})}, Reason.IN_EXCLUDED_SEGMENT),
]
# The same conditions as they hold; later ones of a name stand in place of earlier.
HOLDING = {
    "schedule": Schedule(frozenset({3})),
    "activity_type_ids": frozenset({1, 2}),
    "business_unit_id": 3,
    "business_unit_ids": frozenset({3, 4}),
    "channel_ids": frozenset({1}),
    "minimum_units": 125_000,
    "maximum_units": 125_000,
    "currencies": frozenset({"EUR"}),
    "item_list_id": 5,
    "qualify": (ItemGroup(5, 2), ItemGroup(6, 1)),
    "redeem": ItemGroup(6),
    "minimum_tier_threshold": 0,
    "segments": frozenset({1}),
    "excluded_segments": frozenset({2}),
}
IN_STORE = {
    "business_unit_id": 3,
    "channel_id": 1,
    "items": BASKET,
    "currency": "EUR",
}


def reason_of(conditions):
    failure = first_failure(
        offer(**conditions), activity(**IN_STORE), frozenset({1}), 7, TIERS
    )
    return failure and failure.reason


@given(
    broken=st.sets(st.integers(0, len(FAILING) - 1)),
    kept=st.sets(st.sampled_from(sorted(HOLDING))),
)
def test_of_any_conditions_the_first_that_fails_is_the_reason(broken, kept):
    conditions = {name: HOLDING[name] for name in kept}
    for place in sorted(broken):
        conditions |= FAILING[place][0]

    expected = FAILING[min(broken)][1] if broken else None
    assert reason_of(conditions) == expected


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        pytest.param({}, None, id="an activity of no unit meets each"),
        pytest.param({"business_unit_id": 4}, None, id="one of them"),
        pytest.param({"business_unit_id": 6}, Reason.OTHER_BUSINESS_UNIT, id="none"),
    ],
)
def test_several_units(happened, reason):
    failure = first_failure(
        offer(business_unit_ids=frozenset({4, 5})),
        activity(**happened),
        frozenset(),
        None,
        TIERS,
    )

    assert (failure and failure.reason) == reason


def test_an_activity_without_a_currency_is_not_in_the_one_asked_for():
    failure = first_failure(
        offer(currencies=frozenset({"EUR"})), activity(), frozenset(), None, TIERS
    )

    assert failure.reason is Reason.OTHER_CURRENCY


@pytest.mark.parametrize("required", [0, 1])
def test_a_group_to_reward_needs_a_product_even_if_it_requires_none(required):
    asked = offer(redeem=ItemGroup(9, required))

    failure = first_failure(asked, activity(), frozenset(), None, TIERS)

    assert failure.operands == {"required": 1, "found": 0}


LATER = [
    (Unit.ROLLING_24_HOURS, paid(-23.999), True),
    (Unit.ROLLING_24_HOURS, paid(-24), False),
    (Unit.ROLLING_30_DAYS, paid(-30 * 24 + 0.001), True),
    (Unit.ROLLING_30_DAYS, paid(-30 * 24), False),
    (Unit.SEVEN_CALENDAR_DAYS, paid(-6 * 24 - 11.999), True),
    (Unit.SEVEN_CALENDAR_DAYS, paid(-6 * 24 - 12), False),
    (Unit.CALENDAR_DAY, paid(-11.999), True),
    (Unit.CALENDAR_DAY, paid(-12), False),
    # One before and one after: each in a window with the moment, not in one together.
    (Unit.ROLLING_24_HOURS, paid(20, -20), True),
]


@pytest.mark.parametrize(("period", "completions", "is_capped"), LATER)
def test_a_late_activity_is_counted_in_the_windows_of_later_awards(
    period, completions, is_capped
):
    capped = offer(cap=1, period=period)

    failure = failure_of_count(capped, NOON, completions, RULES.clock)

    assert (failure is not None) is is_capped


def test_a_late_activity_fits_between_awards_that_no_window_holds_together():
    twice = offer(cap=2, period=Unit.ROLLING_24_HOURS)

    assert failure_of_count(twice, NOON, paid(20, -20), RULES.clock) is None
    assert failure_of_count(twice, NOON, paid(20, -3), RULES.clock) is not None


def test_the_window_that_is_full_is_named():
    capped = offer(cap=1, period=Unit.ROLLING_24_HOURS)

    failure = failure_of_count(capped, NOON, paid(-5), RULES.clock)

    until = failure.operands["until"]
    assert until == NOON + timedelta(hours=5, microseconds=1)
    assert failure.operands["from"] == until - timedelta(hours=24)


@given(
    unit=st.sampled_from(sorted(MOVING_UNITS, key=str)),
    cap=st.integers(1, 3),
    attempts=st.integers(1, 3),
    moments=st.lists(st.integers(0, 400 * 24), max_size=25),
)
def test_no_window_holds_more_than_the_cap_in_whatever_order_activities_arrive(
    unit, cap, attempts, moments
):
    capped = offer(cap=cap, period=unit, required_attempts=attempts)
    if unit in {Unit.ROLLING_24_HOURS, Unit.SEVEN_CALENDAR_DAYS}:
        moments = [hours / 20 for hours in moments]
    completions: list[Completion] = []
    for hours in moments:
        at = NOON + timedelta(hours=hours)
        around = counted_around(capped, at, RULES.clock)
        gathered = [one for one in completions if around.start <= one[0] < around.end]
        failure = failure_of_count(capped, at, gathered, RULES.clock)
        if failure is None or failure.reason is Reason.MORE_ATTEMPTS_NEEDED:
            completions.append(Completion(at, is_paid=failure is None))

    awards = [at for at, is_paid in completions if is_paid]
    for at in awards:
        window = window_containing(unit, at, UTC)
        held = [one for one in awards if window.start <= one < window.end]
        assert len(held) <= cap
