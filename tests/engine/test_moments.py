from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loyalty.engine.moments import (
    AmbiguousLocalTime,
    InvalidMoment,
    MissingZone,
    Moment,
    NonexistentLocalTime,
    from_epoch_seconds,
    parse_day,
    parse_local_datetime,
    parse_moment,
)
from loyalty.engine.numbers import NumberText

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
APIA = ZoneInfo("Pacific/Apia")
ZONES = sorted(
    key
    for key in available_timezones()
    if not key.startswith(("Etc/", "posix", "right"))
)

zones = st.sampled_from(ZONES).map(ZoneInfo)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("2021-12-29T12:06:28Z", "2021-12-29T12:06:28", id="UTC"),
        pytest.param("2021-12-29T17:36:28+05:30", "2021-12-29T12:06:28", id="offset"),
        pytest.param("2021-12-29T17:36:28+0530", "2021-12-29T12:06:28", id="no colon"),
        pytest.param("2021-12-29T07:06:28-05:00", "2021-12-29T12:06:28", id="west"),
        pytest.param("2021-12-29T12:06:28-00:00", "2021-12-29T12:06:28", id="-00:00"),
        pytest.param("2021-12-29T12:06:28+0000", "2021-12-29T12:06:28", id="+0000"),
        pytest.param("2021-12-29t12:06:28z", "2021-12-29T12:06:28", id="lower case"),
        pytest.param("2021-12-29 12:06:28Z", "2021-12-29T12:06:28", id="blank"),
        pytest.param("2021-12-29T12:06:28.5Z", "2021-12-29T12:06:28.5", id="tenths"),
        pytest.param("2026-01-15T11:30Z", "2026-01-15T11:30:00", id="no seconds"),
        pytest.param(
            "2026-01-15T11:30+05:30", "2026-01-15T06:00:00", id="no seconds, offset"
        ),
        pytest.param(
            "2021-12-29T12:06:28.123456999+00:00",
            "2021-12-29T12:06:28.123456",
            id="nanoseconds are cut, not rounded",
        ),
        pytest.param("2016-12-31T23:59:60Z", "2016-12-31T23:59:59", id="a leap second"),
        pytest.param(
            "2017-01-01T05:29:60.25+05:30",
            "2016-12-31T23:59:59.25",
            id="a leap second elsewhere, with a fraction",
        ),
        pytest.param("2024-02-29T00:00:00Z", "2024-02-29T00:00:00", id="leap day"),
        pytest.param("2026-01-14T00:00:00+23:59", "2026-01-13T00:01:00", id="+23:59"),
        pytest.param("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", id="year 1"),
        pytest.param("9999-12-31T23:59:59Z", "9999-12-31T23:59:59", id="year 9999"),
    ],
)
def test_a_moment_with_a_zone_is_read(text, at):
    assert parse_moment(text, BERLIN) == Moment(utc(at), zone_assumed=False)


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        pytest.param(
            "2020-04-28T16:47:37", KOLKATA, "2020-04-28T11:17:37", id="Kolkata"
        ),
        pytest.param("2026-01-14 19:00:00", BERLIN, "2026-01-14T18:00:00", id="winter"),
        pytest.param(
            "2026-01-14 19:00", BERLIN, "2026-01-14T18:00:00", id="no seconds"
        ),
        pytest.param("2026-07-14t19:00:00", BERLIN, "2026-07-14T17:00:00", id="summer"),
        pytest.param(
            "2026-03-29T01:59:59.999999",
            BERLIN,
            "2026-03-29T00:59:59.999999",
            id="the last instant before a gap",
        ),
        pytest.param(
            "2026-03-29T03:00:00", BERLIN, "2026-03-29T01:00:00", id="after a gap"
        ),
        pytest.param(
            "2026-10-25T01:59:59",
            BERLIN,
            "2026-10-24T23:59:59",
            id="before the hour that comes twice",
        ),
        pytest.param(
            "2026-10-25T03:00:00",
            BERLIN,
            "2026-10-25T02:00:00",
            id="after the hour that came twice",
        ),
        pytest.param("0001-01-01T00:00:00", UTC, "0001-01-01T00:00:00", id="year 1"),
        pytest.param("9999-12-31T23:59:59", UTC, "9999-12-31T23:59:59", id="year 9999"),
    ],
)
def test_a_moment_without_zone_is_read_in_the_given_one(text, zone, at):
    assert parse_moment(text, zone) == Moment(utc(at), zone_assumed=True)


