"""Limits that cannot bind, and costs without one: a case for each finding."""

import pytest

from loyalty.engine.periods import Unit
from tests.engine.offers import method
from tests.engine.readiness.campaigns import (
    CENTS,
    KNOW,
    LOOK,
    report,
    rewarding,
    sound,
)

CASES = [
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
