"""What a report says as a whole, and what a campaign may cost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from loyalty.engine.facts import EVER, NEVER, Distribution, RewardKind
from loyalty.engine.periods import Unit
from loyalty.engine.readiness import Severity
from tests.engine.offers import base, method, offer
from tests.engine.readiness.campaigns import (
    CENTS,
    SOUND,
    STOP,
    report,
    rewarding,
    sound,
    voucher,
)


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
            "worst_case_activity": "At most triple points (base twice more) for "
            "one activity.",
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


def test_dates_that_are_left_open_are_not_odd():
    assert report(sound(starts_at=EVER, ends_at=NEVER)).findings == ()


@pytest.mark.parametrize(
    ("fields", "is_limited"),
    [
        pytest.param({"cap": 1, "period": Unit.CALENDAR_DAY}, True, id="both dates"),
        pytest.param(
            {"cap": 1, "period": Unit.CALENDAR_DAY, "ends_at": NEVER},
            False,
            id="a cap a day for ever",
        ),
        pytest.param({"cap": 1, "ends_at": NEVER}, True, id="once and for all"),
    ],
)
def test_a_cap_limits_the_cost_if_its_windows_end(fields, is_limited):
    found = report(sound(points_budget=None, **fields)).findings

    assert ("no_total_limit" not in {one.code for one in found}) is is_limited


@pytest.mark.parametrize(("audience", "stops"), [(0, True), (9, False)])
def test_a_report_stops_if_one_of_its_findings_does(audience, stops):
    assert report(sound(), audience=audience).stops is stops
