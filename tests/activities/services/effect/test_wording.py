"""The verdict, word for word."""

import pytest

from activities.services.effect import Measure, Sample, compare, said, sentence
from loyalty.models import Wallet

STARS = Wallet(name="stars")
# Of 900 and 100 members, with a deviation of 1, the interval is ± 0.21.
FEW = Sample(100, 1.0, 1.0)


def measure(mean, name="visits", held_out=FEW, deviation=1.0):
    treated = Sample(900, mean, deviation)
    wallet = STARS if name == "points" else None
    return Measure(name, wallet, treated, held_out, compare(treated, held_out))


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        pytest.param(
            measure(1.5),
            "Members who could take part made 0.50 (0.29 to 0.71) more visits each. "
            "That is +50.0 %.",
            id="more visits",
        ),
        pytest.param(
            measure(0.5),
            "Members who could take part made 0.50 (0.29 to 0.71) fewer visits each. "
            "That is −50.0 %.",
            id="fewer visits",
        ),
        pytest.param(
            measure(1.1),
            "No measurable difference in visits: per member between 0.11 less and "
            "0.31 more.",
            id="none",
        ),
        pytest.param(
            measure(1.5, "value"),
            "Members who could take part were worth 0.50 (0.29 to 0.71) more each. "
            "That is +50.0 %.",
            id="more value",
        ),
        pytest.param(
            measure(5, "points", Sample(100, 0.0, 0.0)),
            "Members who could take part got 5.00 (4.93 to 5.07) more stars each.",
            id="points of which the others got none",
        ),
        pytest.param(
            measure(1, held_out=Sample(1, 1.0, 0.0)),
            "Too few members to compare: 900 could take part and 1 were held out. Each "
            "group needs two at least, and some hundreds to tell much.",
            id="one held out",
        ),
        pytest.param(
            measure(1, held_out=Sample(9, 2.0, 0.0), deviation=0.0),
            "Within each group every member has the same visits, 1.00 against 2.00: "
            "an interval cannot be given.",
            id="all alike within each group",
        ),
    ],
)
def test_a_measure_is_told_in_one_sentence(measured, words):
    assert sentence(measured) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234.50"), (0.5, "0.50"), (0.0123, "0.012"), (0.0, "0.00")],
)
def test_small_numbers_keep_two_digits(value, text):
    assert said(value) == text
