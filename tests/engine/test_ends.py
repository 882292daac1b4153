"""Ends as people read and write them: the last day or minute that counts."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.ends import Last, after_last, as_last, last_text

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        UTC,
        BERLIN,
        ZoneInfo("America/Phoenix"),
        ZoneInfo("America/Sao_Paulo"),
        ZoneInfo("Asia/Beirut"),
        ZoneInfo("Australia/Lord_Howe"),
    ]
)
INSTANTS = st.datetimes(
    datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)
)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        pytest.param(
            Last(date(2026, 5, 31)), "2026-05-31T22:00:00+00:00", id="a whole day"
        ),
        pytest.param(
            Last(date(2026, 5, 31), time(23, 59)),
            "2026-05-31T22:00:00+00:00",
            id="the last minute of a day is the whole day",
        ),
        pytest.param(
            Last(date(2026, 5, 31), time(18, 0)),
            "2026-05-31T16:01:00+00:00",
            id="the minute counts",
        ),
        pytest.param(
            Last(date(2026, 5, 31), time(0, 0)),
            "2026-05-30T22:01:00+00:00",
            id="the first minute of a day",
        ),
        pytest.param(
            Last(date(2026, 10, 25)), "2026-10-25T23:00:00+00:00", id="25 hours"
        ),
        pytest.param(
            Last(date(2026, 10, 25), time(2, 30)),
            "2026-10-25T01:31:00+00:00",
            id="a minute that comes twice counts twice",
        ),
    ],
)
def test_an_end_is_the_instant_after_what_was_written(written, instant):
    assert after_last(written, BERLIN).isoformat() == instant


def test_a_minute_that_the_clocks_skip_is_refused():
    with pytest.raises(ValueError, match="put forward"):
        after_last(Last(date(2026, 3, 29), time(2, 30)), BERLIN)


def test_the_last_day_of_the_calendar_is_refused():
    with pytest.raises(ValueError, match="calendar"):
        after_last(Last(date.max), BERLIN)


def test_an_end_within_a_minute_shows_that_minute():
    ends_at = datetime(2026, 5, 31, 21, 59, 59, tzinfo=UTC)

    assert last_text(ends_at, BERLIN) == "31 May 2026, 23:59"


@given(INSTANTS, ZONES)
def test_what_is_shown_as_last_is_inside_and_what_follows_is_not(ends_at, zone):
    shown = as_last(ends_at, zone)

    again = after_last(shown, zone)
    if shown.minute is None:
        assert again == ends_at
    elif shown.minute < time(23, 59):
        # A minute may come twice, an hour (or half of one) apart.
        assert timedelta(0) <= again - ends_at < timedelta(hours=1) + MINUTE
        assert as_last(again, zone) == shown


@given(INSTANTS, ZONES)
def test_whole_minutes_come_back_as_they_were(moment, zone):
    ends_at = moment.replace(second=0, microsecond=0)
    inside = ends_at - timedelta(microseconds=1)
    twice = inside.astimezone(zone).replace(fold=0).astimezone(UTC) != inside or (
        inside.astimezone(zone).replace(fold=1).astimezone(UTC) != inside
    )

    if not twice:
        assert after_last(as_last(ends_at, zone), zone) == ends_at


@given(st.dates(date(2015, 1, 1), date(2040, 1, 1)), ZONES)
def test_a_last_day_comes_back_as_it_was_written(day, zone):
    assert as_last(after_last(Last(day), zone), zone) == Last(day)