@pytest.mark.parametrize(
    ("text", "zone", "refusal", "code"),
    [
        pytest.param(
            "2026-03-29T02:30:00",
            BERLIN,
            NonexistentLocalTime,
            "nonexistent_local_time",
            id="clocks put forward",
        ),
        pytest.param(
            "2026-03-29T02:00:00",
            BERLIN,
            NonexistentLocalTime,
            "nonexistent_local_time",
            id="the first skipped instant",
        ),
        pytest.param(
            "2011-12-30T12:00:00",
            APIA,
            NonexistentLocalTime,
            "nonexistent_local_time",
            id="a skipped day",
        ),
        pytest.param(
            "2026-10-25T02:30:00",
            BERLIN,
            AmbiguousLocalTime,
            "ambiguous_local_time",
            id="clocks put back",
        ),
        pytest.param(
            "2018-02-17T23:30:00",
            SAO_PAULO,
            AmbiguousLocalTime,
            "ambiguous_local_time",
            id="clocks put back at midnight",
        ),
        pytest.param(
            "2026-01-14T19:00:00",
            None,
            MissingZone,
            "missing_zone",
            id="no zone at all",
        ),
    ],
)
def test_a_local_time_that_means_no_single_instant_is_refused(
    text, zone, refusal, code
):
    with pytest.raises(refusal) as refused:
        parse_moment(text, zone)

    assert refused.value.code == code
    assert isinstance(refused.value, InvalidMoment)
    assert text.replace("T", " ") in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("now", id="a word"),
        pytest.param("2026-01-14", id="a date"),
        pytest.param("2026-01-14T19:00.5Z", id="fraction of a minute"),
        pytest.param("2026-01-14T24:00Z", id="24:00 without seconds"),
        pytest.param("2026-01-14T1900Z", id="basic time without seconds"),
        pytest.param("2026-01-14T19Z", id="hour only"),
        pytest.param("2026-W03-3T19:00:00Z", id="week date"),
        pytest.param("2020-W18-2", id="week date alone"),
        pytest.param("2026-014T19:00:00Z", id="ordinal date"),
        pytest.param("20200428T164737Z", id="basic format"),
        pytest.param("2026-01-14T190000Z", id="basic time"),
        pytest.param("2026-01-14_19:00:00Z", id="another separator"),
        pytest.param("2026-01-14T19:00:00+05", id="offset of hours"),
        pytest.param("2026-01-14T19:00:00+24:00", id="offset of a day"),
        pytest.param("2026-01-14T19:00:00+05:60", id="offset of sixty minutes"),
        pytest.param("2026-01-14T19:00:00+05:30:00", id="offset with seconds"),
        pytest.param("2026-01-14T19:00:00 Z", id="blank before the zone"),
        pytest.param("2026-01-14T19:00:00UTC", id="name of a zone"),
        pytest.param("2026-01-14T19:00:00Z[UTC]", id="name of a zone in brackets"),
        pytest.param("2026-01-14T19:00:00,5Z", id="comma"),
        pytest.param("2026-01-14T19:00:00.Z", id="point without fraction"),
        pytest.param("2026-01-14T24:00:00Z", id="24:00"),
        pytest.param("2026-01-14T24:00:00", id="24:00 without zone"),
        pytest.param("2026-01-14T25:00:00Z", id="hour 25"),
        pytest.param("2026-01-14T19:60:00Z", id="minute 60"),
        pytest.param("2026-01-14T19:00:61Z", id="second 61"),
        pytest.param("2026-02-29T00:00:00Z", id="no such day"),
        pytest.param("2026-13-01T00:00:00Z", id="no such month"),
        pytest.param("0000-01-01T00:00:00Z", id="year 0"),
        pytest.param("12026-01-14T19:00:00Z", id="five-digit year"),
        pytest.param("-2026-01-14T19:00:00Z", id="year before year 1"),
        pytest.param(" 2026-01-14T19:00:00Z", id="blank before"),
        pytest.param("2026-01-14T19:00:00Z\n", id="line end"),
        pytest.param("٢٠٢٦-01-14T19:00:00Z", id="Arabic-Indic digits"),
        pytest.param("1768417200", id="digits"),
        pytest.param("0001-01-01T00:00:00+05:30", id="before the calendar"),
        pytest.param("9999-12-31T23:59:59-05:00", id="after the calendar"),
        pytest.param("0001-01-01T00:00:00", id="before the calendar, locally"),
        pytest.param(1768417200, id="a number"),
        pytest.param(1768417200.5, id="a fraction"),
        pytest.param(True, id="a boolean"),
        pytest.param(None, id="nothing"),
        pytest.param(datetime(2026, 1, 14, tzinfo=UTC), id="not text"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidMoment) as refused:
        parse_moment(text, KOLKATA)

    assert refused.value.code == "invalid_moment"
    assert str(refused.value).endswith(".")


