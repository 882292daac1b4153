from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loyalty.engine.periods import (
    ROLLING_UNITS,
    Unit,
    Window,
    start_of_day,
    window_containing,
)

EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
NEW_YORK = ZoneInfo("America/New_York")
ST_JOHNS = ZoneInfo("America/St_Johns")
APIA = ZoneInfo("Pacific/Apia")
TORONTO = ZoneInfo("America/Toronto")
ZONES = [
    UTC,
    NEW_YORK,
    ST_JOHNS,
    APIA,
    TORONTO,
    timezone(timedelta(hours=14)),
    timezone(-timedelta(hours=12)),
    *(
        ZoneInfo(key)
        for key in (
            "Africa/Casablanca",
            "Africa/Monrovia",
            "America/Havana",
            "America/Juneau",
            "America/Sao_Paulo",
            "Asia/Gaza",
            "Asia/Kolkata",
            "Asia/Manila",
            "Asia/Tehran",
            "Australia/Lord_Howe",
            "Europe/Dublin",
            "Pacific/Kiritimati",
            "Pacific/Kwajalein",
        )
    ),
]
CALENDAR_UNITS = sorted(
    set(Unit) - ROLLING_UNITS - {Unit.LIFETIME}, key=lambda unit: unit.value
)

zones = st.sampled_from(ZONES)
# Half of the moments lie where zones have a history, half anywhere.
moments = st.one_of(
    st.datetimes(datetime(1840, 1, 1), datetime(2040, 1, 1)),
    st.datetimes(max_value=datetime(9999, 12, 31, 23, 59, 59)),
).map(lambda moment: moment.replace(tzinfo=UTC))
weekdays = st.integers(0, 6)


def at(text):
    return datetime.fromisoformat(text)


def utc(text):
    return at(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        pytest.param(
            Unit.ROLLING_24_HOURS,
            "2026-03-10T15:30:00.000001",
            "2026-03-11T15:30:00.000001",
            id="24 hours up to and with the moment",
        ),
        pytest.param(
            Unit.ROLLING_30_DAYS,
            "2026-02-09T15:30:00.000001",
            "2026-03-11T15:30:00.000001",
            id="30 times 24 hours",
        ),
        pytest.param(
            Unit.ROLLING_90_DAYS,
            "2025-12-11T15:30:00.000001",
            "2026-03-11T15:30:00.000001",
            id="90 times 24 hours",
        ),
        pytest.param(
            Unit.ROLLING_180_DAYS,
            "2025-09-12T15:30:00.000001",
            "2026-03-11T15:30:00.000001",
            id="180 times 24 hours",
        ),
        pytest.param(
            Unit.ROLLING_365_DAYS,
            "2025-03-11T15:30:00.000001",
            "2026-03-11T15:30:00.000001",
            id="365 times 24 hours",
        ),
        pytest.param(
            Unit.CALENDAR_DAY,
            "2026-03-11T04:00:00",
            "2026-03-12T04:00:00",
            id="the local day",
        ),
        pytest.param(
            Unit.SEVEN_CALENDAR_DAYS,
            "2026-03-05T05:00:00",
            "2026-03-12T04:00:00",
            id="the local day and the six before, over a change of clocks",
        ),
        pytest.param(
            Unit.CALENDAR_WEEK,
            "2026-03-09T04:00:00",
            "2026-03-16T04:00:00",
            id="Monday to Monday",
        ),
        pytest.param(
            Unit.CALENDAR_MONTH,
            "2026-03-01T05:00:00",
            "2026-04-01T04:00:00",
            id="the local month",
        ),
        pytest.param(
            Unit.CALENDAR_YEAR,
            "2026-01-01T05:00:00",
            "2027-01-01T05:00:00",
            id="the local year",
        ),
        pytest.param(Unit.LIFETIME, EVER.isoformat(), NEVER.isoformat(), id="all time"),
    ],
)
def test_each_unit_cuts_time_its_own_way(unit, start, end):
    window = window_containing(unit, utc("2026-03-11T15:30:00"), NEW_YORK)

    assert window == Window(utc(start), utc(end))


