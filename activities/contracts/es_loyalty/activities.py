"""``POST /client/users/:correlation_id/activities[/:activity_id]``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from activities.api.commands import check_unit
from activities.contracts.es_loyalty.contract import (
    CONTRACT,
    ID_CHARACTERS_MAX,
    REFUSALS,
    SOURCE,
    ExtendedDataTooLarge,
    ForeignLoyaltyId,
    channel_of,
    invalid,
    is_new_channel,
    object_body,
    text_of,
)
from activities.services import (
    DisabledBusinessUnit,
    KeyReused,
    RecordActivity,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    record_activity,
)
from activities.services.known_keys import is_known_key
from campaigns.services.programme import current_programme
from loyalty.api.bodies import plain
from loyalty.api.contract import ContractView, Refusal
from loyalty.api.idempotency import idempotent
from loyalty.api.points import points_of
from loyalty.engine.facts import Bucket
from loyalty.engine.moments import InvalidMoment, Moment, parse_day
from loyalty.engine.numbers import NumberText
from loyalty.errors import LoyaltyError
from loyalty.models import Partner
from loyalty.services import clock
from loyalty.services.channels import discover_channel
from loyalty.services.sessions import (
    LOYALTY_ID_KIND,
    canonical,
    has_identity,
    session_with,
)

if TYPE_CHECKING:
    from rest_framework.request import Request

    from loyalty.api.authentication import Caller
    from loyalty.engine.decisions import Decision
    from loyalty.engine.facts import Wallet
    from loyalty.engine.programme import NamedUnit, Programme, TypeRule
    from loyalty.models import ClientSession

NOTE_CHARACTERS_MAX = 1_000
ATTRIBUTES_MAX = 20
EXTENDED_BYTES_MAX = 5 * 1_024
_BUCKETS = (Bucket.BASE.value, Bucket.BONUS.value, Bucket.TARGETED.value)
_BODY = {
    "type": "object",
    "required": ["action", "when"],
    "properties": {
        "action": {"type": "string", "example": "SURVEY_RESPONSE"},
        "channel": {"type": "string", "example": "APP"},
        "businessUnit": {
            "type": ["string", "null"],
            "description": "The unit's name, to the letter. Left out, null or blank: "
            "offers of every unit are considered.",
        },
        "note": {"type": ["string", "null"], "maxLength": NOTE_CHARACTERS_MAX},
        "when": {"type": "string", "example": "2026-01-14T19:00:00+05:30"},
        "loyaltyId": {"type": ["string", "null"]},
        "extendedData": {
            "type": ["array", "null"],
            "maxItems": ATTRIBUTES_MAX,
            "description": "At most 5 KB.",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": "string"},
                },
            },
        },
    },
}
_SUMS = {
    "type": "object",
    "properties": {name: {"type": "number"} for name in (*_BUCKETS, "total")},
}
_ANSWER = {
    "type": "object",
    "required": ["activityId", "type", "earned"],
    "properties": {
        "activityId": {"type": "string"},
        "type": {"type": "string"},
        "earned": {
            "type": "object",
            "description": "By name of the business unit or partner, then by wallet.",
            "additionalProperties": {"type": "object", "additionalProperties": _SUMS},
        },
    },
}


class _NewChannel(UnknownChannel):
    """All is well, but the channel is to be listed first."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"There is no channel “{channel}”.", field="channel")
        self.channel = channel


class _NoMoment(LoyaltyError):
    """The time is absent or none."""

    code = "no_moment"


