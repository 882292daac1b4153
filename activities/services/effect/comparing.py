"""Comparing two groups of members by their means: Welch's t-test of scipy."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, NamedTuple

CONFIDENCE = 0.95
# Welch's test has one degree of freedom at least and infinitely many at most; its
# 95 % points lie between 12.71 and 1.96 standard errors.
_ERRORS_MIN, _ERRORS_MAX = 1.9, 13.0


class Sample(NamedTuple):
    """How many members, what they did on average, and how much they differ.

    ``deviation`` is the standard deviation of the sample, with n − 1.
    """

    size: int
    mean: float
    deviation: float


class Certainty(Enum):
    """What can be said of a difference."""

    MEASURED = "measured"
    TOO_FEW_MEMBERS = "too_few_members"
    NO_VARIATION = "no_variation"


class Comparison(NamedTuple):
    """What the first group did more than the second, per member.

    ``low`` and ``high`` bound the 95 % interval; None where there is none.
    ``relative`` is the difference as a part of the second group's mean.
    """

    certainty: Certainty
    difference: float
    low: float | None = None
    high: float | None = None
    relative: float | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return (
            self.low is not None
            and self.high is not None
            and (self.low > 0 or self.high < 0)
        )


def compare(treated: Sample, held_out: Sample) -> Comparison:
    """Return what ``treated`` did more than ``held_out``, with its interval."""
    if treated.size < 2 or held_out.size < 2:
        return Comparison(Certainty.TOO_FEW_MEMBERS, 0.0)
    difference = treated.mean - held_out.mean
    relative = difference / held_out.mean if held_out.mean > 0 else None
    if relative is not None and not math.isfinite(relative):
        # Beside next to nothing, everything is infinitely more.
        relative = None
    if not (treated.deviation or held_out.deviation):
        return Comparison(Certainty.NO_VARIATION, difference, relative=relative)
    margin = _margin(treated, held_out)
    low, high = difference - margin, difference + margin
    return Comparison(Certainty.MEASURED, difference, low, high, relative)


def _margin(treated: Sample, held_out: Sample) -> float:
    """Return the largest difference that Welch's test does not call one, at 5 %.

    scipy gives the interval for rows only, and the test for sums too; the interval
    is what the test leaves standing, so it is found by asking the test.
    """
    # Takes half a second and 90 MB: whoever measures nothing does not pay for it.
    from scipy.optimize import brentq
    from scipy.stats import ttest_ind_from_stats

    def test(difference: float) -> Any:
        return ttest_ind_from_stats(
            *(difference, treated.deviation, treated.size),
            *(0.0, held_out.deviation, held_out.size),
            equal_var=False,
        )

    error = 1.0 / float(test(1.0).statistic)

    def excess(errors: float) -> float:
        return float(test(errors * error).pvalue) - (1 - CONFIDENCE)

    return error * float(brentq(excess, _ERRORS_MIN, _ERRORS_MAX))