@pytest.mark.parametrize(
    ("first_weekday", "start"),
    [
        pytest.param(0, "2026-01-12", id="Monday"),
        pytest.param(1, "2026-01-13", id="Tuesday"),
        pytest.param(2, "2026-01-14", id="Wednesday itself"),
        pytest.param(3, "2026-01-08", id="Thursday before"),
        pytest.param(6, "2026-01-11", id="Sunday"),
    ],
)
def test_weeks_start_on_the_programs_first_weekday(first_weekday, start):
    window = window_containing(
        Unit.CALENDAR_WEEK, utc("2026-01-14T12:00:00"), UTC, first_weekday
    )

    assert window == Window(utc(start), utc(start) + timedelta(days=7))


@pytest.mark.parametrize(
    ("month", "following"),
    [
        pytest.param("2024-02-29", "2024-03-01", id="leap February"),
        pytest.param("2026-02-28", "2026-03-01", id="February"),
        pytest.param("2026-12-31", "2027-01-01", id="December"),
        pytest.param("2026-01-01", "2026-02-01", id="first day"),
    ],
)
def test_a_month_ends_where_the_following_starts(month, following):
    window = window_containing(Unit.CALENDAR_MONTH, utc(month), UTC)

    assert window == Window(utc(month[:8] + "01"), utc(following))


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        pytest.param("2026-03-08T12:00:00", 23, id="clocks put forward"),
        pytest.param("2026-11-01T12:00:00", 25, id="clocks put back"),
        pytest.param("2026-07-01T12:00:00", 24, id="no change"),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(moment, hours):
    window = window_containing(Unit.CALENDAR_DAY, utc(moment), NEW_YORK)

    assert window.end - window.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        pytest.param(
            ZoneInfo("America/Sao_Paulo"),
            date(2018, 11, 4),
            "2018-11-04T03:00:00",
            id="midnight skipped: the day starts at one",
        ),
        pytest.param(
            TORONTO,
            date(1919, 3, 31),
            "1919-03-31T04:30:00",
            id="half past eleven to half past twelve: starts in between",
        ),
        pytest.param(
            ZoneInfo("America/Havana"),
            date(2025, 11, 2),
            "2025-11-02T04:00:00",
            id="midnight came twice: the first counts",
        ),
        pytest.param(
            ST_JOHNS,
            date(2009, 11, 1),
            "2009-11-01T02:30:00",
            id="clocks put back over midnight: the first counts",
        ),
        pytest.param(
            APIA, date(2011, 12, 30), "2011-12-30T10:00:00", id="a skipped day"
        ),
        pytest.param(
            APIA, date(2011, 12, 31), "2011-12-30T10:00:00", id="after a skipped day"
        ),
        pytest.param(
            UTC, date.min, "0001-01-01T00:00:00", id="first day of the calendar"
        ),
        pytest.param(
            NEW_YORK, date.max, "9999-12-31T05:00:00", id="last day of the calendar"
        ),
    ],
)
def test_a_day_starts_at_its_first_instant(zone, day, start):
    assert start_of_day(day, zone) == utc(start)


def test_yesterdays_hour_that_comes_again_after_midnight_belongs_to_today():
    # At 00:01 on 1 November clocks in St John's went back to 23:01.
    again = utc("2009-11-01T03:00:00")

    window = window_containing(Unit.CALENDAR_DAY, again, ST_JOHNS)
    month = window_containing(Unit.CALENDAR_MONTH, again, ST_JOHNS)

    assert again.astimezone(ST_JOHNS).isoformat() == "2009-10-31T23:30:00-03:30"
    assert window == Window(utc("2009-11-01T02:30:00"), utc("2009-11-02T03:30:00"))
    assert month.start == window.start


def test_the_zone_of_the_moment_does_not_matter():
    in_kolkata = at("2026-01-15T00:30:00+05:30")

    windows = {
        window_containing(Unit.CALENDAR_DAY, moment, NEW_YORK)
        for moment in (in_kolkata, in_kolkata.astimezone(UTC))
    }

    assert windows == {Window(utc("2026-01-14T05:00:00"), utc("2026-01-15T05:00:00"))}


