"""``Idempotency-Key`` of the contract: the first answer again, byte for byte.

Who meets a call with the same key that is being worked on waits for it. The key
belongs to the campaign and the member it was used for first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.http import HttpResponse

from activities.contracts.spaaza.codes import refusal
from activities.contracts.spaaza.envelope import SOURCE
from loyalty.api.contract import answer
from loyalty.api.idempotency import REPLAYED
from loyalty.api.rendering import json_bytes
from loyalty.models import IdempotentResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from activities.contracts.spaaza.gathering import Target


def answer_once(target: Target, act: Callable[[], dict[str, Any]]) -> HttpResponse:
    """Return the answer of ``act``, or the one that was given under the key.

    Raises:
        Problem: 419, the key was used for another campaign or member.
        LoyaltyError: whatever ``act`` refuses; the key stays free.
    """
    if not target.key:
        return answer(act())
    with transaction.atomic():
        _wait_for(target)
        stored = IdempotentResponse.objects.filter(
            program_id=target.program_id, key=_stored_key(target)
        ).first()
        if stored is not None:
            return _replay(stored, target)
        body = json_bytes(act())
        IdempotentResponse.objects.create(
            program_id=target.program_id,
            key=_stored_key(target),
            fingerprint=_fingerprint(target),
            payload=_payload(target),
            status=200,
            body=body,
        )
    return _answer(body)


def _stored_key(target: Target) -> str:
    # Apart from the keys of the native API, which have one line.
    return f"{SOURCE}\n{target.key}"


def _payload(target: Target) -> dict[str, int]:
    return {"campaign": target.campaign_id, "member": target.member_id}


def _fingerprint(target: Target) -> str:
    return hashlib.sha256(json_bytes(_payload(target))).hexdigest()


def _wait_for(target: Target) -> None:
    words = f"{SOURCE}\n{target.program_id}\n{target.key}".encode()
    digest = hashlib.blake2b(words, digest_size=8).digest()
    number = int.from_bytes(digest, "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _replay(stored: IdempotentResponse, target: Target) -> HttpResponse:
    if stored.fingerprint != _fingerprint(target):
        raise refusal(
            "parameter_invalid",
            "The Idempotency-Key was used for another campaign or user.",
        )
    response = _answer(bytes(stored.body))
    response[REPLAYED] = "true"
    return response


def _answer(body: bytes) -> HttpResponse:
    return HttpResponse(
        body,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
