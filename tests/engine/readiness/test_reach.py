"""Rules that nothing and nobody can reach: a case for each finding."""

from datetime import time

import pytest

from loyalty.engine.facts import ItemGroup, RewardKind, Schedule
from loyalty.engine.readiness.hours import ever_open_together, open_seconds
from tests.engine.offers import base
from tests.engine.readiness.campaigns import (
    LOOK,
    STOP,
    dated,
    local,
    report,
    sound,
)

CASES = [
    pytest.param(
        sound(**dated((2026, 4, 1), (2026, 4, 20))),
        {},
        STOP,
        "over",
        "Its last day was 19 Apr 2026: nobody earns from it.",
        id="over",
    ),
    pytest.param(
        sound(**dated((2026, 6, 1), (2026, 5, 18))),
        {},
        STOP,
        "group_dates_never_meet",
        "Its dates and those of its group never overlap: it pays nobody.",
        id="group",
    ),
    pytest.param(
        sound(
            **dated((2026, 5, 4), (2026, 5, 7)), schedule=Schedule(frozenset({6, 7}))
        ),
        {},
        STOP,
        "never_open",
        "Its weekdays and hours do not come between 4 May 2026 and 6 May 2026: it "
        "never opens.",
        id="weekdays",
    ),
    pytest.param(
        sound(minimum_units=200_000, maximum_units=100_000),
        {},
        STOP,
        "no_value_fits",
        "No value is at least 20.00 and at most 10.00.",
        id="values",
    ),
    pytest.param(
        sound(activity_type_ids=frozenset({99})),
        {},
        STOP,
        "no_type",
        "The program has no activity type that sets it off.",
        id="no type",
    ),
    pytest.param(
        sound(),
        {"types": [base(id=1, is_enabled=False)]},
        STOP,
        "type_closed",
        "“Purchase” is disabled or not live while it runs: such activities earn "
        "nothing.",
        id="type disabled",
    ),
    pytest.param(
        sound(activity_type_ids=frozenset({1, 2})),
        {"types": [base(id=1, ends_at=local(2026, 5, 4)), base(id=2)]},
        LOOK,
        "type_closed",
        "“Purchase” is disabled or not live while it runs: such activities earn "
        "nothing.",
        id="one type over",
    ),
    pytest.param(
        sound(
            reward=RewardKind.MULTIPLIER,
            multiplier=10_000,
            activity_type_ids=frozenset({2}),
        ),
        {},
        STOP,
        "no_base_to_multiply",
        "“Visit” pays no base points, and a multiple of nothing is nothing.",
        id="nothing to multiply",
    ),
    pytest.param(
        sound(business_unit_id=4),
        {},
        STOP,
        "unit_disabled",
        "South is disabled: no activities come from there.",
        id="unit",
    ),
    pytest.param(
        sound(business_unit_ids=frozenset({3, 4})),
        {},
        LOOK,
        "unit_disabled",
        "South is disabled: no activities come from there.",
        id="one of two units",
    ),
    pytest.param(
        sound(channel_ids=frozenset({2})),
        {},
        STOP,
        "channel_disabled",
        "FAX is disabled: no activities come through.",
        id="channel",
    ),
    pytest.param(
        sound(item_list_id=3),
        {"list_sizes": {}},
        STOP,
        "list_empty",
        "The product list “Tea” is empty, so no basket matches it.",
        id="list",
    ),
    pytest.param(
        sound(qualify=(ItemGroup(3, 1),)),
        {"list_sizes": {3: 0}},
        STOP,
        "group_empty",
        "It asks for products of “Tea”, an empty list.",
        id="group of products",
    ),
    pytest.param(
        sound(qualify=(ItemGroup(3, 20),)),
        {},
        LOOK,
        "group_asks_for_more_than_listed",
        "It asks for 20 products of “Tea”, which lists 12: only baskets with several "
        "of one product qualify.",
        id="more than listed",
    ),
    pytest.param(
        sound(minimum_tier_threshold=900),
        {"tier_holders": 0, "audience": 0},
        STOP,
        "tier_above_all",
        "No member holds tier Gold or a higher one yet.",
        id="tier",
    ),
    pytest.param(
        sound(excluded_segments=frozenset({4})),
        {"audience": 0},
        STOP,
        "audience_empty",
        "None of the 500 members is let in now.",
        id="audience",
    ),
    pytest.param(
        sound(segments=frozenset({4})),
        {"segment_sizes": {}, "audience": 0},
        STOP,
        "segment_empty",
        "Nobody is in “Friends” now.",
        id="segment",
    ),
    pytest.param(
        sound(segments=frozenset({4, 5})),
        {"segment_sizes": {5: 1}},
        LOOK,
        "segment_empty",
        "Nobody is in “Friends” now.",
        id="one of two segments",
    ),
    pytest.param(
        sound(segments=frozenset({5}), excluded_segments=frozenset({4})),
        {"within": frozenset({(5, 4)})},
        STOP,
        "segment_left_out",
        "Everybody in “Staff” is also in “Friends”, which is left out.",
        id="segment inside an excluded one",
    ),
]


@pytest.mark.parametrize(("campaign", "known", "severity", "code", "told"), CASES)
def test_a_finding_says(campaign, known, severity, code, told):
    found = [one for one in report(campaign, **known).findings if one.code == code]

    assert [(one.severity, one.text) for one in found] == [(severity, told)]
    assert found[0].field


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        (None, None, True),
        (Schedule(frozenset({1})), None, True),
        (Schedule(frozenset({1})), Schedule(frozenset({2})), False),
        (
            Schedule(frozenset({1}), time(22), time(2)),
            Schedule(frozenset({2}), time(1), time(3)),
            True,
        ),
        (
            Schedule(frozenset({7}), time(22), time(2)),
            Schedule(frozenset({1}), time(0), time(1)),
            True,
        ),
        (
            Schedule(frozenset({1}), time(9), time(12)),
            Schedule(frozenset({1}), time(12), time(15)),
            False,
        ),
    ],
)
def test_schedules_meet_by_weekday_and_hour(one, other, meets):
    assert ever_open_together(one, other) is meets
    assert ever_open_together(other, one) is meets


def test_a_night_from_sunday_runs_into_monday():
    night = Schedule(frozenset({7}), time(22), time(2))

    assert open_seconds(night) == {(597_600, 604_800), (0, 7_200)}


@pytest.mark.parametrize(
    ("start", "end", "schedule", "opens"),
    [
        ((2026, 5, 4), (2026, 5, 5), Schedule(frozenset({1})), True),
        ((2026, 5, 5), (2026, 5, 11), Schedule(frozenset({1})), False),
        ((2026, 5, 5), (2026, 5, 11, 0, 1), Schedule(frozenset({1})), True),
        (
            (2026, 5, 5),
            (2026, 5, 5, 1),
            Schedule(frozenset({1}), time(22), time(2)),
            True,
        ),
        (
            (2026, 5, 5, 2),
            (2026, 5, 5, 22),
            Schedule(opens_at=time(22), closes_at=time(2)),
            False,
        ),
    ],
)
def test_whether_it_opens_between_its_dates(start, end, schedule, opens):
    campaign = sound(**dated(start, end), schedule=schedule)

    codes = {one.code for one in report(campaign).findings}

    assert ("never_open" not in codes) is opens
