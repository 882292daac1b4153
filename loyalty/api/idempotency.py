"""``Idempotency-Key``: a POST that is sent twice acts once.

The answer of the first is stored in the transaction of its write and given again,
byte for byte, with ``Idempotency-Replayed: true``. Refused requests store nothing:
their key stays free. Activities do not need this, their own row is the record.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse

from loyalty.api.fields import moment_text
from loyalty.api.problems import Problem, invalid
from loyalty.api.rendering import json_bytes
from loyalty.models import IdempotentResponse

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.request import Request
    from rest_framework.response import Response

REPLAYED = "Idempotency-Replayed"
#: With a replay: when what was recorded then was undone, in UTC.
REVERSED = "Activity-Reversed"
KEY_CHARACTERS_MAX = 255
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-~][!-~]*")

Handler = TypeVar("Handler", bound=Callable[..., Any])


def sent_key(request: Request, longest: int = KEY_CHARACTERS_MAX) -> str | None:
    """Return the request's key, quoted (RFC 8941) or bare; None if it has none.

    Raises:
        Problem: 400, the header holds no key of 1 to ``longest`` characters.
    """
    header = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return None
    text = str(header).strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif not _BARE.fullmatch(text):
        text = ""
    if not 1 <= len(text) <= longest:
        detail = f"A key has 1 to {longest} visible ASCII characters."
        entry = {"header": "Idempotency-Key", "code": "invalid", "detail": detail}
        raise invalid([entry])
    return text


def claim(*words: object) -> None:
    """Hold ``words`` until the transaction ends.

    Raises:
        Problem: 409, another request holds them right now.
    """
    digest = hashlib.blake2b("\n".join(map(str, words)).encode(), digest_size=8)
    number = int.from_bytes(digest.digest(), "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (is_held,) = cursor.fetchone()
    if not is_held:
        raise Problem(
            409,
            "in_flight",
            "A request with this key is being worked on. Ask again.",
            headers={"Retry-After": "1"},
        )


def replay_headers(reversed_at: datetime | None, *, is_replay: bool) -> dict[str, str]:
    """Return the headers of an answer that may be a repeated one."""
    if not is_replay:
        return {}
    if reversed_at is None:
        return {REPLAYED: "true"}
    return {REPLAYED: "true", REVERSED: moment_text(reversed_at)}


def idempotent(handler: Handler) -> Handler:
    """Let a POST handler honour ``Idempotency-Key``; it runs in a transaction."""

    @functools.wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = sent_key(request)
        with transaction.atomic():
            if key is None:
                return handler(view, request, *args, **kwargs)
            program_id = view.caller.program_id
            claim("idempotent", program_id, key)
            payload = _payload(request)
            fingerprint = hashlib.sha256(_canonical(payload)).hexdigest()
            stored = IdempotentResponse.objects.filter(
                program_id=program_id, key=key
            ).first()
            if stored is not None:
                return _replay(stored, payload, fingerprint)
            response = handler(view, request, *args, **kwargs)
            return _stored(response, program_id, key, payload, fingerprint)

    answer.takes_idempotency_key = True  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]


def _payload(request: Request) -> dict[str, Any]:
    body = request.data
    if hasattr(body, "lists"):
        body = {
            name: _digest(values[0]) if isinstance(values[0], UploadedFile) else values
            for name, values in body.lists()
        }
    # Through JSON, so that it compares equal to what the column gives back.
    found: dict[str, Any] = orjson.loads(
        orjson.dumps({"path": request.path, "body": body}, default=str)
    )
    return found


def _digest(file: UploadedFile[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _canonical(payload: dict[str, Any]) -> bytes:
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def _stored(
    response: Response,
    program_id: int,
    key: str,
    payload: dict[str, Any],
    fingerprint: str,
) -> HttpResponse:
    body = b"" if response.data is None else json_bytes(response.data)
    IdempotentResponse.objects.create(
        program_id=program_id,
        key=key,
        fingerprint=fingerprint,
        payload=payload,
        status=response.status_code,
        body=body,
    )
    return HttpResponse(
        body, status=response.status_code, content_type="application/json"
    )


def _replay(
    stored: IdempotentResponse, payload: dict[str, Any], fingerprint: str
) -> HttpResponse:
    if stored.fingerprint != fingerprint:
        differing = _differing(stored.payload, payload)
        raise Problem(
            422,
            "key_reused",
            f"The key “{stored.key}” was used for another request. "
            f"It differs in: {', '.join(differing)}.",
            errors=[
                {
                    "header": "Idempotency-Key",
                    "code": "key_reused",
                    "detail": "Use a new key for a new request.",
                }
            ],
            differing=differing,
        )
    return HttpResponse(
        bytes(stored.body),
        status=stored.status,
        content_type="application/json",
        headers={REPLAYED: "true"},
    )


def _differing(stored: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    if stored["path"] != asked["path"]:
        return ["path"]
    before, now = stored["body"], asked["body"]
    if not isinstance(before, dict) or not isinstance(now, dict):
        return ["body"]
    names = sorted(before.keys() | now.keys())
    return [name for name in names if before.get(name) != now.get(name)] or ["body"]
