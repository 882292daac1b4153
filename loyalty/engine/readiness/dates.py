"""Dates that fall oddly on the program's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from loyalty.engine.ends import as_last
from loyalty.engine.facts import EVER, NEVER
from loyalty.engine.readiness.subject import Finding, Severity, Subject, has_both_dates

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATE = time(23, 58)
_SHORT = timedelta(days=5)
_LONGEST_LOOKED_THROUGH = timedelta(days=370)
_TICK = timedelta(microseconds=1)
_SATURDAY, _SUNDAY = 6, 7


def of_dates(subject: Subject) -> Iterator[Finding]:
    """Yield what is odd about the start and the end."""
    campaign = subject.campaign
    if campaign.starts_at >= campaign.ends_at or campaign.ends_at <= subject.known.now:
        return
    yield from _of_start(subject)
    yield from _of_end(subject)
    yield from _of_clock_changes(subject)


def _of_start(subject: Subject) -> Iterator[Finding]:
    starts_at = subject.campaign.starts_at
    if starts_at <= EVER:
        return
    local = _local(subject, starts_at)
    if local.time() != time.min:
        text = f"It starts at {local:%H:%M} on {_day(local)}, not at midnight."
        yield Finding(Severity.LOOK, "start_not_midnight", text, "starts_at")
    if starts_at <= subject.known.now and not subject.known.is_enabled:
        text = (
            f"Its start, {subject.day(starts_at)}, is past: activities that happened "
            "since then and arrive later earn too."
        )
        yield Finding(Severity.LOOK, "starts_in_the_past", text, "starts_at")


def _of_end(subject: Subject) -> Iterator[Finding]:
    ends_at = subject.campaign.ends_at
    if ends_at >= NEVER:
        return
    day, minute = as_last(ends_at, subject.programme.rules.clock.zone)
    if minute is None:
        yield from _of_last_day(subject, day)
    elif minute >= _LATE:
        text = (
            f"It ends within the last minutes of {_day(day)}, so what happens in them "
            "may not count. Set the last day without a time."
        )
        yield Finding(Severity.LOOK, "ends_before_midnight", text, "ends_at")
    else:
        text = (
            f"Its last minute is {minute:%H:%M} on {_day(day)}: the rest of that day "
            "does not count."
        )
        yield Finding(Severity.LOOK, "end_not_midnight", text, "ends_at")


def _of_last_day(subject: Subject, last: date) -> Iterator[Finding]:
    """Yield that the last day was probably meant to be the day after."""
    campaign = subject.campaign
    weekdays = campaign.schedule.weekdays if campaign.schedule else frozenset()
    is_weekend = has_both_dates(campaign) and (
        campaign.ends_at - campaign.starts_at <= _SHORT
        or weekdays == {_SATURDAY, _SUNDAY}
    )
    following = last + timedelta(days=1)
    if last.isoweekday() == _SATURDAY and is_weekend:
        text = (
            f"Its last day is Saturday, {_day(last)}: the Sunday does not count. If it "
            f"should, set the last day to {_day(following)}."
        )
        yield Finding(Severity.LOOK, "weekend_without_sunday", text, "ends_at")
    elif (following + timedelta(days=1)).day == 1:
        text = (
            f"Its last day is {_day(last)}: the last day of the month does not count. "
            f"If it should, set the last day to {_day(following)}."
        )
        yield Finding(Severity.LOOK, "month_without_last_day", text, "ends_at")


def _of_clock_changes(subject: Subject) -> Iterator[Finding]:
    campaign = subject.campaign
    for moment, field, word in (
        (campaign.starts_at, "starts_at", "starts"),
        (campaign.ends_at - _TICK, "ends_at", "ends"),
    ):
        if EVER < moment < NEVER - _TICK and _changes_on(subject, moment):
            local = _local(subject, moment)
            text = (
                f"It {word} on {_day(local)}, when the clocks change: that day has "
                f"{_hours_of(subject, local)} hours."
            )
            code = f"{word}_on_clock_change"
            yield Finding(Severity.LOOK, code, text, field)
    schedule = campaign.schedule
    if schedule is None or schedule.opens_at is None or not has_both_dates(campaign):
        return
    changed = _first_change(subject)
    if changed is not None:
        text = (
            f"The clocks change on {_day(changed)} while it runs; its hours follow "
            "the clock on the wall."
        )
        yield Finding(Severity.KNOW, "runs_across_clock_change", text, "opens_at")


def _first_change(subject: Subject) -> datetime | None:
    campaign = subject.campaign
    moment = campaign.starts_at
    until = min(campaign.ends_at, moment + _LONGEST_LOOKED_THROUGH)
    while moment < until:
        if _changes_on(subject, moment):
            return _local(subject, moment)
        moment += timedelta(days=1)
    return None


def _changes_on(subject: Subject, moment: datetime) -> bool:
    return _hours_of(subject, _local(subject, moment)) != "24"


def _hours_of(subject: Subject, local: datetime) -> str:
    """Return how long a local day is, in hours."""
    zone = subject.programme.rules.clock.zone
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    following = midnight + timedelta(days=1)
    length = following.astimezone(UTC) - midnight.astimezone(UTC)
    return f"{length / timedelta(hours=1):g}"


def _local(subject: Subject, moment: datetime) -> datetime:
    return moment.astimezone(subject.programme.rules.clock.zone)


def _day(local: date) -> str:
    return f"{local.day} {local:%b %Y}"
