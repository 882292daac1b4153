"""The measured effect of a campaign that holds members out."""

from activities.services.effect.comparing import Certainty, Comparison, Sample, compare
from activities.services.effect.groups import (
    NoHoldout,
    NotYetMeasurable,
    Period,
    assignment_lines,
    groups_of,
)
from activities.services.effect.measuring import (
    Cost,
    Effect,
    Measure,
    measure_effect,
)
from activities.services.effect.wording import said, sentence, verdict

__all__ = [
    "Certainty",
    "Comparison",
    "Cost",
    "Effect",
    "Measure",
    "NoHoldout",
    "NotYetMeasurable",
    "Period",
    "Sample",
    "assignment_lines",
    "compare",
    "groups_of",
    "measure_effect",
    "said",
    "sentence",
    "verdict",
]
