"""``POST /partner-api/v2/program-memberships/:id/activities`` and its twins."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.urls import path
from drf_spectacular.utils import extend_schema

from activities.api.commands import LINES_MAX, check_unit
from activities.contracts.hang.contract import (
    SOURCE,
    HangView,
    body_of,
    id_in,
    invalid,
    list_in,
    member_number,
    missing,
    object_in,
)
from activities.services import (
    Line,
    RecordActivity,
    UnknownActivityType,
    record_activity,
)
from activities.services.replaying import replay_of
from campaigns.services.programme import current_programme
from loyalty.api.contract import answer
from loyalty.api.idempotency import claim, replay_headers
from loyalty.engine.moments import InvalidMoment, from_epoch_seconds
from loyalty.engine.numbers import InvalidNumber, parse_value
from loyalty.services import clock

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

    from loyalty.api.authentication import Caller

KEY_CHARACTERS_MAX = 255
ITEM_CHARACTERS_MAX = 100
TYPE_CHARACTERS_MAX = 100
_VISIBLE = re.compile(r"[!-~]+")
_NUMBER = {
    "oneOf": [
        {
            "type": "string",
            "pattern": r"^\s*[+-]?(\d{1,14}(\.\d{0,4})?|\.\d{1,4})\s*$",
        },
        {"type": "number", "multipleOf": 0.0001},
    ],
    "description": "At most 4 decimals; noise of binary floats is taken off.",
}
_KEY = {
    "type": "string",
    "minLength": 1,
    "maxLength": KEY_CHARACTERS_MAX,
    "pattern": "^[!-~]+$",
    "example": "unique-key-101",
}
_JSON_BODY = {
    "type": "object",
    "required": ["idempotency_key", "activity"],
    "properties": {
        "idempotency_key": _KEY,
        "activity": {
            "type": "object",
            "required": ["activity_type_id", "value", "transaction_timestamp"],
            "properties": {
                "activity_type_id": {"type": "string", "example": "PURCHASE"},
                "value": {**_NUMBER, "example": "50"},
                "transaction_timestamp": {
                    "type": ["number", "string"],
                    "exclusiveMinimum": 0,
                    "description": "Seconds since 1970; fractions are kept.",
                    "example": 1633887337,
                },
                "line_items": {
                    "type": "array",
                    "maxItems": LINES_MAX,
                    "items": {
                        "type": "object",
                        "required": ["item_id", "value"],
                        "properties": {
                            "item_id": {"type": "string", "example": "item_1"},
                            "value": {**_NUMBER, "example": 30},
                            "group_id": {"type": ["string", "null"]},
                        },
                    },
                },
            },
        },
    },
}
_FORM_BODY = {
    "type": "object",
    "required": [
        "idempotency_key",
        "activity[activity_type_id]",
        "activity[value]",
        "activity[transaction_timestamp]",
    ],
    "properties": {
        "idempotency_key": _KEY,
        "activity[activity_type_id]": {"type": "string"},
        "activity[value]": {"type": "string"},
        "activity[transaction_timestamp]": {"type": "number"},
        "activity[line_items]": {
            "type": "array",
            "items": {"type": "string", "description": "A line item as JSON."},
        },
    },
}
BODIES = {
    "application/json": _JSON_BODY,
    "application/x-www-form-urlencoded": _FORM_BODY,
    "multipart/form-data": _FORM_BODY,
}
ANSWER = {
    "type": "object",
    "required": ["idempotency_key"],
    "properties": {"idempotency_key": {"type": "string"}},
    "additionalProperties": False,
}


class Activities(HangView):
    """Activities of a program membership."""

    @extend_schema(request=BODIES, responses={200: ANSWER})
    def post(self, request: Request, membership_id: str) -> HttpResponse:
        """Record an activity.

        It is recorded before the answer, on this path as on `…/synchronous`. The
        same request again is answered in the same way and counts once; the answer
        then bears `Idempotency-Replayed: true`, and `Activity-Reversed` if the
        activity was undone since.
        """
        now = clock.now()
        body = body_of(request.data)
        command = to_command(body, membership_id, self.caller, now)

        with transaction.atomic():
            claim(command.key_scope, self.caller.program_id, command.key)
            recorded = replay_of(self.caller.program_id, command)
            if recorded is None:
                _refuse_disabled(self.caller.program_id, command)
                recorded = record_activity(self.caller.program_id, command, now=now)

        headers = replay_headers(recorded.reversed_at, is_replay=recorded.is_replay)
        return answer({"idempotency_key": command.key}, headers=headers)


def _refuse_disabled(program_id: int, command: RecordActivity) -> None:
    """Refuse a disabled type like an unknown one; repeated requests stand."""
    rule = current_programme(program_id).types.get(command.activity_type)
    if rule is not None and not rule.offer.is_enabled:
        raise UnknownActivityType(
            f"The activity type “{command.activity_type}” is disabled.", field="type"
        )


def to_command(
    body: dict[str, Any], membership_id: str, caller: Caller, received_at: datetime
) -> RecordActivity:
    """Return the command that a body asks for.

    Raises:
        Problem: 400; something required is absent or cannot be read. 403; the key
            is bound to several business units, and the body can name none.
        UnknownMember: no membership can have this id.
    """
    key = key_in(body.get("idempotency_key"))
    activity = body.get("activity")
    if activity is None or activity == "":
        raise missing()
    activity = object_in(activity, "activity")
    sent = activity.get("transaction_timestamp")
    unit = _unit_of(caller)
    return RecordActivity(
        source=SOURCE,
        key=key,
        activity_type=id_in(
            activity.get("activity_type_id"),
            "activity.activity_type_id",
            TYPE_CHARACTERS_MAX,
        ),
        occurred_at=moment_in(sent),
        occurred_at_text=str(sent)[:40],
        received_at=received_at,
        member_id=member_number(membership_id),
        business_unit=unit,
        units=units_in(activity.get("value"), "activity.value"),
        lines=lines_in(activity.get("line_items")),
    )


def key_in(value: Any) -> str:
    """Return the idempotency key: 1 to 255 visible ASCII characters."""
    key = id_in(value, "idempotency_key", KEY_CHARACTERS_MAX)
    if not _VISIBLE.fullmatch(key):
        raise invalid("idempotency_key", "visible ASCII characters only.")
    return key


def moment_in(value: Any) -> datetime:
    """Return the moment of epoch seconds, sent as a number or as its text."""
    if value is None or value == "":
        raise missing()
    try:
        return from_epoch_seconds(value).at
    except InvalidMoment as error:
        raise invalid("activity.transaction_timestamp", str(error)) from None


def units_in(value: Any, name: str) -> int:
    """Return a value in 1/10,000, sent as a number or as its decimal text."""
    if value is None or value == "":
        raise missing()
    try:
        return parse_value(value)
    except InvalidNumber as error:
        raise invalid(name, str(error)) from None


def lines_in(value: Any) -> tuple[Line, ...]:
    """Return the line items; an empty list is as good as none."""
    if value is None or value == "":
        return ()
    rows = list_in(value, "activity.line_items")
    if len(rows) > LINES_MAX:
        raise invalid("activity.line_items", f"at most {LINES_MAX:,} items.")
    return tuple(
        _line(row, f"activity.line_items[{place}]") for place, row in enumerate(rows)
    )


def _line(value: Any, name: str) -> Line:
    item = object_in(value, name)
    group = item.get("group_id")
    return Line(
        item_id=id_in(item.get("item_id"), f"{name}.item_id", ITEM_CHARACTERS_MAX),
        units=units_in(item.get("value"), f"{name}.value"),
        group_id=""
        if group is None or group == ""
        else id_in(group, f"{name}.group_id", ITEM_CHARACTERS_MAX),
    )


def _unit_of(caller: Caller) -> str | None:
    """Return the business unit of the key: the body cannot name one."""
    if len(caller.unit_codes) == 1:
        return next(iter(caller.unit_codes))
    check_unit(caller, None)
    return None


_MEMBERSHIP = "partner-api/v2/program-memberships/<str:membership_id>"
urlpatterns = [
    path(f"{_MEMBERSHIP}/activities", Activities.as_view()),
    path(f"{_MEMBERSHIP}/activities/synchronous", Activities.as_view()),
    # As the vendor spells it.
    path(f"{_MEMBERSHIP}/activies/synchronous", Activities.as_view()),
]