def test_a_naive_moment_has_no_window():
    with pytest.raises(ValueError, match="with a zone"):
        window_containing(Unit.CALENDAR_DAY, datetime(2026, 1, 14), UTC)


def test_stored_values_never_change():
    assert [unit.value for unit in Unit] == [
        "rolling_24_hours",
        "calendar_day",
        "seven_calendar_days",
        "calendar_week",
        "lifetime",
        "calendar_month",
        "calendar_year",
        "rolling_365_days",
        "rolling_90_days",
        "rolling_30_days",
        "rolling_180_days",
    ]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("unit", Unit, ids=lambda unit: unit.value)
def test_the_calendars_ends_do_not_overflow(unit, zone):
    last = NEVER - TICK

    first_window = window_containing(unit, EVER, zone)
    last_window = window_containing(unit, last, zone)

    assert first_window.start == EVER < first_window.end
    assert last_window.start <= last < last_window.end == NEVER


@pytest.mark.parametrize("unit", Unit, ids=lambda unit: unit.value)
def test_the_very_last_microsecond_gets_a_window(unit):
    assert window_containing(unit, NEVER, UTC).end == NEVER


@given(st.sampled_from(Unit), moments, zones, weekdays)
@example(Unit.CALENDAR_DAY, utc("2009-11-01T03:00:00"), ST_JOHNS, 0)
@example(Unit.CALENDAR_DAY, utc("1919-03-31T04:45:00"), TORONTO, 0)
@example(Unit.CALENDAR_DAY, utc("2011-12-30T10:00:00"), APIA, 0)
def test_a_window_contains_its_moment(unit, moment, zone, first_weekday):
    start, end = window_containing(unit, moment, zone, first_weekday)

    assert start <= moment < end


@given(
    st.sampled_from(
        [unit for unit in CALENDAR_UNITS if unit is not Unit.SEVEN_CALENDAR_DAYS]
    ),
    moments,
    zones,
    weekdays,
)
def test_calendar_windows_tile_the_timeline(unit, moment, zone, first_weekday):
    window = window_containing(unit, moment, zone, first_weekday)

    if window.start > EVER:
        before = window_containing(unit, window.start - TICK, zone, first_weekday)
        assert before.end == window.start
    if window.end < NEVER - TICK:
        after = window_containing(unit, window.end, zone, first_weekday)
        assert after.start == window.end
    assert window_containing(unit, window.start, zone, first_weekday) == window


@given(st.sampled_from(CALENDAR_UNITS), moments, zones, weekdays)
def test_every_calendar_window_is_made_of_whole_days(unit, moment, zone, first_weekday):
    window = window_containing(unit, moment, zone, first_weekday)
    day = window_containing(Unit.CALENDAR_DAY, moment, zone)

    assert window.start <= day.start
    assert day.end <= window.end
    first_day = window_containing(Unit.CALENDAR_DAY, window.start, zone)
    assert first_day.start == window.start


@given(moments, zones)
def test_seven_calendar_days_end_with_the_day(moment, zone):
    window = window_containing(Unit.SEVEN_CALENDAR_DAYS, moment, zone)

    assert window.end == window_containing(Unit.CALENDAR_DAY, moment, zone).end


@given(
    st.sampled_from(sorted(ROLLING_UNITS, key=lambda unit: unit.value)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
)
def test_a_rolling_window_is_open_at_its_start_and_closed_at_its_end(unit, one, two):
    earlier, later = sorted((one.replace(tzinfo=UTC), two.replace(tzinfo=UTC)))
    hours = {
        Unit.ROLLING_24_HOURS: 24,
        Unit.ROLLING_30_DAYS: 720,
        Unit.ROLLING_90_DAYS: 2160,
        Unit.ROLLING_180_DAYS: 4320,
        Unit.ROLLING_365_DAYS: 8760,
    }[unit]

    start, end = window_containing(unit, later, NEW_YORK)

    assert (start <= earlier < end) == (later - earlier < timedelta(hours=hours))
    assert end - start == timedelta(hours=hours)
