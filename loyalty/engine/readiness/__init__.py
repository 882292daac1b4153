"""Whether a campaign is ready: what is wrong, what is odd, and what it may cost.

Pure: it reads the compiled configuration and what was gathered around it, and says
in sentences what a person should know before the campaign is enabled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.readiness.caps import of_caps
from loyalty.engine.readiness.cost import of_cost
from loyalty.engine.readiness.dates import of_dates
from loyalty.engine.readiness.gifts import of_gifts
from loyalty.engine.readiness.overlap import of_overlap
from loyalty.engine.readiness.reach import of_reach
from loyalty.engine.readiness.subject import (
    Finding,
    Known,
    Report,
    Severity,
    Subject,
)

if TYPE_CHECKING:
    from loyalty.engine.facts import Offer
    from loyalty.engine.programme import Programme

__all__ = ["Finding", "Known", "Report", "Severity", "Subject", "report_on"]

_GRAVITY = list(Severity)


def report_on(campaign: Offer, programme: Programme, known: Known) -> Report:
    """Return what was found about ``campaign``, decided as if it were enabled."""
    subject = Subject(campaign, programme, known)
    findings = [
        *of_reach(subject),
        *of_gifts(subject),
        *of_dates(subject),
        *of_caps(subject),
        *of_overlap(subject),
    ]
    findings.sort(key=lambda one: _GRAVITY.index(one.severity))
    return Report(tuple(findings), tuple(of_cost(subject)))
