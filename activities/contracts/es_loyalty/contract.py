"""What the calls of ES Loyalty share: the envelope, the words, the channel rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    UnknownMember,
    ValueTooLarge,
)
from campaigns.services.programme import UnknownProgram
from loyalty.api.contract import Contract, Refusal, answer
from loyalty.api.problems import Problem
from loyalty.engine.numbers import NumberText
from loyalty.errors import LoyaltyError
from loyalty.services.channels import CODE_CHARACTERS_MAX, TooManyNewChannels
from loyalty.services.sessions import (
    BlockedAccount,
    SessionOfAnother,
    UnknownAccount,
    UnknownSession,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.engine.programme import Programme
    from loyalty.models import Program

SOURCE = "es_loyalty"
ID_CHARACTERS_MAX = 128
INVALID_REQUEST = "INVALID_REQUEST"
_CODES = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
    507: "INSUFFICIENT_STORAGE",
}
ERROR = {
    "type": "object",
    "required": ["statusCode", "errorMessage", "errorCode"],
    "properties": {
        "statusCode": {"type": "integer", "example": 400},
        "errorMessage": {"type": "string", "example": "Action not found"},
        "errorCode": {"type": "string", "example": INVALID_REQUEST},
    },
}


class ForeignLoyaltyId(LoyaltyError):
    """The card is not one of the session's account."""

    code = "foreign_loyalty_id"


class ExtendedDataTooLarge(LoyaltyError):
    """More attributes or bytes than are taken."""

    code = "extended_data_too_large"


def _words(sentence: str) -> Refusal:
    return Refusal(400, sentence)


REFUSALS = {
    UnknownBusinessUnit: _words("Provided business unit is not valid"),
    DisabledBusinessUnit: _words("Provided businessUnit is disabled"),
    ForeignLoyaltyId: _words("LoyaltyId specified is not associated with this Account"),
    KeyReused: _words("ActivityID already exists"),
    UnknownChannel: _words("Channel not found"),
    DisabledChannel: _words("Channel not found"),
    TooManyNewChannels: _words("Channel not found"),
    UnknownActivityType: _words("Action not found"),
    OccursInTheFuture: _words("When not found"),
    OccurredTooLongAgo: _words("When not found"),
    ExtendedDataTooLarge: _words("extendedData exceeds the allowed size"),
    NegativeValue: _words("Value is not valid"),
    AmountTooLarge: _words("Value is not valid"),
    NoExchangeRate: _words("Currency is not valid"),
    Implausible: _words("Value is not valid"),
    ValueTooLarge: _words("Value is not valid"),
    UnknownSession: _words("Session not found"),
    SessionOfAnother: _words("CorrelationID is in use by another session"),
    UnknownAccount: _words("Account not found"),
    UnknownMember: _words("Account not found"),
    BlockedAccount: _words("Account is not active"),
    BlockedMember: _words("Account is not active"),
    ProgramDisabled: Refusal(401, "The program of this API key is disabled."),
    UnknownProgram: Refusal(401, "The program of this API key is gone."),
}


def envelope(problem: Problem, _request: HttpRequest) -> HttpResponse:
    """Return a problem as the page's error tables spell it."""
    body = {
        "statusCode": problem.status,
        "errorMessage": problem.detail,
        "errorCode": _CODES.get(problem.status, INVALID_REQUEST),
    }
    return answer(body, problem.status, problem.headers)


CONTRACT = Contract(
    SOURCE,
    "ES Loyalty",
    ("/client/",),
    envelope,
    ERROR,
    # As the page shows them under 200 and 400.
    headers={
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    },
    is_for_browsers=True,
)


def invalid(sentence: str) -> Problem:
    """Return the refusal of a part that the page has no words for."""
    return Problem(400, "invalid", sentence)


def object_body(body: Any) -> dict[str, Any]:
    """Return the body, which has to be an object; nothing is an empty one."""
    if isinstance(body, dict):
        return body
    raise invalid("The request body must be a JSON object")


def text_of(value: Any) -> str | None:
    """Return trimmed text; None if the value is no text. Blank text stays blank."""
    if isinstance(value, str) and not isinstance(value, NumberText):
        return value.strip()
    return None


def channel_of(body: dict[str, Any], program: Program) -> str:
    """Return the code of the channel that a body names, or the program's default.

    Raises:
        UnknownChannel: null, blank or no text; too long for any channel; or left
            out, and the program has no default.
    """
    code = text_of(body["channel"]) if "channel" in body else program.default_channel
    if not code or len(code) > CODE_CHARACTERS_MAX:
        raise UnknownChannel("No channel is named.", field="channel")
    return code


def is_new_channel(code: str, program: Program, programme: Programme) -> bool:
    """Whether the channel is to be discovered.

    Raises:
        UnknownChannel: it is not listed, and the program takes no others.
        DisabledChannel: it is switched off.
    """
    channel = programme.channels.get(code)
    if channel is None and program.has_closed_channels:
        raise UnknownChannel(f"There is no channel “{code}”.", field="channel")
    if channel is not None and not channel.is_enabled:
        raise DisabledChannel(f"The channel “{code}” is disabled.", field="channel")
    return channel is None