class Activities(ContractView):
    """Activities of the member that a session serves."""

    contract = CONTRACT
    refusals = {**REFUSALS, _NoMoment: Refusal(400, "When not found")}

    @extend_schema(request={"application/json": _BODY}, responses={200: _ANSWER})
    def post(
        self, request: Request, correlation_id: str, activity_id: str = ""
    ) -> Response:
        """Send an activity and read what it earned.

        An activity id that is known is refused. Without one a GUID is made up, and
        the call must not be repeated without an `Idempotency-Key`.
        """
        now = clock.now()
        body = object_body(request.data)
        session = session_with(self.caller.program_id, correlation_id, now=now)
        call = _Call(body, session, self.caller, now, *_ids(activity_id.strip()))
        try:
            return self._record(request, call)
        except _NewChannel as new:
            # Not in the transaction above: it would wait for itself.
            discover_channel(session.program_id, new.channel, actor=self.caller.actor)
            return self._record(request, call)

    post.takes_idempotency_key = True  # type: ignore[attr-defined]

    @idempotent
    def _record(self, request: Request, call: _Call) -> Response:
        program_id = call.session.program_id
        _refuse_known(program_id, call.key)
        programme = current_programme(program_id)
        command = to_command(call, programme)

        recorded = record_activity(program_id, command, now=call.received_at)

        if recorded.is_replay or recorded.decision is None:
            # Somebody else sent the same at the same time.
            raise _known(call.key)
        return Response(
            {
                "activityId": call.activity_id,
                "type": command.activity_type,
                "earned": earned_of(recorded.decision, command, call.session),
            }
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """One call: its body, and what is known before the body is read.

    ``activity_id`` is answered, ``key`` is kept: the same GUID may be spelled in
    several ways.
    """

    body: dict[str, Any]
    session: ClientSession
    caller: Caller
    received_at: datetime
    activity_id: str
    key: str


def _ids(sent: str) -> tuple[str, str]:
    if len(sent) > ID_CHARACTERS_MAX:
        raise invalid("ActivityID is not valid")
    activity_id = sent or str(uuid.uuid4())
    return activity_id, canonical(activity_id)


def _known(key: str) -> KeyReused:
    return KeyReused(f"The activity id “{key}” is known.", field="key")


def _refuse_known(program_id: int, key: str) -> None:
    """Refuse before anything else is looked at: a repeated call reads the same."""
    if is_known_key(program_id, SOURCE, key):
        raise _known(key)


def to_command(call: _Call, programme: Programme) -> RecordActivity:
    """Return the command that a call asks for; refusals in the order of the page.

    Raises:
        LoyaltyError: a refusal of the table.
        Problem: note or extended data cannot be taken, or the key is bound to other
            business units.
        _NewChannel: all is well, but the channel has to be listed first.
    """
    body, session = call.body, call.session
    unit = _business_unit(body, programme)
    check_unit(call.caller, unit.code if unit else None)
    _check_loyalty_id(body, session)
    channel = channel_of(body, session.program)
    is_new = is_new_channel(channel, session.program, programme)
    action = _action(body, programme)
    moment = _moment(body, call)
    data = {"correlationId": session.correlation_id, **_note(body), **_extended(body)}
    if is_new:
        raise _NewChannel(channel)
    is_anonymous = session.member_id is None
    return RecordActivity(
        source=SOURCE,
        key=call.key,
        activity_type=action,
        occurred_at=moment.at,
        occurred_at_text=(text_of(body["when"]) or "")[:40],
        received_at=call.received_at,
        zone_assumed=moment.zone_assumed,
        member_id=session.member_id,
        anonymous_id=session.correlation_id if is_anonymous else None,
        channel=channel,
        business_unit=unit.code if unit else None,
        data=data,
    )


def _business_unit(body: dict[str, Any], programme: Programme) -> NamedUnit | None:
    value = body.get("businessUnit")
    name = "" if value is None else text_of(value)
    if name == "":
        return None
    unit = None if name is None else programme.units_by_name.get(name)
    if unit is None:
        raise UnknownBusinessUnit(f"No unit is called “{value}”.")
    if not unit.is_enabled:
        raise DisabledBusinessUnit(f"The unit “{name}” is disabled.")
    return unit


def _check_loyalty_id(body: dict[str, Any], session: ClientSession) -> None:
    value = body.get("loyaltyId")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    card = "" if value is None else text_of(value)
    if card != "" and not (
        card and has_identity(session.member_id, LOYALTY_ID_KIND, card)
    ):
        raise ForeignLoyaltyId("The session's account has no such card.")


def _action(body: dict[str, Any], programme: Programme) -> str:
    action = text_of(body.get("action"))
    rule = programme.types.get(action) if action else None
    if action is None or rule is None or not rule.offer.is_enabled:
        raise UnknownActivityType(f"There is no action “{action}”.", field="type")
    return action


def _moment(body: dict[str, Any], call: _Call) -> Moment:
    try:
        return parse_day(text_of(body.get("when")), call.caller.naive_zone)
    except InvalidMoment as error:
        raise _NoMoment(str(error), field="occurred_at") from None


def _note(body: dict[str, Any]) -> dict[str, Any]:
    value = body.get("note")
    if value is None:
        return {}
    note = text_of(value)
    if note is None or len(note) > NOTE_CHARACTERS_MAX:
        raise invalid("note is not valid")
    return {"note": note}


def _extended(body: dict[str, Any]) -> dict[str, Any]:
    attributes = body.get("extendedData")
    if attributes is None:
        return {}
    if not isinstance(attributes, list) or not all(
        isinstance(one, dict) for one in attributes
    ):
        raise invalid("extendedData is not valid")
    if len(attributes) > ATTRIBUTES_MAX or _size(attributes) > EXTENDED_BYTES_MAX:
        raise ExtendedDataTooLarge("Too many attributes or bytes.")
    values = [value for one in attributes for value in one.values()]
    if any(isinstance(value, dict | list) for value in values):
        raise invalid("extendedData allows only top-level attributes")
    return {"extendedData": plain(attributes, "/extendedData")}


def _size(attributes: list[dict[str, Any]]) -> int:
    """Return the bytes of the attributes as compact JSON, numbers as written."""
    numbers = sum(
        isinstance(value, NumberText) for one in attributes for value in one.values()
    )
    return len(orjson.dumps(attributes)) - 2 * numbers


def earned_of(
    decision: Decision, command: RecordActivity, session: ClientSession
) -> dict[str, Any]:
    """Return what was earned by name of the unit or partner, then by wallet.

    A unit that the call names stands there even if it paid nothing.
    """
    programme = current_programme(session.program_id)
    rule = programme.types[command.activity_type]
    names = {unit.id: unit.name for unit in programme.units.values()}
    sums: dict[str, dict[Wallet, dict[str, int]]] = {}
    if command.business_unit is not None:
        name = programme.units[command.business_unit].name
        sums[name] = {rule.offer.wallet: dict.fromkeys(_BUCKETS, 0)}
    for award in decision.awards:
        unit_id = award.business_unit_id
        name = _owner(rule, session) if unit_id is None else names[unit_id]
        bucket = award.offer.bucket.value
        of_wallet = sums.setdefault(name, {}).setdefault(
            award.offer.wallet, dict.fromkeys(_BUCKETS, 0)
        )
        of_wallet[bucket] += award.points
    return {
        name: {wallet.code: _written(wallet, some) for wallet, some in wallets.items()}
        for name, wallets in sums.items()
    }


def _owner(rule: TypeRule, session: ClientSession) -> str:
    """Return under whose name points of no unit stand: the partner's, else ours."""
    partner = Partner.objects.filter(activitytype=rule.offer.id).first()
    return partner.name if partner else session.program.name


def _written(wallet: Wallet, sums: dict[str, int]) -> dict[str, Any]:
    amounts = {**sums, "total": sum(sums.values())}
    return {name: points_of(one, wallet.decimals) for name, one in amounts.items()}


urlpatterns = [
    path("client/users/<str:correlation_id>/activities", Activities.as_view()),
    # Clients that fill the id into the address may fill in nothing.
    path(
        "client/users/<str:correlation_id>/activities/",
        Activities.as_view(schema=None),
    ),
    path(
        "client/users/<str:correlation_id>/activities/<str:activity_id>",
        Activities.as_view(),
    ),
]
