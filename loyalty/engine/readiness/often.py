"""How often a member can get something, from its cap and the dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.periods import ROLLING_UNITS, Unit, window_containing
from loyalty.engine.readiness.subject import Subject, has_both_dates

if TYPE_CHECKING:
    from loyalty.engine.facts import Offer

_WINDOWS_COUNTED = 5_000


def awards_of_member(offer: Offer, within: Offer, subject: Subject) -> int | None:
    """Return how often a member can get an offer over all its dates, if limited.

    ``within`` has the dates: a method runs while its campaign does.
    """
    if offer.cap is None:
        return None
    windows = windows_of(offer, within, subject)
    return None if windows is None else offer.cap * windows


def windows_of(offer: Offer, within: Offer, subject: Subject) -> int | None:
    """Return how many windows of the offer's period touch the dates."""
    if offer.period is Unit.LIFETIME:
        return 1
    if not has_both_dates(within) or within.starts_at >= within.ends_at:
        return None
    clock = subject.programme.rules.clock
    if offer.period in ROLLING_UNITS or offer.period is Unit.SEVEN_CALENDAR_DAYS:
        # They roll: as many as follow each other from the start on.
        window = window_containing(
            offer.period, within.starts_at, clock.zone, clock.first_weekday
        )
        return -(-(within.ends_at - within.starts_at) // (window.end - window.start))
    count, moment = 0, within.starts_at
    while moment < within.ends_at and count < _WINDOWS_COUNTED:
        moment = window_containing(
            offer.period, moment, clock.zone, clock.first_weekday
        ).end
        count += 1
    return count
