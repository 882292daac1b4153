"""Dates that fall oddly on the program's clock: a case for each finding."""

from datetime import time, timedelta

import pytest

from loyalty.engine.facts import Schedule
from tests.engine.readiness.campaigns import (
    KNOW,
    LOOK,
    NOW,
    dated,
    local,
    report,
    sound,
)

CASES = [
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
        "Its last minute is 19:59 on 17 May 2026: the rest of that day does not count.",
        id="end",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 17, 23, 59, 59)),
        {},
        LOOK,
        "ends_before_midnight",
        "It ends within the last minutes of 17 May 2026, so what happens in them may "
        "not count. Set the last day without a time.",
        id="a second before midnight",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 17, 23, 59)),
        {},
        LOOK,
        "ends_before_midnight",
        "It ends within the last minutes of 17 May 2026, so what happens in them may "
        "not count. Set the last day without a time.",
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
        "Its last day is Saturday, 9 May 2026: the Sunday does not count. If it "
        "should, set the last day to 10 May 2026.",
        id="weekend",
    ),
    pytest.param(
        sound(ends_at=local(2026, 5, 31)),
        {},
        LOOK,
        "month_without_last_day",
        "Its last day is 30 May 2026: the last day of the month does not count. If it "
        "should, set the last day to 31 May 2026.",
        id="month",
    ),
    pytest.param(
        sound(ends_at=local(2026, 10, 26)),
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
]


@pytest.mark.parametrize(("campaign", "known", "severity", "code", "told"), CASES)
def test_a_finding_says(campaign, known, severity, code, told):
    found = [one for one in report(campaign, **known).findings if one.code == code]

    assert [(one.severity, one.text) for one in found] == [(severity, told)]
    assert found[0].field


def test_a_campaign_that_is_enabled_already_may_have_started():
    campaign = sound(starts_at=NOW - timedelta(days=3))

    codes = {one.code for one in report(campaign, is_enabled=True).findings}

    assert "starts_in_the_past" not in codes