def test_a_refusal_quotes_only_the_beginning_of_a_long_text():
    with pytest.raises(InvalidMoment) as refused:
        parse_moment("x" * 100_000, UTC)

    assert len(str(refused.value)) < 200


def test_24_00_is_refused_with_what_to_write_instead():
    with pytest.raises(InvalidMoment, match="00:00:00 of the following day"):
        parse_moment("2026-01-14T24:00:00Z", UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "2026-01-14",
            Moment(utc("2026-01-13T23:00:00"), zone_assumed=True),
            id="a date is local midnight",
        ),
        pytest.param(
            "2026-01-14T19:00:00Z",
            Moment(utc("2026-01-14T19:00:00"), zone_assumed=False),
            id="a moment with a zone",
        ),
        pytest.param(
            "2026-01-14T19:00:00",
            Moment(utc("2026-01-14T18:00:00"), zone_assumed=True),
            id="a moment without zone",
        ),
    ],
)
def test_a_date_is_read_only_where_asked_for(text, expected):
    assert parse_day(text, BERLIN) == expected


@pytest.mark.parametrize(
    ("text", "zone", "refusal"),
    [
        pytest.param("2026-02-30", BERLIN, InvalidMoment, id="no such day"),
        pytest.param("20260114", BERLIN, InvalidMoment, id="basic format"),
        pytest.param(20260114, BERLIN, InvalidMoment, id="a number"),
        pytest.param("2026-01-14", None, MissingZone, id="no zone"),
        pytest.param(
            "2018-11-04", SAO_PAULO, NonexistentLocalTime, id="midnight was skipped"
        ),
    ],
)
def test_a_date_without_one_midnight_is_refused(text, zone, refusal):
    with pytest.raises(refusal):
        parse_day(text, zone)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(
            datetime(2026, 1, 14, 19),
            Moment(utc("2026-01-14T18:00:00"), zone_assumed=True),
            id="naive: in the zone",
        ),
        pytest.param(
            datetime(2026, 1, 14, 19, tzinfo=timezone(timedelta(hours=5))),
            Moment(utc("2026-01-14T14:00:00"), zone_assumed=False),
            id="aware: as it is",
        ),
    ],
)
def test_a_cell_that_holds_a_moment_is_taken_over(cell, expected):
    assert parse_local_datetime(cell, BERLIN) == expected


