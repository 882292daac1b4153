from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.tiers import TierStep, tier_at, tier_for

BRONZE, SILVER, GOLD = 7, 8, 9
STEPS = [TierStep(BRONZE, 0, 100), TierStep(SILVER, 1, 500), TierStep(GOLD, 2, 900)]
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("score", "tier_id"),
    [
        pytest.param(0, None, id="below the lowest"),
        pytest.param(99, None, id="one short"),
        pytest.param(100, BRONZE, id="the threshold itself reaches"),
        pytest.param(499, BRONZE, id="one short of the second"),
        pytest.param(500, SILVER, id="second"),
        pytest.param(10**18, GOLD, id="far above the highest"),
    ],
)
def test_a_score_reaches_the_highest_threshold_below_it(score, tier_id):
    assert tier_for(score, STEPS) == tier_id


def test_a_program_without_tiers_gives_none():
    assert tier_for(1_000, ()) is None


@pytest.mark.parametrize(
    ("moment", "tier_id"),
    [
        pytest.param(NOON - HOUR, None, id="before the first change"),
        pytest.param(NOON, BRONZE, id="the instant of a change"),
        pytest.param(NOON + HOUR / 2, BRONZE, id="between changes"),
        pytest.param(NOON + HOUR, GOLD, id="of two at one instant the later entry"),
        pytest.param(NOON + 3 * HOUR, None, id="a tier was lost"),
    ],
)
def test_the_tier_held_is_that_of_the_latest_change(moment, tier_id):
    timeline = [
        (NOON, BRONZE),
        (NOON + HOUR, SILVER),
        (NOON + HOUR, GOLD),
        (NOON + 2 * HOUR, None),
    ]

    assert tier_at(timeline, moment) == tier_id


def test_an_empty_timeline_holds_no_tier():
    assert tier_at((), NOON) is None


@given(
    st.lists(st.integers(0, 10**6), unique=True),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_more_score_never_means_a_lower_tier(thresholds, score, more):
    steps = [
        TierStep(1_000 + rank, rank, threshold)
        for rank, threshold in enumerate(sorted(thresholds))
    ]

    reached = [tier_for(total, steps) or 0 for total in (score, score + more)]

    assert reached == sorted(reached)
