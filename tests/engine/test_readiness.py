"""What a report says before a campaign is enabled: a case for each finding."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from loyalty.engine.facts import (
    Budget,
    Clock,
    Distribution,
    ItemGroup,
    RewardKind,
    Rules,
    Schedule,
    Wallet,
)
from loyalty.engine.periods import Unit
from loyalty.engine.programme import NamedChannel, NamedUnit, Programme, TypeRule
from loyalty.engine.readiness import Known, Severity, report_on
from loyalty.engine.readiness.hours import ever_open_together, open_seconds
from tests.engine.offers import base, composed, method, offer

STOP, LOOK, KNOW = Severity.STOP, Severity.LOOK, Severity.KNOW
BERLIN = ZoneInfo("Europe/Berlin")
CENTS = Wallet(id=2, code="cash", decimals=2)


def local(*parts) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)


# Monday, 4 May 2026, to the end of Sunday, 17 May; looked at on 1 May.
NOW = local(2026, 5, 1, 9)
SOUND = {
    "id": 9,
    "starts_at": local(2026, 5, 4),
    "ends_at": local(2026, 5, 18),
    "activity_type_ids": frozenset({1}),
    "points_budget": 1_000,
}
KNOWN = {
    "now": NOW,
    "member_count": 500,
    "audience": 500,
    "offers": {
        1: "Purchase",
        2: "Visit",
        7: "Ten points",
        8: "Mug",
        9: "May",
        20: "Spring",
        21: "Easter",
    },
    "segments": {4: "Friends", 5: "Staff"},
    "segment_sizes": {4: 100, 5: 20},
    "lists": {3: "Tea"},
    "list_sizes": {3: 12},
    "tiers": {900: "Gold"},
    "wallets": {1: "points", 2: "cashback"},
    "vouchers": {6: "Free mug"},
}
TYPES = [base(id=1), base(id=2, reward=RewardKind.NOTHING, points=0)]
UNITS = [
    NamedUnit(3, "north", "North", is_enabled=True),
    NamedUnit(4, "south", "South", is_enabled=False),
]
CHANNELS = [
    NamedChannel(1, "APP", is_enabled=True),
    NamedChannel(2, "FAX", is_enabled=False),
]


def report(campaign, *others, types=TYPES, **known):
    programme = Programme(
        1,
        1,
        Rules(Clock(BERLIN)),
        {
            f"{one.id}": TypeRule(one, f"{one.id}", allows_negative_value=False)
            for one in types
        },
        (campaign, *others),
        units={one.code: one for one in UNITS},
        channels={one.code: one for one in CHANNELS},
    )
    return report_on(campaign, programme, Known(**{**KNOWN, **known}))


def sound(**fields):
    return offer(**{**SOUND, **fields})


def rewarding(*methods, **fields):
    return composed(*methods, **{**SOUND, **fields})


def voucher(**fields):
    return method(
        reward=RewardKind.VOUCHER,
        voucher_type_id=6,
        takes_codes=True,
        points=0,
        **fields,
    )


def dated(start, end):
    return {"starts_at": local(*start), "ends_at": local(*end)}


def test_a_sound_campaign_has_no_findings():
    assert report(sound()).findings == ()


def test_a_sound_draw_has_no_findings():
    draw = rewarding(
        method(id=7, awards_budget=600),
        method(id=8, reward=RewardKind.NOTHING, points=0),
        draws=True,
        context="interaction",
        cost=100,
        cost_wallet_id=1,
        activity_type_ids=frozenset(),
    )

    assert report(draw, can_pay={(1, 100): 3}).findings == ()


CASES = [
    # Unreachable rules.
    pytest.param(
        sound(**dated((2026, 4, 1), (2026, 4, 20))),
        {},
        STOP,
        "over",
        "It ended on 20 Apr 2026: nobody earns from it.",
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
        "Its weekdays and hours do not come between 4 May 2026 and 7 May 2026: it "
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
    # What it gives.
    pytest.param(
        rewarding(),
        {},
        STOP,
        "no_methods",
        "It gives what its reward methods give, and has none that is enabled.",
        id="no methods",
    ),
    pytest.param(
        sound(points=0),
        {},
        STOP,
        "no_points",
        "It pays no points: say how many.",
        id="no points",
    ),
    pytest.param(
        sound(reward=RewardKind.NOTHING),
        {},
        STOP,
        "gives_nothing",
        "It gives nothing: choose what it pays.",
        id="nothing",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, is_enabled=False)),
        {},
        KNOW,
        "methods_disabled",
        "1 reward method of it is disabled.",
        id="method disabled",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, ends_at=local(2026, 5, 4))),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: its dates lie outside those of the "
        "campaign.",
        id="method's dates",
    ),
    pytest.param(
        rewarding(
            method(id=7),
            method(id=8, schedule=Schedule(opens_at=time(9), closes_at=time(11))),
            schedule=Schedule(opens_at=time(11), closes_at=time(18)),
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: its weekdays and hours are never those "
        "of the campaign.",
        id="method's hours",
    ),
    pytest.param(
        rewarding(
            method(id=7), method(id=8, minimum_units=500_000), maximum_units=100_000
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: no value is at least 50.00 and at most "
        "10.00.",
        id="method's value",
    ),
    pytest.param(
        rewarding(
            method(id=7),
            method(id=8, currencies=frozenset({"USD"})),
            currencies=frozenset({"EUR"}),
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: its currencies are others than those of "
        "the campaign.",
        id="method's currency",
    ),
    pytest.param(
        rewarding(
            method(id=7),
            method(id=8, business_unit_ids=frozenset({4})),
            business_unit_ids=frozenset({3}),
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: its business units are others than those "
        "of the campaign.",
        id="method's units",
    ),
    pytest.param(
        rewarding(
            method(id=7),
            method(id=8, segments=frozenset({4})),
            excluded_segments=frozenset({4}),
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: the campaign leaves its segments out.",
        id="method's segments",
    ),
    pytest.param(
        rewarding(
            method(id=7),
            method(id=8, excluded_segments=frozenset({4})),
            segments=frozenset({4}),
        ),
        {},
        LOOK,
        "method_contradicts_campaign",
        "The reward “Mug” can never be given: it leaves out the segments that the "
        "campaign is for.",
        id="segments that a method leaves out",
    ),
    pytest.param(
        rewarding(method(id=8, ends_at=local(2026, 5, 4))),
        {},
        STOP,
        "no_method_applies",
        "None of its reward methods can ever be given.",
        id="no method left",
    ),
    pytest.param(
        rewarding(method(id=7, weight=0), draws=True),
        {},
        STOP,
        "draw_without_chance",
        "Nothing can be drawn: every weight is 0.",
        id="weights",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, weight=0), draws=True),
        {},
        LOOK,
        "weight_zero",
        "The reward “Mug” never wins the draw: its weight is 0.",
        id="weight",
    ),
    pytest.param(
        rewarding(method(id=7), draws=True),
        {},
        LOOK,
        "draw_of_one",
        "The draw has one reward only, so everybody wins it.",
        id="a draw of one",
    ),
    pytest.param(
        rewarding(voucher(id=8)),
        {},
        STOP,
        "no_codes",
        "The reward “Mug” gives “Free mug”, and no code of it is left.",
        id="no codes",
    ),
    pytest.param(
        rewarding(voucher(id=8, awards_budget=50)),
        {"codes_left": {6: 30}},
        LOOK,
        "too_few_codes",
        "The reward “Mug” may give “Free mug” 50 times, and 30 codes of it are left.",
        id="too few codes for the stock",
    ),
    pytest.param(
        rewarding(voucher(id=8)),
        {"codes_left": {6: 1}},
        LOOK,
        "too_few_codes",
        "1 code of “Free mug” is left for an audience of 500 members.",
        id="too few codes for the audience",
    ),
    pytest.param(
        sound(points_budget=1_000),
        {"budgets": {9: Budget(points_left=0)}},
        STOP,
        "budget_spent",
        "Its budget of 1,000 points was given out already.",
        id="budget",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, awards_budget=5)),
        {"budgets": {8: Budget(awards_left=0)}},
        LOOK,
        "budget_spent",
        "The reward “Mug” was given 5 times already, as often as it may.",
        id="stock",
    ),
    pytest.param(
        sound(
            context="interaction",
            activity_type_ids=frozenset(),
            cost=100,
            cost_wallet_id=2,
        ),
        {},
        STOP,
        "price_nobody_can_pay",
        "It costs cashback, and nobody has enough of them now.",
        id="price",
    ),
    # Dates.
    pytest.param(
        sound(starts_at=local(2026, 5, 4, 8)),
        {},
        LOOK,
        "start_not_midnight",
        "It starts at 08:00 on 4 May 2026, not at midnight.",
        id="start",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 17, 20)),
        {},
        LOOK,
        "end_not_midnight",
        "It ends at 20:00 on 17 May 2026, not at midnight.",
        id="end",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 17, 23, 59, 59)),
        {},
        LOOK,
        "ends_before_midnight",
        "It ends at 23:59:59 on 17 May 2026, so the last moments of that day are not "
        "in. End it at 00:00 of the day after.",
        id="a second before midnight",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 17, 23, 59)),
        {},
        LOOK,
        "ends_before_midnight",
        "It ends at 23:59:00 on 17 May 2026, so the last moments of that day are not "
        "in. End it at 00:00 of the day after.",
        id="a minute before midnight",
    ),
    pytest.param(
        sound(starts_at=local(2026, 4, 20)),
        {},
        LOOK,
        "starts_in_the_past",
        "Its start, 20 Apr 2026, is past: activities that happened since then and "
        "arrive later earn too.",
        id="past",
    ),
    pytest.param(
        sound(**dated((2026, 5, 8), (2026, 5, 10))),
        {},
        LOOK,
        "weekend_without_sunday",
        "It ends as Sunday, 10 May 2026, begins: that Sunday is not in. If it is meant "
        "to be, end it on Monday at 00:00.",
        id="weekend",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 31)),
        {},
        LOOK,
        "month_without_last_day",
        "It ends as 31 May 2026 begins: the last day of the month is not in. If it is "
        "meant to be, end it on the first at 00:00.",
        id="month",
    ),
    pytest.param(
        sound(ends_at=local(2026, 10, 25)),
        {},
        LOOK,
        "ends_on_clock_change",
        "It ends on 25 Oct 2026, when the clocks change: that day has 25 hours.",
        id="ends on a change",
    ),
    pytest.param(
        sound(**dated((2027, 3, 28), (2027, 5, 1))),
        {},
        LOOK,
        "starts_on_clock_change",
        "It starts on 28 Mar 2027, when the clocks change: that day has 23 hours.",
        id="starts on a change",
    ),
    pytest.param(
        sound(
            ends_at=local(2026, 11, 2),
            schedule=Schedule(opens_at=time(1), closes_at=time(5)),
        ),
        {},
        KNOW,
        "runs_across_clock_change",
        "The clocks change on 25 Oct 2026 while it runs; its hours follow the clock on "
        "the wall.",
        id="across a change",
    ),
    # Limits.
    pytest.param(
        sound(points_budget=None),
        {},
        LOOK,
        "no_total_limit",
        "Nothing limits what it costs: give it a budget of points or of awards, or an "
        "end and a cap for each member.",
        id="no limit",
    ),
    pytest.param(
        sound(cap=10, awards_budget=5, points_budget=None),
        {"audience": 3},
        LOOK,
        "cap_above_stock",
        "It lets a member have 10, but there are 5 for all: the cap never matters.",
        id="cap above stock",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, cap=20), cap=1, period=Unit.CALENDAR_DAY),
        {},
        LOOK,
        "cap_above_campaign",
        "The reward “Mug” lets a member have 20, but the campaign pays a member 14 "
        "times in all its dates: the limit of the reward never matters.",
        id="cap above what the dates allow",
    ),
    pytest.param(
        sound(cap=1, period=Unit.ROLLING_30_DAYS),
        {},
        KNOW,
        "period_above_dates",
        "The period of its cap is as long as the campaign or longer: the cap holds for "
        "all of it.",
        id="period",
    ),
    pytest.param(
        sound(points_budget=1_000, awards_budget=99),
        {"audience": 90},
        LOOK,
        "points_budget_never_reached",
        "99 awards are 990 points at most: its budget of 1,000 points is never "
        "reached.",
        id="points budget",
    ),
    pytest.param(
        sound(points_budget=1_000, awards_budget=101),
        {"audience": 90},
        LOOK,
        "awards_budget_never_reached",
        "1,000 points are spent after 100 awards: its budget of 101 awards is never "
        "reached.",
        id="awards budget",
    ),
    pytest.param(
        rewarding(method(id=7), method(id=8, wallet=CENTS)),
        {},
        LOOK,
        "budget_mixes_wallets",
        "Its budget of points counts what goes to several wallets as if a point of one "
        "were a point of the other.",
        id="wallets",
    ),
    pytest.param(
        rewarding(method(id=7, awards_budget=10), method(id=8, awards_budget=20)),
        {},
        KNOW,
        "stock_below_audience",
        "There are 30 awards for an audience of 500 members: not everybody gets one.",
        id="stock below audience",
    ),
]


@pytest.mark.parametrize(("campaign", "known", "severity", "code", "told"), CASES)
def test_a_finding_says(campaign, known, severity, code, told):
    found = [one for one in report(campaign, **known).findings if one.code == code]

    assert [(one.severity, one.text) for one in found] == [(severity, told)]
    assert found[0].field


def spring(**fields):
    return offer(**{**SOUND, "id": 20, **fields})


def easter(**fields):
    return offer(**{**SOUND, "id": 21, **fields})


STACKS = "It stacks with “Spring” and “Easter”: one activity can earn from all of them."
AFTER = (
    "Of the group “x”, “Spring” is decided first; this one pays only what it leaves."
)
BEFORE = "Of the group “x”, this one is decided before “Easter”."
NEVER_DOES = (
    "“Spring” of the same group comes first and pays whenever this one could: this one "
    "never does."
)
OVERLAPS = [
    pytest.param(
        sound(), (spring(), easter()), [(LOOK, "stacks", STACKS)], id="stacking"
    ),
    pytest.param(
        sound(exclusive_group="x"),
        (spring(exclusive_group="x", priority=1), easter(exclusive_group="x")),
        [(LOOK, "decided_after", AFTER), (KNOW, "decided_before", BEFORE)],
        id="exclusive",
    ),
    pytest.param(
        sound(exclusive_group="x", segments=frozenset({4})),
        (spring(exclusive_group="x", priority=1, points_budget=None),),
        [(STOP, "always_loses", NEVER_DOES), (LOOK, "decided_after", AFTER)],
        id="always loses",
    ),
]


@pytest.mark.parametrize(("campaign", "others", "expected"), OVERLAPS)
def test_campaigns_that_overlap(campaign, others, expected):
    assert [one[:3] for one in report(campaign, *others).findings] == expected


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"is_enabled": False}, id="disabled"),
        pytest.param(dated((2026, 5, 18), (2026, 6, 1)), id="later"),
        pytest.param(dated((2026, 1, 18), (2026, 5, 1)), id="over"),
        pytest.param({"context": "interaction"}, id="no activity sets it off"),
        pytest.param({"activity_type_ids": frozenset({2})}, id="another type"),
        pytest.param({"business_unit_id": 3}, id="another unit"),
        pytest.param({"channel_ids": frozenset({2})}, id="another channel"),
        pytest.param({"segments": frozenset({5})}, id="another segment"),
        pytest.param(
            {"excluded_segments": frozenset({4})}, id="leaves its segment out"
        ),
        pytest.param({"currencies": frozenset({"USD"})}, id="another currency"),
        pytest.param({"item_list_id": 2}, id="other products"),
        pytest.param({"minimum_units": 500_001}, id="larger baskets"),
        pytest.param({"schedule": Schedule(frozenset({1}))}, id="other weekdays"),
    ],
)
def test_campaigns_that_no_activity_meets_together_do_not_overlap(other):
    campaign = sound(
        business_unit_ids=frozenset({4}),
        channel_ids=frozenset({1}),
        segments=frozenset({4}),
        currencies=frozenset({"EUR"}),
        item_list_id=3,
        maximum_units=500_000,
        schedule=Schedule(frozenset({2, 3})),
    )

    findings = report(campaign, spring(**other)).findings

    assert "stacks" not in {one.code for one in findings}


FIGURES = [
    pytest.param(
        sound(),
        {},
        {
            "worst_case_activity": "At most 10 points for one activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="fixed",
    ),
    pytest.param(
        sound(),
        {"costs": {1: Decimal("0.01")}},
        {
            "worst_case_activity": "At most 10 points (worth 0.10) for one activity.",
            "worst_case_total": "At most 1,000 points (worth 10.00) in all.",
        },
        id="money",
    ),
    pytest.param(
        sound(cap=2, period=Unit.CALENDAR_DAY, points_budget=None),
        {},
        {
            "worst_case_activity": "At most 10 points for one activity.",
            "worst_case_day": "At most 20 points for one member a day.",
            "worst_case_total": "At most 140,000 points in all.",
        },
        id="cap a day for all the audience",
    ),
    pytest.param(
        sound(reward=RewardKind.PER_VALUE, points=2),
        {},
        {
            "worst_case_activity": "At most 2 points for every 1.00 for one activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="by value",
    ),
    pytest.param(
        sound(reward=RewardKind.PER_VALUE, points=2, maximum_units=500_000),
        {},
        {
            "worst_case_activity": "At most 100 points for one activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="by a value with an end",
    ),
    pytest.param(
        sound(reward=RewardKind.MULTIPLIER, multiplier=20_000),
        {"types": [base(id=1, reward=RewardKind.FIXED, points=30)]},
        {
            "worst_case_activity": "At most 60 points for one activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="times a fixed base",
    ),
    pytest.param(
        sound(reward=RewardKind.MULTIPLIER, multiplier=20_000),
        {},
        {
            "worst_case_activity": "At most 2.00 times the base points for one "
            "activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="times a base that grows",
    ),
    pytest.param(
        rewarding(
            method(id=7, distribution=Distribution.PER_ITEM),
            method(id=8, wallet=CENTS, points=250),
            voucher(id=6),
        ),
        {},
        {
            "worst_case_activity": "At most 2.50 cashback, 10 points for each product "
            "and the voucher “Free mug” for one activity.",
            "worst_case_total": "At most 1,000 points in all.",
        },
        id="several methods",
    ),
    pytest.param(
        rewarding(
            method(id=7, points=50, weight=1),
            method(id=8, reward=RewardKind.NOTHING, points=0, weight=3),
            voucher(id=6, weight=6),
            draws=True,
        ),
        {},
        {
            "worst_case_activity": "At most 50 points or the voucher “Free mug” for "
            "one activity.",
            "worst_case_total": "At most 1,000 points in all.",
            "expected_draw": "A draw gives 5.00 points and “Free mug” with a chance of "
            "60.0% on average, while everything is in stock.",
        },
        id="draw",
    ),
    pytest.param(
        rewarding(
            method(id=7, points=50, awards_budget=3),
            method(id=8, awards_budget=4),
            points_budget=None,
        ),
        {},
        {
            "worst_case_activity": "At most 60 points for one activity.",
            "worst_case_total": "At most 190 points in all.",
        },
        id="by the stock of each",
    ),
]


@pytest.mark.parametrize(("campaign", "known", "expected"), FIGURES)
def test_what_it_may_cost(campaign, known, expected):
    figures = report(campaign, **known).figures

    assert {one.code: one.text for one in figures} == expected


def test_what_one_activity_earns_from_all_that_stack():
    campaign = sound()
    others = (
        spring(points=5),
        offer(**{**SOUND, "id": 21, "exclusive_group": "x", "points": 7}),
        offer(**{**SOUND, "id": 22, "exclusive_group": "x", "points": 8}),
    )

    figures = {one.code: one.text for one in report(campaign, *others).figures}

    assert figures["worst_case_together"] == (
        "At most 23 points for one activity with the 2 campaigns that it stacks with."
    )


def test_the_gravest_comes_first():
    findings = report(
        rewarding(method(id=7), method(id=8, is_enabled=False), points_budget=None),
        audience=0,
    ).findings

    gravity = [one.severity for one in findings]
    assert gravity == sorted(gravity, key=list(Severity).index)
    assert gravity[0] is STOP


def test_a_campaign_that_nothing_sets_off_is_only_looked_at_for_its_dates():
    internal = offer(
        **{**SOUND, "context": "internal", "activity_type_ids": frozenset()}
    )

    found = report(replace(internal, points_budget=None, points=0))

    assert found.findings == ()
    assert found.figures == ()


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


def test_a_campaign_that_is_enabled_already_may_have_started():
    campaign = sound(starts_at=NOW - timedelta(days=3))

    codes = {one.code for one in report(campaign, is_enabled=True).findings}

    assert "starts_in_the_past" not in codes
