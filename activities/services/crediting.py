"""Crediting: an activity of a type named by number, at a price the caller may set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from activities.services.commands import RecordActivity, UnknownActivityType
from activities.services.recording import record_activity
from campaigns.services.programme import current_programme
from loyalty.errors import LoyaltyError
from loyalty.models import ActivityType

if TYPE_CHECKING:
    from datetime import datetime

    from activities.services.commands import Recorded


class DatedCreditsDisabled(LoyaltyError):
    """The program does not let its clients say when a credit happened."""

    code = "dated_credits_disabled"


class NoSingleBusinessUnit(LoyaltyError):
    """The caller acts for several business units and the credit fits none alone."""

    code = "no_single_business_unit"


@dataclass(frozen=True, slots=True)
class Credit:
    """What a caller credits to whom; ``key`` is unique within ``source``.

    ``member`` is an identity or the member's number. ``occurred_at`` is None if the
    caller gave no date: it then happened when it was received. ``given_points`` as
    in ``RecordActivity``. ``unit_codes`` are the units that the caller is bound to;
    none means every unit.
    """

    source: str
    key: str
    activity_type_id: int
    member: tuple[str, str] | int
    received_at: datetime
    occurred_at: datetime | None = None
    occurred_at_text: str = ""
    given_points: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    unit_codes: frozenset[str] = frozenset()


def credit_activity(program_id: int, credit: Credit, *, now: datetime) -> Recorded:
    """Record one credit. It may earn nothing: the outcome tells, and the history.

    Raises:
        DatedCreditsDisabled: it has a date and the program wants none.
        UnknownActivityType: the program has no type with this number.
        NoSingleBusinessUnit: it is not clear for which unit the caller acts.
        LoyaltyError: the refusals of ``record_activity``.
    """
    if credit.occurred_at is not None:
        _check_date_allowed(program_id)
    code, unit_code = _type_of(program_id, credit.activity_type_id)
    is_number = isinstance(credit.member, int)
    command = RecordActivity(
        source=credit.source,
        key=credit.key,
        activity_type=code,
        occurred_at=credit.occurred_at or credit.received_at,
        occurred_at_text=credit.occurred_at_text,
        received_at=credit.received_at,
        member=None if is_number else credit.member,  # type: ignore[arg-type]
        member_id=credit.member if is_number else None,  # type: ignore[arg-type]
        business_unit=_unit_of(credit, unit_code),
        data=credit.data,
        given_points=credit.given_points,
    )
    return record_activity(program_id, command, now=now)


def _check_date_allowed(program_id: int) -> None:
    if not current_programme(program_id).allows_backdating:
        raise DatedCreditsDisabled(
            "This program does not let credits be dated.", field="occurred_at"
        )


def _type_of(program_id: int, number: int) -> tuple[str, str | None]:
    rows = ActivityType.objects.filter(program_id=program_id, pk=number)
    found = rows.values_list("code", "business_unit__code").first()
    if found is None:
        raise UnknownActivityType(f"There is no activity {number}.", field="type")
    return found


def _unit_of(credit: Credit, type_unit: str | None) -> str | None:
    """Return the unit to book under; None meets the offers of every unit."""
    allowed = credit.unit_codes
    if not allowed:
        return None
    if type_unit in allowed:
        return type_unit
    if type_unit is None and len(allowed) == 1:
        return next(iter(allowed))
    raise NoSingleBusinessUnit(
        "This key acts for other business units.", field="business_unit"
    )
