"""The conditions on an offer: what each refuses, and which comes first."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.engine.conditions import failure_of_count, first_failure, is_open
from loyalty.engine.facts import (
    Clock,
    Completion,
    Item,
    Reason,
    Rules,
    Schedule,
)
from loyalty.engine.periods import Unit
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