@pytest.mark.parametrize(
    ("cell", "refusal"),
    [
        pytest.param(datetime(2026, 3, 29, 2, 30), NonexistentLocalTime, id="skipped"),
        pytest.param(datetime(2026, 10, 25, 2, 30), AmbiguousLocalTime, id="twice"),
        pytest.param(
            datetime(2026, 10, 25, 2, 30, fold=1), AmbiguousLocalTime, id="fold ignored"
        ),
        pytest.param(
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
            InvalidMoment,
            id="before the calendar",
        ),
    ],
)
def test_a_cell_without_a_single_instant_is_refused(cell, refusal):
    with pytest.raises(refusal):
        parse_local_datetime(cell, BERLIN)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        pytest.param(1, "1970-01-01T00:00:01", id="the first second"),
        pytest.param(1_768_417_200, "2026-01-14T19:00:00", id="a number"),
        pytest.param("1768417200", "2026-01-14T19:00:00", id="digits"),
        pytest.param(
            NumberText("1768417200.0"), "2026-01-14T19:00:00", id="fraction of zero"
        ),
        pytest.param(
            NumberText("1768417200.25"), "2026-01-14T19:00:00.25", id="a fraction"
        ),
        pytest.param("1768417200.5", "2026-01-14T19:00:00.5", id="fraction as text"),
        pytest.param(
            NumberText("1768417200.1234569"),
            "2026-01-14T19:00:00.123456",
            id="a fraction is cut to microseconds",
        ),
        pytest.param(NumberText("1.7684172e9"), "2026-01-14T19:00:00", id="exponent"),
        pytest.param(" +5 ", "1970-01-01T00:00:05", id="blanks and a plus"),
        pytest.param(10**11, "5138-11-16T09:46:40", id="the last one"),
    ],
)
def test_seconds_since_1970_are_read(value, at):
    assert from_epoch_seconds(value) == Moment(utc(at), zone_assumed=False)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(10**11 + 1, "milliseconds", id="too large"),
        pytest.param(1_768_417_200_000, "milliseconds", id="milliseconds"),
        pytest.param("1768417200000", "milliseconds", id="milliseconds as digits"),
        pytest.param(0, "above zero", id="zero"),
        pytest.param("0", "above zero", id="zero as a digit"),
        pytest.param(-1, "above zero", id="before 1970"),
        pytest.param("-1", "above zero", id="sign"),
        pytest.param("1e9", "in seconds", id="exponent in text"),
        pytest.param("1 5", "in seconds", id="blank inside"),
        pytest.param(10**11 + 1, "milliseconds", id="one more than the last"),
        pytest.param(NumberText("1e14"), "milliseconds", id="huge"),
        pytest.param(10**5000, "milliseconds", id="too long to be written"),
        pytest.param(NumberText("1e99"), "in seconds", id="larger than any number"),
        pytest.param("", "in seconds", id="empty"),
        pytest.param("٣", "in seconds", id="Arabic-Indic digit"),
        pytest.param("9" * 5000, "in seconds", id="too long to be a number"),
        pytest.param(1.0, "in seconds", id="float"),
        pytest.param(True, "in seconds", id="boolean"),
        pytest.param(None, "in seconds", id="nothing"),
    ],
)
def test_other_time_stamps_are_refused(value, message):
    with pytest.raises(InvalidMoment, match=message) as refused:
        from_epoch_seconds(value)

    assert refused.value.code == "invalid_moment"


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-1439, 1439))
def test_reading_what_was_written_gives_the_same(moment, offset_minutes):
    texts = [moment.isoformat(), moment.isoformat(" ").replace("+00:00", "z")]
    try:
        local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
        texts.append(local.isoformat().lower())
    except OverflowError:
        pass

    read = {parse_moment(text, None) for text in texts}

    assert read == {Moment(moment, zone_assumed=False)}


@given(
    st.one_of(st.datetimes(datetime(1840, 1, 1), datetime(2040, 1, 1)), st.datetimes()),
    zones,
)
@example(datetime(2011, 12, 30, 12), APIA)
@example(datetime(2011, 12, 29, 23, 59), APIA)
@example(datetime(1867, 10, 19, 1), ZoneInfo("America/Juneau"))
@example(datetime(2018, 2, 17, 23, 30), SAO_PAULO)
def test_a_local_time_is_read_if_exactly_one_instant_shows_it(local, zone):
    # Every offset that the zone has near that time is tried.
    showing = set()
    for hours in range(-26, 27):
        try:
            offset = (local + timedelta(hours=hours)).replace(tzinfo=zone).utcoffset()
            instant = (local - offset).replace(tzinfo=UTC)
            if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local:
                showing.add(instant)
        except OverflowError:
            continue

    try:
        at = parse_moment(local.isoformat(), zone).at
    except NonexistentLocalTime:
        assert not showing
    except AmbiguousLocalTime:
        assert len(showing) == 2
    except InvalidMoment:
        assert local.year in {1, 9999}
    else:
        assert showing == {at}


@pytest.mark.parametrize(
    "key",
    [
        # Those with the shortest spells between two changes, and some others.
        "Africa/Casablanca",
        "Africa/Tunis",
        "America/Boa_Vista",
        "America/Sao_Paulo",
        "Asia/Gaza",
        "Australia/Lord_Howe",
        "Europe/Simferopol",
        "Pacific/Apia",
    ],
)
def test_changes_of_clocks_are_six_days_apart(key):
    zone = ZoneInfo(key)
    day = datetime(1890, 1, 1, tzinfo=UTC)
    last_change, offset = None, day.astimezone(zone).utcoffset()

    while day.year < 2075:
        day += timedelta(days=1)
        now = day.astimezone(zone).utcoffset()
        if now != offset:
            assert last_change is None or day - last_change >= timedelta(days=6)
            last_change, offset = day, now


@given(st.text())
def test_any_text_is_read_or_refused(text):
    with pytest.raises(InvalidMoment):
        parse_moment(text, UTC)
