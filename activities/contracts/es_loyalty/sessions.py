"""``POST /client/users/:identifier/sessions`` and ``…/anonymous/sessions``."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from activities.contracts.es_loyalty.contract import (
    CONTRACT,
    ID_CHARACTERS_MAX,
    REFUSALS,
    channel_of,
    invalid,
    is_new_channel,
    object_body,
    text_of,
)
from campaigns.services.programme import current_programme
from loyalty.api.contract import ContractView
from loyalty.api.idempotency import idempotent
from loyalty.api.points import points_of
from loyalty.models import Account, IdentifierType, Program
from loyalty.services import clock
from loyalty.services.sessions import (
    ACCOUNT_ID_KIND,
    LOYALTY_ID_KIND,
    Opening,
    identity_of,
    open_session,
)

if TYPE_CHECKING:
    from rest_framework.request import Request

    from loyalty.models import ClientSession

IDENTIFIER_TYPE = "X-Identifier-Type"
_BODY = {
    "type": "object",
    "properties": {
        "correlationId": {
            "type": "string",
            "maxLength": ID_CHARACTERS_MAX,
            "description": "Your name for the session, a GUID if possible.",
        },
        "channel": {"type": "string", "example": "APP"},
    },
}
_BALANCES = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "balance": {"type": "number"},
            "pending": {"type": "number"},
            "redeemable": {"type": "number"},
        },
    },
}
_ACCOUNT = {
    "type": "object",
    "properties": {
        "correlationId": {"type": "string"},
        "accountId": {"type": "string"},
        "loyaltyId": {"type": ["string", "null"]},
        "status": {"type": "string", "enum": ["ACTIVE"]},
        "balances": _BALANCES,
    },
}
_NOBODY = {
    "type": "object",
    "properties": {
        "correlationId": {"type": "string"},
        "loyaltyId": {"type": "string", "enum": ["anonymous"]},
        "membershipType": {"type": "string", "enum": ["N"]},
        "status": {"type": "string", "enum": ["NO_CARD"]},
        "isValid": {"type": "boolean"},
    },
}


class Sessions(ContractView):
    """Sessions with an account."""

    contract = CONTRACT
    refusals = REFUSALS

    @extend_schema(
        request={"application/json": _BODY},
        responses={200: _ACCOUNT},
        parameters=[
            OpenApiParameter(
                IDENTIFIER_TYPE,
                str,
                OpenApiParameter.HEADER,
                enum=IdentifierType.values,
                description="What the identifier in the path is.",
            )
        ],
    )
    @idempotent
    def post(self, request: Request, identifier: str) -> Response:
        """Start a session for a user account.

        An id that a session of the same account has already gives that session.
        """
        program = Program.objects.get(pk=self.caller.program_id)
        kind = _identifier_type(request, program)

        session = _open(request, program, identifier, kind)

        card = identifier if kind is IdentifierType.LOYALTY_ID else None
        return Response(_account_body(session, card))


class AnonymousSessions(ContractView):
    """Sessions with somebody who shows no card."""

    contract = CONTRACT
    refusals = REFUSALS

    @extend_schema(request={"application/json": _BODY}, responses={200: _NOBODY})
    @idempotent
    def post(self, request: Request) -> Response:
        """Start a session without a loyalty id."""
        program = Program.objects.get(pk=self.caller.program_id)

        session = _open(request, program, None, None)

        return Response(
            {
                "correlationId": session.correlation_id,
                "loyaltyId": "anonymous",
                "membershipType": "N",
                "status": "NO_CARD",
                "isValid": True,
            }
        )


def _open(
    request: Request,
    program: Program,
    identifier: str | None,
    kind: IdentifierType | None,
) -> ClientSession:
    now = clock.now()
    body = object_body(request.data)
    channel = channel_of(body, program)
    is_new_channel(channel, program, current_programme(program.pk))
    opening = Opening(_correlation_id(body), channel, identifier, kind)
    return open_session(program.pk, opening, now=now)


def _identifier_type(request: Request, program: Program) -> IdentifierType:
    name = request.headers.get(IDENTIFIER_TYPE, "").strip().upper()
    if name and name not in IdentifierType.values:
        raise invalid(f"{IDENTIFIER_TYPE} is not valid")
    return IdentifierType(name or program.default_identifier_type)


def _correlation_id(body: dict[str, Any]) -> str:
    value = body.get("correlationId")
    name = "" if value is None else text_of(value)
    if name is None or len(name) > ID_CHARACTERS_MAX:
        raise invalid("correlationId is not valid")
    return name or str(uuid.uuid4())


def _account_body(session: ClientSession, card: str | None) -> dict[str, Any]:
    member_id = session.member_id
    if member_id is None:
        raise AssertionError("A session with an account has a member.")
    return {
        "correlationId": session.correlation_id,
        "accountId": identity_of(member_id, ACCOUNT_ID_KIND),
        "loyaltyId": card or identity_of(member_id, LOYALTY_ID_KIND),
        "status": "ACTIVE",
        "balances": _balances(member_id, session),
    }


def _balances(member_id: int, session: ClientSession) -> dict[str, Any]:
    # Who only knows a phone number may not redeem.
    may_redeem = session.identifier_type != IdentifierType.PHONE_NUMBER
    accounts = Account.objects.as_of(clock.now()).filter(member_id=member_id)
    balances = {}
    for account in accounts.select_related("wallet").order_by("wallet_id"):
        available = account.spendable_at if may_redeem else 0
        decimals = account.wallet.decimals
        balances[account.wallet.code] = {
            "balance": points_of(account.balance_at, decimals),
            "pending": points_of(account.pending_at, decimals),
            "redeemable": points_of(available, decimals),
        }
    return balances


urlpatterns = [
    path("client/users/anonymous/sessions", AnonymousSessions.as_view()),
    path("client/users/<str:identifier>/sessions", Sessions.as_view()),
]
