"""From the JSON of one activity to the command; strict and total.

Body::

    {"key": "till-7-4711",                       optional, see below
     "member": {"kind": "customer_id", "value": "C-1"},   or {"id": 12}
     "anonymous_id": "b2c3",                      instead of member
     "type": "PURCHASE",
     "occurred_at": "2026-01-14T19:00:00+05:30",
     "channel": "STORE", "business_unit": "grocery",      optional
     "value": "12.50",                            optional; a number will do too
     "currency": "EUR",                           optional, an ISO code
     "items": [{"item_id": "4006381", "value": "2.50", "quantity": 1,
                "group_id": "promo"}],            optional, 1 to 1,000
     "data": {}}                                  optional, kept as it is

Numbers are read from their literal text, never as floats; noise of floats is read
as the number that was meant (``loyalty.engine.numbers``). An unknown member and a
doubled one are refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.services import Line, RecordActivity
from activities.services.commands import RECEIPTS
from loyalty.api.bodies import plain_object
from loyalty.api.problems import Problem, invalid, invalid_at, wrong
from loyalty.engine.currencies import InvalidCurrency, parse_currency
from loyalty.engine.moments import InvalidMoment, Moment, parse_moment
from loyalty.engine.numbers import (
    InvalidNumber,
    NumberText,
    format_value,
    parse_value,
    parse_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loyalty.api.authentication import Caller

SOURCE = RECEIPTS
KEY_CHARACTERS_MAX = 255
LINES_MAX = 1_000
ROW_NUMBER_MAX = 2**63 - 1

MEMBERS = frozenset(
    {
        "key",
        "member",
        "anonymous_id",
        "type",
        "occurred_at",
        "channel",
        "business_unit",
        "value",
        "currency",
        "items",
        "data",
    }
)
_ITEM_MEMBERS = frozenset({"item_id", "value", "quantity", "group_id"})


def to_command(
    body: Any, key: str, caller: Caller, received_at: datetime
) -> RecordActivity:
    """Return the command that a body asks for.

    Args:
        body: what the JSON parser made of it; anything at all.
        key: taken if the body names none.
        caller: whose program decides how a local time is read.
        received_at: when the request reached the edge.

    Raises:
        Problem: 400 with every wrong member; 403 if the key is bound to units and
            the activity is of another one, or of none.
    """
    check_members(body, MEMBERS, "")
    read = _Reader(body)
    moment = read("occurred_at", _moment, caller) or Moment(received_at, False)  # noqa: FBT003
    member = read("member", actor_in)
    anonymous_id = read("anonymous_id", _optional_text, 255)
    command = RecordActivity(
        source=SOURCE,
        key=read("key", _optional_text, KEY_CHARACTERS_MAX) or key,
        activity_type=read("type", _text, 100) or "",
        occurred_at=moment.at,
        occurred_at_text=str(body.get("occurred_at", ""))[:40],
        received_at=received_at,
        zone_assumed=moment.zone_assumed,
        member=member if isinstance(member, tuple) else None,
        member_id=member if isinstance(member, int) else None,
        anonymous_id=anonymous_id,
        channel=read("channel", _optional_text, 50),
        business_unit=read("business_unit", _optional_text, 50),
        units=read("value", _optional_units),
        lines=read("items", _lines) or (),
        data=read("data", _data) or {},
        currency=read("currency", _currency) or "",
    )
    _check_one_actor(body, read.errors)
    if read.errors:
        raise invalid(read.errors)
    check_unit(caller, command.business_unit)
    return command


def check_unit(caller: Caller, code: str | None) -> None:
    """Refuse an activity outside the units that a key is bound to."""
    if not caller.unit_codes or code in caller.unit_codes:
        return
    allowed = ", ".join(sorted(caller.unit_codes))
    named = "names none" if code is None else f"names “{code}”"
    raise Problem(
        403,
        "business_unit_not_allowed",
        f"This API key may only record activities of {allowed}; this one {named}.",
        errors=[
            wrong("/business_unit", "business_unit_not_allowed", f"Name {allowed}.")
        ],
    )


class _Reader:
    """Reads members one by one and keeps what is wrong with them."""

    __slots__ = ("_body", "errors")

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body
        self.errors: list[Any] = []

    def __call__(self, name: str, reader: Callable[..., Any], *limits: Any) -> Any:
        try:
            return reader(self._body.get(name), f"/{name}", *limits)
        except Problem as problem:
            self.errors += problem.errors
            return None


def check_members(body: Any, known: frozenset[str], pointer: str) -> None:
    """Refuse what is no object, and members that nobody reads."""
    if not isinstance(body, dict):
        raise invalid_at(pointer, "not_an_object", "An object is expected here.")
    if not body.keys() <= known:
        raise invalid(
            [
                wrong(
                    pointer,
                    "unknown_member",
                    f"There is no member “{name[:100]}” here.",
                )
                for name in body
                if name not in known
            ]
        )


def _check_one_actor(body: dict[str, Any], errors: list[Any]) -> None:
    given = sum(body.get(name) is not None for name in ("member", "anonymous_id"))
    if given == 0:
        errors.append(wrong("/member", "required", "Name the member."))
    elif given == 2:
        detail = "Name the member or an anonymous id, not both."
        errors.append(wrong("/anonymous_id", "ambiguous", detail))


def _moment(value: Any, pointer: str, caller: Caller) -> Moment:
    if value is None:
        raise invalid_at(pointer, "required", "Say when it happened.")
    try:
        if isinstance(value, NumberText):
            value = None
        return parse_moment(value, caller.naive_zone)
    except InvalidMoment as error:
        raise invalid_at(pointer, error.code, str(error)) from None


def actor_in(value: Any, pointer: str) -> tuple[str, str] | int | None:
    """Return the member that is named, by identity or by number; None if none is."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() not in ({"kind", "value"}, {"id"}):
        detail = "Write {“kind”: …, “value”: …} or {“id”: …}."
        raise invalid_at(pointer, "invalid_member", detail)
    if "id" not in value:
        return (
            _text(value["kind"], f"{pointer}/kind", 40),
            _text(value["value"], f"{pointer}/value", 255),
        )
    try:
        number = parse_whole(value["id"])
    except InvalidNumber:
        number = 0
    if number < 1:
        detail = "Must be a member ID (1 or greater)."
        raise invalid_at(f"{pointer}/id", "invalid_number", detail)
    return number


