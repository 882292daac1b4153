"""Reading what the vendor's clients send: members, credits, dates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from activities.services.crediting import Credit
from loyalty.api.bodies import plain_object
from loyalty.api.problems import Problem
from loyalty.engine.moments import InvalidMoment, from_epoch_seconds
from loyalty.engine.numbers import InvalidNumber, parse_whole

if TYPE_CHECKING:
    from datetime import datetime

    from loyalty.api.authentication import Caller

#: Types of ids besides "id", which is the member's number, and the kinds of
#: identities that are looked at for each, in this order.
IDENTITY_KINDS = {
    "email": ("email",),
    "facebook_user_id": ("facebook_user_id",),
    "twitter_user_id": ("twitter_user_id",),
    "third_party_id": ("third_party_id", "customer_id"),
    "username": ("username",),
    "mobile_phone_number": ("mobile_phone_number", "phone"),
    "inst_username": ("inst_username",),
}
NO_SUCH_MEMBER = "User does not exist."
POINTS_MAX = 2**31 - 1
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_VALUE_CHARACTERS_MAX = 255


def member_named(user_id: str, id_type: str | None) -> list[tuple[str, str]] | int:
    """Return the member that a path names: its number, or identities to try.

    Addresses of e-mail are kept in lower case and found in any.

    Raises:
        Problem: 400, there is no such type of id; 404, no member can be called so.
    """
    if not id_type or id_type == "id":
        if not _NUMBER.fullmatch(user_id):
            raise _unknown_member()
        return int(user_id)
    if id_type not in IDENTITY_KINDS:
        known = ", ".join(["id", *sorted(IDENTITY_KINDS)])
        raise _wrong("invalid", "id_type", f"is not one of {known}")
    if len(user_id) > _VALUE_CHARACTERS_MAX:
        raise _unknown_member()
    values = dict.fromkeys((user_id, user_id.casefold()))
    if id_type != "email":
        values = {user_id: None}
    return [(kind, value) for kind in IDENTITY_KINDS[id_type] for value in values]


def to_credit(
    body: Any,
    member_id: int,
    caller: Caller,
    received_at: datetime,
    key: str,
) -> Credit:
    """Return the credit that a body asks for; members nobody knows are ignored.

    Raises:
        Problem: 400 with the vendor's code.
    """
    if not isinstance(body, dict):
        raise Problem(400, "invalid", "The body must be a JSON object.")
    return Credit(
        source="crowdtwist",
        key=key,
        activity_type_id=_activity_id(body.get("activity_id")),
        member=member_id,
        received_at=received_at,
        occurred_at=moment_named("activity_date", body.get("activity_date")),
        occurred_at_text=str(body.get("activity_date") or "")[:40],
        given_points=_points(body.get("num_points")),
        data=_extra_data(body.get("extra_data")),
        unit_codes=caller.unit_codes,
    )


def moment_named(name: str, value: Any) -> datetime | None:
    """Return the moment of a number of seconds since 1970; None if there is none.

    Raises:
        Problem: 400 ``invalid_date``.
    """
    if value is None:
        return None
    try:
        return from_epoch_seconds(value).at
    except InvalidMoment as error:
        raise _wrong("invalid_date", name, f"is not a date: {error}") from None


def number_named(name: str, text: str, most: int) -> int:
    """Return a whole number from 1 to ``most`` of the query.

    Raises:
        Problem: 400 ``invalid``.
    """
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise _wrong("invalid", name, f"must be a whole number from 1 to {most}")
    return int(text)


def _activity_id(value: Any) -> int:
    if value is None:
        detail = 'Required field ["activity_id"] is missing.'
        raise Problem(400, "missing_data", detail)
    if value == "":
        raise _wrong("missing_data", "activity_id", "must not be empty")
    text = _digits(value)
    if not _NUMBER.fullmatch(text):
        raise _wrong("invalid", "activity_id", "is not the id of an activity")
    return int(text)


def _points(value: Any) -> int | None:
    if value is None:
        return None
    text = _digits(value)
    if not _NUMBER.fullmatch(text) or int(text) > POINTS_MAX:
        sentence = f"must be a whole number from 0 to {POINTS_MAX}"
        raise _wrong("invalid_amount", "num_points", sentence)
    return int(text)


def _extra_data(value: Any) -> dict[str, Any]:
    return {} if value is None else plain_object(value, "/extra_data")


def _digits(value: Any) -> str:
    """Return a whole number as digits, however it was sent; else what is none."""
    try:
        return str(parse_whole(value))
    except InvalidNumber:
        return value if isinstance(value, str) else ""


def _unknown_member() -> Problem:
    return Problem(404, "page_not_found", NO_SUCH_MEMBER)


def _wrong(code: str, name: str, sentence: str) -> Problem:
    return Problem(400, code, f"Value of field [{name}] {sentence.rstrip('.')}.")
