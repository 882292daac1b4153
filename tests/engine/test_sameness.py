"""When two reports under one key are the same activity."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from loyalty.engine.sameness import Meaning, actor_of, differences, lines_of

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TILL = ("api", False)
FILE = ("api", True)
LINES = lines_of([("pen", 50_000, "2", "office"), ("ink", 10_000, "", "")])
RECEIPT = Meaning(
    way=TILL,
    actor=actor_of(7, None),
    profile=None,
    type=1,
    channel=2,
    business_unit=3,
    occurred_at=NOON,
    units=60_000,
    lines=LINES,
    data={"till": "7"},
    points=None,
    currency="EUR",
)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"occurred_at": NOON.astimezone(timezone(timedelta(hours=5)))}, id="zone"
        ),
        pytest.param({"units": None}, id="the value is the sum of the lines"),
        pytest.param(
            {
                "lines": lines_of(
                    [("ink", 10_000, "1", ""), ("pen", 50_000, "2.0", "office")]
                )
            },
            id="order of lines and spelling of quantities",
        ),
    ],
)
def test_spelling_makes_no_difference(changed):
    assert differences(RECEIPT, RECEIPT._replace(**changed)) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"actor": 8}, "member"),
        ({"type": 9}, "type"),
        ({"channel": None}, "channel"),
        ({"business_unit": None}, "business_unit"),
        ({"occurred_at": NOON + timedelta(microseconds=1)}, "occurred_at"),
        ({"units": 60_001}, "value"),
        ({"lines": ()}, "items"),
        ({"lines": (LINES[0], (*LINES[1][:3], "toys"))}, "items"),
        ({"data": {}}, "data"),
        ({"points": 5}, "points"),
        ({"currency": ""}, "currency"),
    ],
)
def test_by_the_same_way_every_difference_counts(changed, named):
    other = RECEIPT._replace(**changed)

    assert differences(RECEIPT, other) == [named]
    assert differences(other, RECEIPT) == [named]


@pytest.mark.parametrize(
    "changed",
    [
        {"channel": None},
        {"business_unit": None},
        {"units": None, "lines": ()},
        {"occurred_at": NOON + timedelta(microseconds=999_999)},
        {"lines": ()},
        {"lines": tuple((*line[:3], "") for line in LINES)},
        {"data": {}},
        {"data": {"register": "B"}},
        {"currency": ""},
    ],
)
def test_what_another_way_in_leaves_out_is_no_difference(changed):
    other = RECEIPT._replace(way=FILE, **changed)

    assert differences(RECEIPT, other) == []
    assert differences(other, RECEIPT) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"actor": 8}, "member"),
        ({"type": 9}, "type"),
        ({"channel": 4}, "channel"),
        ({"business_unit": 4}, "business_unit"),
        ({"occurred_at": NOON + timedelta(seconds=1)}, "occurred_at"),
        ({"units": 0}, "value"),
        ({"lines": LINES[:1]}, "items"),
        ({"currency": "USD"}, "currency"),
    ],
)
def test_what_another_way_in_contradicts_is_a_difference(changed, named):
    assert differences(RECEIPT, RECEIPT._replace(way=FILE, **changed)) == [named]


def test_further_columns_of_a_file_are_not_compared():
    one = RECEIPT._replace(way=FILE)

    assert differences(one, one._replace(data={"register": "B"})) == []
    assert differences(one, one._replace(units=1)) == ["value"]


def test_two_fractions_of_a_second_are_two_moments():
    one = RECEIPT._replace(occurred_at=NOON + timedelta(milliseconds=1))
    other = RECEIPT._replace(way=FILE, occurred_at=NOON + timedelta(milliseconds=2))

    assert differences(one, other) == ["occurred_at"]


def test_a_profile_is_still_the_same_actor_once_it_is_a_members():
    unknown = RECEIPT._replace(actor=actor_of(None, 5), profile=5)
    known = RECEIPT._replace(actor=actor_of(7, 5), profile=5)
    somebody_else = RECEIPT._replace(actor=actor_of(8, 5), profile=5)

    assert differences(unknown, known) == []
    assert differences(known, somebody_else) == ["member"]
    assert differences(unknown, RECEIPT) == ["member"]
