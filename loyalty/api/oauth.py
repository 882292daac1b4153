"""``POST /oauth/token``: an access token for an API key (RFC 6749, section 4.4).

The API key is the client: its prefix, before the point, is the ``client_id`` and
what follows the point the ``client_secret``. Sent as HTTP Basic or in the form.
oauthlib reads the request and words the errors; nothing but the client
credentials grant is offered. A token lives an hour, opens what its key opens, or
less if ``scope`` asks for less (``read``, ``write``, ``interactions:write``), and
dies with the key.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from oauthlib.oauth2 import BackendApplicationServer, OAuth2Error, RequestValidator

from loyalty.api.authentication import Caller, caller_of, digest_of
from loyalty.api.contract import Contract, ContractView
from loyalty.api.form_bodies import FormParser
from loyalty.api.problems import Problem
from loyalty.services.access_tokens import LIFETIME, keep_access_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.authentication import BaseAuthentication
    from rest_framework.request import Request

# To interact with campaigns for members, and nothing else.
INTERACTIONS = "interactions:write"
# RFC 6749, section 5.1.
NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "example": "invalid_client"},
        "error_description": {"type": "string"},
    },
}
_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string", "description": "The key, before the point."},
        "client_secret": {"type": "string", "description": "After the point."},
        "scope": {"type": "string", "example": "read write"},
    },
}
_TOKEN = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "enum": ["Bearer"]},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "scope": {"type": "string"},
    },
}


def envelope(problem: Problem, _request: HttpRequest) -> HttpResponse:
    """Return a problem as RFC 6749, section 5.2, spells errors."""
    is_unreadable = problem.status in {411, 415, 422}
    body = {"error": "invalid_request", "error_description": problem.detail}
    if problem.status >= 500:
        body["error"] = "server_error"
    return HttpResponse(
        orjson.dumps(body),
        status=400 if is_unreadable else problem.status,
        content_type="application/json",
        headers={**NOT_STORED, **problem.headers},
    )


CONTRACT = Contract("oauth", "OAuth 2.0", ("/oauth/",), envelope, _ERROR)


@dataclass(frozen=True, slots=True)
class _Client:
    client_id: str
    caller: Caller

    @property
    def scopes(self) -> list[str]:
        allowed = {
            "read": self.caller.can_read,
            "write": self.caller.can_write,
            INTERACTIONS: self.caller.can_interact,
        }
        return [scope for scope, is_allowed in allowed.items() if is_allowed]

    @property
    def default_scopes(self) -> list[str]:
        """Everything; not named is what writing includes."""
        included = {INTERACTIONS} if self.caller.can_write else set()
        return [scope for scope in self.scopes if scope not in included]


class _Validator(RequestValidator):  # type: ignore[misc]
    """Tells oauthlib who a client is and what it may ask for."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        client_id, secret = _credentials(request)
        try:
            caller = caller_of(f"{client_id}.{secret}")
        except Problem:
            return False
        request.client = _Client(client_id, caller)
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *_: Any
    ) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(self, client_id: str, request: Any, *_: Any) -> list[str]:
        return request.client.default_scopes  # type: ignore[no-any-return]

    def validate_scopes(
        self, client_id: str, scopes: Sequence[str], client: Any, request: Any, *_: Any
    ) -> bool:
        return bool(scopes) and set(scopes) <= set(client.scopes)

    def save_bearer_token(
        self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        keep_access_token(
            digest_of(token["access_token"]),
            request.client.caller.key_id,
            frozenset(request.scopes),
            now=datetime.now(tz=UTC),
        )


def _credentials(request: Any) -> tuple[str, str]:
    """Return id and secret from HTTP Basic, else from the form; empty if absent."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:  # no ASCII, no Base64, or no UTF-8
            return "", ""
        client_id, _, secret = text.partition(":")
        return unquote_plus(client_id), unquote_plus(secret)
    return request.client_id or "", request.client_secret or ""


_server = BackendApplicationServer(
    _Validator(),
    token_generator=lambda _: secrets.token_urlsafe(32),
    token_expires_in=int(LIFETIME.total_seconds()),
)


class TokenView(ContractView):
    """Gives access tokens to clients that show their credentials."""

    contract = CONTRACT
    permission_classes = []
    parser_classes = [FormParser]

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return none: the credentials are what the call is about."""
        return []

    @extend_schema(
        request={FormParser.media_type: _FORM}, responses={200: _TOKEN}, auth=[]
    )
    def post(self, request: Request) -> HttpResponse:
        """Give an access token for client credentials."""
        _ = request.data  # refuses bodies that are no forms
        body, status = _token_response(request)
        response = HttpResponse(
            body, status=status, content_type="application/json", headers=NOT_STORED
        )
        if status == 401:
            response["WWW-Authenticate"] = 'Basic realm="loyalty"'
        return response


def _token_response(request: Request) -> tuple[str, int]:
    headers = {
        "Content-Type": request.META.get("CONTENT_TYPE", ""),
        "Authorization": request.META.get("HTTP_AUTHORIZATION", ""),
    }
    sent = request._request.body.decode(errors="replace")
    # Written anew: at escapes like "%zz" oauthlib would break.
    address = f"{request.path}?{request.query_params.urlencode()}"
    try:
        _, body, status = _server.create_token_response(address, "POST", sent, headers)
    except OAuth2Error as error:
        # What it refuses before it looks at the grant, it raises.
        return error.json, error.status_code
    return body, status


urlpatterns = [path("oauth/token", TokenView.as_view())]
