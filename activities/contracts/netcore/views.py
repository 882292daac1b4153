"""The path of the contract: an upload of one activity or of a thousand."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import UnreadablePostError
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema

from activities.contracts.netcore.envelope import CONTRACT, ERROR
from activities.contracts.netcore.items import (
    Fault,
    Item,
    Reading,
    read_item,
    read_value,
)
from activities.contracts.netcore.items import to_command as command_of
from activities.contracts.netcore.sources import channels_named
from activities.services import (
    AmountTooLarge,
    BlockedMember,
    DisabledBusinessUnit,
    DisabledChannel,
    Implausible,
    KeyReused,
    NegativeValue,
    NoExchangeRate,
    OccurredTooLongAgo,
    OccursInTheFuture,
    ProgramDisabled,
    Refused,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    UnknownMember,
    ValueTooLarge,
    record_activities,
)
from activities.services.discovering import TooManyNewActivityTypes, types_named
from campaigns.services.programme import UnknownProgram, current_programme
from loyalty.api.batches import BatchJsonParser, Unreadable
from loyalty.api.contract import (
    BEARER,
    ContractView,
    Refusal,
    answer,
    in_header,
    refusal_of,
)
from loyalty.api.problems import Problem
from loyalty.models import Program
from loyalty.services import clock
from loyalty.services.channels import TooManyNewChannels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse
    from rest_framework.request import Request

    from activities.services import RecordActivity
    from loyalty.api.authentication import Caller
    from loyalty.errors import LoyaltyError

ITEMS_MAX = 1_000
SUCCESS = {"status": "success"}

REFUSALS = {
    BlockedMember: Refusal(400, "Blocked Contact", "BLOCKED_CONTACT"),
    DisabledBusinessUnit: Refusal(400, "Disabled Business Unit", "DISABLED_UNIT"),
    DisabledChannel: Refusal(
        400, "Invalid Parameter - Activity Source", "DISABLED_SOURCE"
    ),
    KeyReused: Refusal(400, "Duplicate Activity", "DUPLICATE"),
    NegativeValue: Refusal(400, "Invalid Parameter - Value", "NEGATIVE_VALUE"),
    AmountTooLarge: Refusal(400, "Invalid Parameter - Value", "AMOUNT_TOO_LARGE"),
    NoExchangeRate: Refusal(400, "Invalid Parameter - Currency", "NO_EXCHANGE_RATE"),
    Implausible: Refusal(400, "Invalid Parameter - Value", "IMPLAUSIBLE_VALUE"),
    ValueTooLarge: Refusal(400, "Invalid Parameter - Value", "VALUE_TOO_LARGE"),
    OccurredTooLongAgo: Refusal(
        400, "Invalid Parameter - Timestamp is too old", "TIMESTAMP_TOO_OLD"
    ),
    OccursInTheFuture: Refusal(
        400, "Invalid Parameter - Timestamp is in the future", "TIMESTAMP_IN_FUTURE"
    ),
    ProgramDisabled: Refusal(401, "Invalid API Key", "PROGRAM_DISABLED"),
    TooManyNewActivityTypes: Refusal(
        400,
        "Invalid Parameter - Activity Name: too many new names wait for review",
        "TOO_MANY_NEW_NAMES",
    ),
    TooManyNewChannels: Refusal(
        400, "Invalid Parameter - Activity Source", "UNKNOWN_SOURCE"
    ),
    UnknownActivityType: Refusal(
        400, "Invalid Parameter - Activity Name", "UNKNOWN_ACTIVITY"
    ),
    UnknownBusinessUnit: Refusal(400, "Unknown Business Unit", "UNKNOWN_UNIT"),
    UnknownChannel: Refusal(
        400, "Invalid Parameter - Activity Source", "UNKNOWN_SOURCE"
    ),
    UnknownMember: Refusal(400, "Invalid Parameter - Identity", "UNKNOWN_CONTACT"),
    UnknownProgram: Refusal(401, "Invalid API Key", "UNKNOWN_PROGRAM"),
}
# What the use cases call a member of the command, and what an item does.
_FIELDS = {
    "type": "activity_name",
    "occurred_at": "timestamp",
    "channel": "activity_source",
    "member": "identity",
    "value": "activity_params",
}
_ITEM = {
    "type": "object",
    "required": [
        "activity_name",
        "asset_id",
        "timestamp",
        "activity_source",
        "activity_params",
    ],
    "properties": {
        "activity_name": {"type": "string", "maxLength": 100, "example": "Purchase"},
        "asset_id": {"type": "string", "maxLength": 255, "example": "website-1"},
        "timestamp": {
            "type": "string",
            "description": "With Z or an offset; else in the program's time zone.",
            "example": "2021-12-29T12:06:28Z",
        },
        "identity": {
            "type": ["string", "integer"],
            "description": "The contact's primary key. This or `annonid` is needed.",
            "example": "C-1001",
        },
        "annonid": {"type": "string", "maxLength": 255},
        "anonid": {"type": "string", "description": "Another spelling of `annonid`."},
        "email": {"type": "string", "description": "For finding the contact only."},
        "mobile": {"type": "string", "description": "For finding the contact only."},
        "activity_source": {"type": "string", "example": "web"},
        "activity_params": {
            "type": "object",
            "description": "Free data; no empty arrays, at any depth.",
            "example": {"currency": "INR", "items": [{"price": 250.3, "quantity": 1}]},
        },
    },
}
_BODY = {
    "oneOf": [
        {"type": "array", "minItems": 1, "maxItems": ITEMS_MAX, "items": _ITEM},
        _ITEM,
    ]
}
_SUCCESS = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string", "enum": ["success"]}},
    "additionalProperties": False,
}
_PREFER = OpenApiParameter(
    "Prefer",
    location=OpenApiParameter.HEADER,
    enum=["handling=strict", "handling=lenient"],
    description="strict: record all or none.",
)


class Upload(ContractView):
    """Activities of contacts, known and not."""

    contract = CONTRACT
    keys = (BEARER, in_header("api-key"))
    refusals = REFUSALS
    parser_classes = [BatchJsonParser]

    @extend_schema(
        summary="Add activities",
        request={"application/json": _BODY},
        responses={200: _SUCCESS, 207: ERROR, 400: ERROR},
        parameters=[_PREFER],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record one activity, or up to 1,000; each on its own.

        200 if all are accepted, 207 if some are, 400 if none is. An activity that
        was sent before is accepted and not counted again. Unknown contacts and
        activity names are created.
        """
        now = clock.now()
        is_strict = _is_strict(request)
        bodies = _bodies_in(request.data)
        reading = _reading(self.caller, now)
        items = [read_item(place, one, reading) for place, one in enumerate(bodies)]

        if not (is_strict and any(item.faults for item in items)):
            commands = _commands(items, self.caller, reading)
            if not (is_strict and len(commands) < len(items)):
                self._record(items, commands, now, is_strict=is_strict)
        return _answer(items, is_strict=is_strict)

    def _record(
        self,
        items: list[Item],
        commands: Sequence[tuple[Item, RecordActivity]],
        now: datetime,
        *,
        is_strict: bool,
    ) -> None:
        """Record the commands; faults of the use case are added to their items."""
        if not commands:
            return
        with transaction.atomic() if is_strict else nullcontext():
            outcomes = record_activities(
                self.caller.program_id,
                [command for _, command in commands],
                now=now,
                may_enrol=True,
            )
            for (item, _), outcome in zip(commands, outcomes, strict=True):
                if isinstance(outcome, Refused):
                    item.faults.append(_fault_of(outcome.error))
            if is_strict and any(item.faults for item in items):
                transaction.set_rollback(True)

    def problem_of(self, exc: Exception) -> Problem | None:
        """Return what an exception means; a body that breaks off is a time-out."""
        if isinstance(exc, UnreadablePostError):
            return Problem(408, "request_timeout", "The body broke off.")
        return super().problem_of(exc)


