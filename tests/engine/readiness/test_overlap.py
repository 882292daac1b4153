"""Campaigns that one activity could meet together."""

import pytest

from loyalty.engine.facts import Schedule
from tests.engine.offers import offer
from tests.engine.readiness.campaigns import (
    KNOW,
    LOOK,
    SOUND,
    STOP,
    dated,
    easter,
    report,
    sound,
    spring,
)

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
