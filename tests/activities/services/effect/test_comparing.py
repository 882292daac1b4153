"""The interval of a difference: scipy's own, and true as often as it says."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from activities.services.effect import Certainty, Comparison, Sample, compare
from loyalty.engine.holdout import is_held_out

MEMBERS = 3000
SHARE = 2000


def sample(values) -> Sample:
    return Sample(len(values), float(np.mean(values)), float(np.std(values, ddof=1)))


def interval(found) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def visits(random, members=MEMBERS, rate=1.0):
    """Visits as they are: many members come rarely, a few come often."""
    return random.poisson(random.gamma(2.0, rate, members))


@pytest.mark.parametrize(
    ("treated", "held_out"),
    [(2, 2), (3, 7), (4000, 40), (2, 5000)],
    ids=["two each", "a handful", "a small holdout", "one group of two"],
)
def test_the_interval_is_the_one_that_scipy_gives_for_rows(treated, held_out):
    random = np.random.default_rng(7)
    one, other = random.gamma(2, 3, treated), random.gamma(2, 2, held_out)

    found = compare(sample(one), sample(other))

    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


SAMPLES = st.builds(
    Sample,
    st.integers(0, 10**7),
    st.floats(-1e9, 1e9),
    st.just(0.0) | st.floats(1e-6, 1e9),
)


@given(SAMPLES, SAMPLES)
@example(Sample(2, 1.0, 0.0), Sample(2, 2.2250738585e-313, 0.0))
def test_every_comparison_is_told_in_finite_numbers(treated, held_out):
    found = compare(treated, held_out)

    told = [one for one in found[1:] if one is not None]
    assert all(math.isfinite(one) for one in told)
    if found.certainty is Certainty.MEASURED:
        low, high = interval(found)
        assert low <= found.difference <= high
    else:
        assert found.low is found.high is None


@pytest.mark.parametrize(
    ("treated", "held_out", "expected"),
    [
        pytest.param(
            Sample(500, 2.0, 1.0),
            Sample(1, 1.0, 0.0),
            Comparison(Certainty.TOO_FEW_MEMBERS, 0.0),
            id="one member is no group",
        ),
        pytest.param(
            Sample(0, 0.0, 0.0),
            Sample(9, 1.0, 1.0),
            Comparison(Certainty.TOO_FEW_MEMBERS, 0.0),
            id="nobody",
        ),
        pytest.param(
            Sample(9, 3.0, 0.0),
            Sample(9, 2.0, 0.0),
            Comparison(Certainty.NO_VARIATION, 1.0, relative=0.5),
            id="all the same within each group",
        ),
        pytest.param(
            Sample(9, 0.0, 0.0),
            Sample(9, 0.0, 0.0),
            Comparison(Certainty.NO_VARIATION, 0.0),
            id="nobody did anything",
        ),
    ],
)
def test_what_cannot_be_compared_has_no_interval(treated, held_out, expected):
    assert compare(treated, held_out) == expected


def test_of_many_salts_without_an_effect_one_in_twenty_finds_one():
    made = visits(np.random.default_rng(11))
    found = 0
    for salt in range(300):
        is_out = np.array(
            [is_held_out(f"a/a {salt}", one, SHARE) for one in range(MEMBERS)]
        )
        found += compare(sample(made[~is_out]), sample(made[is_out])).is_significant

    assert stats.binomtest(found, 300, 0.05).pvalue > 0.01


def test_the_interval_holds_a_known_effect_as_often_as_it_says():
    random = np.random.default_rng(3)
    held = 0
    for _ in range(1000):
        # Twice the rate of gamma(2, 0.5) is 1 visit; of gamma(2, 0.65) 1.3.
        treated, held_out = visits(random, 1600, 0.65), visits(random, 400, 0.5)
        low, high = interval(compare(sample(treated), sample(held_out)))
        held += low <= 0.3 <= high

    assert held >= 930