def _is_strict(request: Request) -> bool:
    wishes = request.headers.get("Prefer", "").lower()
    return "handling=strict" in wishes.replace(" ", "").replace('"', "")


def _bodies_in(body: Any) -> list[Any]:
    if isinstance(body, dict | Unreadable):
        return [body]
    if not isinstance(body, list):
        raise _bad_request("send an activity or an array of activities")
    if not body:
        raise _bad_request("the array is empty")
    if len(body) > ITEMS_MAX:
        raise _bad_request(
            f"at most {ITEMS_MAX:,} activities at a time; these are {len(body):,}"
        )
    return body


def _bad_request(words: str) -> Problem:
    return Problem(400, "bad_request", f"Bad Request - {words}")


def _reading(caller: Caller, now: datetime) -> Reading:
    if len(caller.unit_codes) > 1:
        # Netcore items name no unit; one is what the key says.
        raise Problem(403, "ambiguous_unit", "This API key has several business units.")
    columns = Program.objects.values_list("primary_identity", flat=True)
    return Reading(
        zone=caller.naive_zone,
        primary_identity=columns.get(pk=caller.program_id),
        business_unit=next(iter(caller.unit_codes), None),
        received_at=now,
        rules=current_programme(caller.program_id).identity_rules,
    )


def _commands(
    items: list[Item], caller: Caller, reading: Reading
) -> list[tuple[Item, RecordActivity]]:
    """Return the commands of items without faults, once their words are known."""
    whole = [item for item in items if not item.faults]
    channels = channels_named(
        caller.program_id, {item.source for item in whole}, actor=caller.actor
    )
    for item in whole:
        if item.source not in channels:
            item.faults.append(_fault_of(UnknownChannel("", field="channel")))
    whole = [item for item in whole if not item.faults]
    types = types_named(
        caller.program_id, [item.name for item in whole], actor=caller.actor
    )
    for item in whole:
        if item.name not in types:
            item.faults.append(_fault_of(TooManyNewActivityTypes("", field="type")))
        else:
            read_value(item, types[item.name].value_param)
    return [
        (item, command_of(item, types[item.name], channels[item.source], reading))
        for item in whole
        if not item.faults
    ]


def _fault_of(error: LoyaltyError) -> Fault:
    refusal = refusal_of(REFUSALS, error)
    return Fault(_FIELDS.get(error.field, error.field), refusal.code, refusal.words)


def _answer(items: list[Item], *, is_strict: bool) -> HttpResponse:
    headers = {"Preference-Applied": "handling=strict"} if is_strict else {}
    rejected = sum(bool(item.faults) for item in items)
    if not rejected:
        return answer(SUCCESS, headers=headers)
    accepted = 0 if is_strict else len(items) - rejected
    errors = [
        {"index": item.place, **fault._asdict()}
        for item in items
        for fault in item.faults
    ]
    body = {
        "status": "partial" if accepted else "error",
        "error": errors[0]["error"],
        "accepted": accepted,
        "rejected": len(items) - accepted,
        "errors": errors,
    }
    return answer(body, 207 if accepted else 400, headers)


urlpatterns = [path("v1/activity/upload", Upload.as_view())]
