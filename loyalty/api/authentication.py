"""Who calls: an API key, found by its prefix and checked by its hash.

Or a short-lived access token that was got for one (``loyalty.api.oauth``). One
query a request and never a write. The program that the key belongs to comes
with it, so every queryset can be cut to it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection
from rest_framework.authentication import BaseAuthentication

from loyalty.api.problems import Problem
from loyalty.models import ApiKey, NaiveTimestampPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

CHALLENGE = 'Bearer realm="loyalty"'
_KEY = re.compile(r"([A-Za-z0-9]{1,8})\.[A-Za-z0-9]{1,120}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_COLUMNS = """
SELECT k.id, k.name, k.hashed_key, k.revoked, k.expiry_date, k.can_read, k.can_write,
       k.program_id, p.is_enabled, p.time_zone, p.naive_timestamp_policy,
       ARRAY(SELECT u.id FROM loyalty_apikey_business_units l
             JOIN loyalty_businessunit u ON u.id = l.businessunit_id
             WHERE l.apikey_id = k.id),
       ARRAY(SELECT u.code FROM loyalty_apikey_business_units l
             JOIN loyalty_businessunit u ON u.id = l.businessunit_id
             WHERE l.apikey_id = k.id),
       k.can_interact
"""
_KEY_ROW = f"""
{_COLUMNS}
FROM loyalty_apikey k JOIN loyalty_program p ON p.id = k.program_id
WHERE k.prefix = %s
"""
_TOKEN_ROW = f"""
{_COLUMNS}, t.can_read, t.can_write, t.can_interact, t.expires_at
FROM loyalty_accesstoken t JOIN loyalty_apikey k ON k.id = t.api_key_id
JOIN loyalty_program p ON p.id = k.program_id
WHERE t.digest = %s
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a key may do. No units means every unit of the program."""

    key_id: str
    name: str
    program_id: int
    zone: tzinfo
    naive_policy: str
    can_read: bool
    can_write: bool
    unit_ids: frozenset[int] = frozenset()
    unit_codes: frozenset[str] = frozenset()
    can_interact: bool = False

    @property
    def naive_zone(self) -> tzinfo | None:
        """The zone of moments that name none; None if they are refused."""
        if self.naive_policy == NaiveTimestampPolicy.REJECT:
            return None
        return UTC if self.naive_policy == NaiveTimestampPolicy.UTC else self.zone

    @property
    def actor(self) -> str:
        """How this caller is called in records of changes."""
        return f"API key {self.name}"


class Client:
    """The user of a request that an API key makes."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    pk = None


CLIENT = Client()


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer <key>``, or ``X-API-Key: <key>``."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        """Return the caller; None if the request carries no key."""
        key = _sent_key(request.META)
        if key is None:
            return None
        return CLIENT, caller_of(key)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


def _sent_key(meta: dict[str, Any]) -> str | None:
    scheme, _, credentials = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(credentials).strip()
    key = meta.get("HTTP_X_API_KEY")
    return None if key is None else str(key).strip()


def caller_of(key: str) -> Caller:
    """Return the caller that holds ``key``, an API key or an access token.

    Raises:
        Problem: 401; the key is unknown, revoked or expired, or its program is
            disabled. Which of these is told only to who holds the whole key.
    """
    if _TOKEN.fullmatch(key):
        return _caller_of_token(key)
    match = _KEY.fullmatch(key)
    row = _row(_KEY_ROW, match[1]) if match else None
    if row is None or not ApiKey.objects.key_generator.verify(key, row[2]):
        raise _denied("unknown_key", "This API key is unknown.")
    return _caller(row)


def _caller_of_token(token: str) -> Caller:
    row = _row(_TOKEN_ROW, digest_of(token))
    if row is None:
        raise _denied("unknown_key", "This access token is unknown.")
    *of_key, can_read, can_write, can_interact, expires_at = row
    if expires_at <= datetime.now(tz=UTC):
        raise _denied("expired_key", "This access token has expired.")
    caller = _caller(of_key)
    return replace(
        caller,
        can_read=caller.can_read and can_read,
        can_write=caller.can_write and can_write,
        can_interact=caller.can_interact and (can_interact or can_write),
    )


def digest_of(token: str) -> bytes:
    """Return what is kept of an access token. Tokens are random: no salt is needed."""
    return hashlib.sha256(token.encode()).digest()


def _caller(row: Sequence[Any]) -> Caller:
    if row[3]:
        raise _denied("revoked_key", "This API key was revoked.")
    if row[4] is not None and row[4] <= datetime.now(tz=UTC):
        raise _denied("expired_key", "This API key has expired.")
    if not row[8]:
        raise _denied("program_disabled", "The program of this API key is disabled.")
    return Caller(
        key_id=row[0],
        name=row[1],
        program_id=row[7],
        zone=ZoneInfo(row[9]),
        naive_policy=row[10],
        can_read=row[5],
        can_write=row[6],
        unit_ids=frozenset(row[11]),
        unit_codes=frozenset(row[12]),
        # To write is to interact, too.
        can_interact=row[6] or row[13],
    )


def _row(query: str, value: str | bytes) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, [value])
        return cursor.fetchone()


def _denied(code: str, detail: str) -> Problem:
    headers = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}
    return Problem(401, code, detail, headers=headers)


def no_key() -> Problem:
    """Return the problem of a request without a key."""
    return Problem(
        401,
        "missing_key",
        "Send an API key: “Authorization: Bearer <key>” or “X-API-Key: <key>”.",
        headers={"WWW-Authenticate": CHALLENGE},
    )
