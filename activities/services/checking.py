"""Refusals that need no query: vocabulary, moments and values."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from activities.services.batch import Batch, Draft
from activities.services.commands import (
    DisabledBusinessUnit,
    DisabledChannel,
    Implausible,
    NegativeValue,
    NoExchangeRate,
    OccurredTooLongAgo,
    OccursInTheFuture,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    ValueTooLarge,
)
from loyalty.engine.baskets import value_of
from loyalty.engine.money import converted, converted_lines, rate_at
from loyalty.engine.numbers import UNITS_PER_ONE
from loyalty.engine.plausible import doubt_about
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from datetime import datetime

    from activities.services.commands import RecordActivity
    from loyalty.engine.programme import Programme, TypeRule

FUTURE_TOLERANCE = timedelta(hours=1)
_VALUE_END = 10**14 * UNITS_PER_ONE


def check_commands(batch: Batch) -> None:
    """Turn each command into a draft, or refuse it."""
    for place, command in enumerate(batch.commands):
        try:
            batch.drafts.append(_draft(place, command, batch.programme))
        except LoyaltyError as error:
            batch.refuse(place, error)


def _draft(place: int, command: RecordActivity, programme: Programme) -> Draft:
    rule = programme.types.get(command.activity_type)
    if rule is None:
        raise UnknownActivityType(
            f"There is no activity type “{command.activity_type}”.", field="type"
        )
    channel_id = _channel_id(command.channel, programme)
    business_unit_id = _business_unit_id(command.business_unit, programme)
    _check_moment(command.occurred_at, command.received_at, programme)
    return Draft(place, command, rule, channel_id, business_unit_id)


def check_amounts(batch: Batch) -> None:
    """Find the rate of each draft's money; refuse amounts that cannot be or count."""
    refused: list[tuple[Draft, LoyaltyError]] = []
    for draft in batch.drafts:
        try:
            draft.rate = _rate(draft.command, batch.programme)
            _check_value(draft.command, draft.rule, draft.rate, batch.programme)
        except LoyaltyError as error:
            refused.append((draft, error))
    if refused:
        batch.take_out(refused)


def _channel_id(code: str | None, programme: Programme) -> int | None:
    if code is None:
        return None
    channel = programme.channels.get(code)
    if channel is None:
        raise UnknownChannel(f"There is no channel “{code}”.", field="channel")
    if not channel.is_enabled:
        raise DisabledChannel(f"The channel “{code}” is disabled.", field="channel")
    return channel.id


def _business_unit_id(code: str | None, programme: Programme) -> int | None:
    if code is None:
        return None
    unit = programme.units.get(code)
    if unit is None:
        raise UnknownBusinessUnit(
            f"There is no business unit “{code}”.", field="business_unit"
        )
    if not unit.is_enabled:
        raise DisabledBusinessUnit(
            f"The business unit “{code}” is disabled.", field="business_unit"
        )
    return unit.id


def _check_moment(
    occurred_at: datetime, received_at: datetime, programme: Programme
) -> None:
    if occurred_at > received_at + FUTURE_TOLERANCE:
        raise OccursInTheFuture(
            f"{occurred_at.isoformat()} is more than an hour in the future.",
            field="occurred_at",
        )
    days = programme.acceptance_days
    if days is not None and occurred_at < received_at - timedelta(days=days):
        raise OccurredTooLongAgo(
            f"{occurred_at.isoformat()} is more than {days} days ago.",
            field="occurred_at",
        )


def _rate(command: RecordActivity, programme: Programme) -> int | None:
    """Return what the command's currency is worth; None where nothing is converted."""
    ours, theirs = programme.currency, command.currency
    if not ours or theirs in {"", ours}:
        return None
    rate = rate_at(programme.rates, theirs, command.occurred_at)
    if rate is None:
        raise NoExchangeRate(
            f"The program counts in {ours} and has no rate for {theirs} at "
            f"{command.occurred_at.isoformat()}.",
            field="currency",
        )
    return rate


def _check_value(
    command: RecordActivity, rule: TypeRule, rate: int | None, programme: Programme
) -> None:
    given = value_of(command.units, command.lines)
    units = None if given is None else converted(given, rate)
    lines = converted_lines(command.lines, rate)
    doubt = doubt_about(units, list(lines), programme.limits)
    if doubt is not None:
        raise Implausible(doubt.sentence, field=doubt.field)
    if given is None or units is None:
        return
    if max(abs(given), abs(units)) >= _VALUE_END:
        raise ValueTooLarge(
            "The value has more than 14 digits before the point.",
            field="items" if command.units is None else "value",
        )
    if units < 0 and not rule.allows_negative_value:
        raise NegativeValue(
            f"Activities of type “{rule.code}” take no value below zero.",
            field="value",
        )
