"""Whether an offer applies to an activity: the conditions, in a fixed order.

The first condition that fails is the reason that people are shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loyalty.engine.decisions import Reason, Rejection
from loyalty.engine.facts import ActivityFacts, Completion, Offer, Schedule
from loyalty.engine.holdout import is_held_out
from loyalty.engine.items import matches_of
from loyalty.engine.periods import (
    MOVING_UNITS,
    ROLLING_UNITS,
    Unit,
    Window,
    reach_of,
    window_containing,
)
from loyalty.engine.tiers import score_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loyalty.engine.facts import Clock, Rules


def first_failure(
    offer: Offer,
    activity: ActivityFacts,
    segment_ids: frozenset[int],
    tier_id: int | None,
    rules: Rules,
) -> Rejection | None:
    """Return why ``offer`` does not apply, or None if every condition holds.

    Args:
        offer: its own conditions.
        activity: what happened.
        segment_ids: segments that the member was in when it happened.
        tier_id: tier that the member held then.
        rules: clock and tiers of the program.
    """
    failure = None
    if (
        offer.schedule is not None
        or not offer.is_enabled
        or not offer.starts_at <= activity.occurred_at < offer.ends_at
    ):
        failure = _failure_of_time(offer, activity, rules.clock)
    if failure is None and offer.asks_about_activity:
        failure = _failure_of_activity(offer, activity)
    if failure is None and offer.asks_about_basket:
        failure = _failure_of_basket(offer, activity)
    if failure is None and offer.asks_about_member:
        if offer.minimum_tier_threshold is not None:
            failure = failure_of_tier(offer, tier_id, rules)
        failure = failure or failure_of_segments(offer, segment_ids)
    return failure


def _failure_of_time(
    offer: Offer, activity: ActivityFacts, clock: Clock
) -> Rejection | None:
    if not offer.is_enabled:
        return Rejection(offer, Reason.DISABLED)
    if activity.occurred_at < offer.starts_at:
        return Rejection(offer, Reason.NOT_STARTED, {"starts_at": offer.starts_at})
    if activity.occurred_at >= offer.ends_at:
        return Rejection(offer, Reason.ENDED, {"ends_at": offer.ends_at})
    if offer.schedule and not is_open(offer.schedule, activity.occurred_at, clock):
        return Rejection(offer, Reason.OUTSIDE_SCHEDULE)
    return None


def _failure_of_activity(offer: Offer, activity: ActivityFacts) -> Rejection | None:
    if offer.activity_type_ids and (
        activity.activity_type_id not in offer.activity_type_ids
    ):
        return Rejection(offer, Reason.OTHER_ACTIVITY_TYPE)
    if (
        offer.business_unit_id is not None
        and activity.business_unit_id is not None
        and offer.business_unit_id != activity.business_unit_id
    ):
        return Rejection(offer, Reason.OTHER_BUSINESS_UNIT)
    if (
        offer.business_unit_ids
        and activity.business_unit_id is not None
        and activity.business_unit_id not in offer.business_unit_ids
    ):
        return Rejection(offer, Reason.OTHER_BUSINESS_UNIT)
    if offer.channel_ids and activity.channel_id not in offer.channel_ids:
        return Rejection(offer, Reason.OTHER_CHANNEL)
    if offer.minimum_units is not None and activity.units < offer.minimum_units:
        return Rejection(
            offer, Reason.VALUE_TOO_LOW, {"minimum_units": offer.minimum_units}
        )
    if offer.maximum_units is not None and activity.units > offer.maximum_units:
        return Rejection(
            offer, Reason.VALUE_TOO_HIGH, {"maximum_units": offer.maximum_units}
        )
    return None


def _failure_of_basket(offer: Offer, activity: ActivityFacts) -> Rejection | None:
    if offer.context == "basket" and not activity.line_count:
        return Rejection(offer, Reason.NOT_A_BASKET)
    if offer.currencies and activity.currency not in offer.currencies:
        return Rejection(offer, Reason.OTHER_CURRENCY)
    list_id = offer.item_list_id
    if list_id is not None and not _holds(activity, list_id):
        return Rejection(offer, Reason.NO_MATCHING_ITEM)
    for group in offer.qualify:
        found = matches_of(activity, group).quantity
        if found < group.required:
            operands = {"required": group.required, "found": found}
            return Rejection(offer, Reason.BASKET_WITHOUT_GROUP, operands)
    redeem = offer.redeem
    if redeem is not None:
        found = matches_of(activity, redeem).quantity
        if found < max(redeem.required, 1):
            operands = {"required": max(redeem.required, 1), "found": found}
            return Rejection(offer, Reason.BASKET_WITHOUT_GROUP, operands)
    return None


def _holds(activity: ActivityFacts, list_id: int) -> bool:
    for item in activity.items:  # noqa: SIM110 (a generator takes longer)
        if list_id in item.list_ids and item.stays:
            return True
    return False


def failure_of_tier(
    offer: Offer, tier_id: int | None, rules: Rules
) -> Rejection | None:
    """Return why the tier held does not suffice, or None if it does."""
    threshold = offer.minimum_tier_threshold
    if threshold is not None and rules.threshold_of(tier_id) < threshold:
        operands = {"minimum_threshold": score_told(threshold)}
        return Rejection(offer, Reason.TIER_TOO_LOW, operands)
    return None


def failure_of_segments(offer: Offer, segment_ids: frozenset[int]) -> Rejection | None:
    """Return why the segments that the member is in forbid it, or None."""
    if offer.segments and offer.segments.isdisjoint(segment_ids):
        return Rejection(offer, Reason.NOT_IN_SEGMENT)
    if offer.excluded_segments and not offer.excluded_segments.isdisjoint(segment_ids):
        return Rejection(offer, Reason.IN_EXCLUDED_SEGMENT)
    return None


def failure_of_holdout(offer: Offer, member_id: int) -> Rejection | None:
    """Return that the member is held out of the offer, or None.

    Asked once every other condition holds: those it stops are exactly those that
    would have been let in, so the two groups can be compared.
    """
    holdout = offer.holdout
    if holdout is not None and is_held_out(holdout.salt, member_id, holdout.share):
        return Rejection(offer, Reason.IN_HOLDOUT, {"share": holdout.share})
    return None


def is_open(schedule: Schedule, moment: datetime, clock: Clock) -> bool:
    """Return whether ``moment`` falls on an open weekday and hour, locally.

    Hours that run over midnight belong to the weekday on which they opened.
    """
    local = moment.astimezone(clock.zone)
    opens_at, closes_at = schedule.opens_at, schedule.closes_at
    if opens_at is None or closes_at is None:
        return local.isoweekday() in schedule.weekdays
    now = local.time()
    if opens_at < closes_at:
        return opens_at <= now < closes_at and local.isoweekday() in schedule.weekdays
    if now >= opens_at:
        return local.isoweekday() in schedule.weekdays
    opened = (local.date() - timedelta(days=1)).isoweekday()
    return now < closes_at and opened in schedule.weekdays


def window_of(offer: Offer, moment: datetime, clock: Clock) -> Window:
    """Return the window of the offer's period that ``moment`` is counted in.

    Of a rolling period: the one that ends with the moment.
    """
    return window_containing(offer.period, moment, clock.zone, clock.first_weekday)


def counted_around(offer: Offer, moment: datetime, clock: Clock) -> Window:
    """Return the time whose completions can matter for an award at ``moment``.

    Before it and, where the period rolls, after it: what arrives late stands in the
    windows of what happened later.
    """
    window = reach_of(offer.period, moment, clock.zone, clock.first_weekday)
    if offer.required_attempts == 1:
        return window
    wider = attempts_window_of(offer, moment, clock)
    return Window(min(window.start, wider.start), max(window.end, wider.end))


def attempts_window_of(offer: Offer, moment: datetime, clock: Clock) -> Window:
    """Return the window in which attempts towards the next award are counted.

    Attempts start anew with a calendar period and after an award; rolling
    periods never make them start anew.
    """
    unit = Unit.LIFETIME if offer.period in ROLLING_UNITS else offer.period
    return window_containing(unit, moment, clock.zone, clock.first_weekday)


def failure_of_count(
    offer: Offer, moment: datetime, completions: Sequence[Completion], clock: Clock
) -> Rejection | None:
    """Return why the cap or the required attempts forbid an award, else None."""
    if offer.cap is not None:
        paid = [at for at, is_paid in completions if is_paid]
        for start, end in _windows_with(offer, moment, paid, clock):
            used = len([at for at in paid if start <= at < end])
            if used >= offer.cap:
                operands = {"cap": offer.cap, "used": used, "from": start, "until": end}
                return Rejection(offer, Reason.CAP_REACHED, operands)
    if offer.required_attempts > 1:
        done = 1 + _attempts_since_award(offer, moment, completions, clock)
        if done < offer.required_attempts:
            operands = {"required": offer.required_attempts, "completed": done}
            return Rejection(offer, Reason.MORE_ATTEMPTS_NEEDED, operands)
    return None


def _windows_with(
    offer: Offer, moment: datetime, paid: Sequence[datetime], clock: Clock
) -> Iterator[Window]:
    """Yield the windows that contain ``moment`` and could be full.

    Where the period rolls, also those that end with a later award: no window of that
    length may hold more than the cap, in whatever order activities arrive.
    """
    yield window_of(offer, moment, clock)
    if offer.period in MOVING_UNITS:
        for later in sorted([at for at in paid if at > moment]):
            window = window_of(offer, later, clock)
            if window.start > moment:
                return
            yield window


def _attempts_since_award(
    offer: Offer, moment: datetime, completions: Sequence[Completion], clock: Clock
) -> int:
    start, end = attempts_window_of(offer, moment, clock)
    inside = [one for one in completions if start <= one.occurred_at < end]
    # A late completion lies before awards that were made in the meantime; the
    # attempts still open are those that no award has used up.
    paid = sum(1 for one in inside if one.is_paid)
    unpaid = len(inside) - paid
    return unpaid - paid * (offer.required_attempts - 1)
