"""What a campaign gives: a case for each finding."""

from datetime import time

import pytest

from loyalty.engine.facts import Budget, RewardKind, Schedule
from tests.engine.offers import method
from tests.engine.readiness.campaigns import (
    KNOW,
    LOOK,
    STOP,
    local,
    report,
    rewarding,
    sound,
    voucher,
)

CASES = [
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
        LOOK,
        "price_nobody_can_pay",
        "It costs cashback, and nobody has enough of them now.",
        id="price",
    ),
]


@pytest.mark.parametrize(("campaign", "known", "severity", "code", "told"), CASES)
def test_a_finding_says(campaign, known, severity, code, told):
    found = [one for one in report(campaign, **known).findings if one.code == code]

    assert [(one.severity, one.text) for one in found] == [(severity, told)]
    assert found[0].field