def _text(value: Any, pointer: str, longest: int) -> str:
    if value is None:
        raise invalid_at(pointer, "required", "This is required.")
    if not isinstance(value, str) or isinstance(value, NumberText):
        raise invalid_at(pointer, "not_text", "Text is expected here.")
    if not value:
        raise invalid_at(pointer, "blank", "This must not be empty.")
    if len(value) > longest:
        detail = f"At most {longest} characters."
        raise invalid_at(pointer, "too_long", detail)
    return value


def _optional_text(value: Any, pointer: str, longest: int) -> str | None:
    return None if value is None else _text(value, pointer, longest)


def _units(value: Any, pointer: str) -> int:
    try:
        return parse_value(value)
    except InvalidNumber as error:
        raise invalid_at(pointer, error.code, str(error)) from None


def _optional_units(value: Any, pointer: str) -> int | None:
    return None if value is None else _units(value, pointer)


def _currency(value: Any, pointer: str) -> str | None:
    if value is None:
        return None
    try:
        return parse_currency(_text(value, pointer, 20))
    except InvalidCurrency as error:
        raise invalid_at(pointer, error.code, str(error)) from None


def _lines(value: Any, pointer: str) -> tuple[Line, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid_at(pointer, "not_a_list", "A list is expected here.")
    if not value:
        detail = "Leave it out rather than sending an empty list."
        raise invalid_at(pointer, "empty", detail)
    if len(value) > LINES_MAX:
        raise invalid_at(pointer, "too_many", f"At most {LINES_MAX:,} line items.")
    return tuple(_line(one, f"{pointer}/{place}") for place, one in enumerate(value))


def _line(value: Any, pointer: str) -> Line:
    check_members(value, _ITEM_MEMBERS, pointer)
    quantity = _optional_units(value.get("quantity"), f"{pointer}/quantity")
    return Line(
        item_id=_text(value.get("item_id"), f"{pointer}/item_id", 100),
        units=_optional_units(value.get("value"), f"{pointer}/value") or 0,
        quantity="" if quantity is None else format_value(quantity),
        group_id=_optional_text(value.get("group_id"), f"{pointer}/group_id", 100)
        or "",
    )


def _data(value: Any, pointer: str) -> dict[str, Any]:
    return {} if value is None else plain_object(value, pointer)
