"""Clients of the API for tests."""

from __future__ import annotations

from typing import Any

import orjson
from django.test import Client

from loyalty.models import ApiKey, BusinessUnit, Member, Program


def make_key(
    program: Program, *, units: list[BusinessUnit] | None = None, **fields: Any
) -> tuple[ApiKey, str]:
    """Return a key that may read and write, and its text."""
    row: Any
    row, text = ApiKey.objects.create_key(
        program=program, **{"name": "till", "can_write": True, **fields}
    )
    row.business_units.set(units or [])
    return row, text


class Caller:
    """Calls the API with a key and JSON bodies."""

    def __init__(self, key: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **headers: str) -> Any:
        return self.call("get", path, None, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("post", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("patch", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("delete", path, None, **headers)

    def call(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """``body`` may be text, bytes, or a value to write as JSON."""
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body = orjson.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = sent.pop("Content-Type", "application/json")
        response: Any = self._client.generic(
            method.upper(),
            path if path.startswith("/api") else f"/api/v1/{path}",
            body or b"",
            content_type if body is not None else "",
            headers={**self._headers, **sent},
        )
        return response


def caller_for(program: Program, **fields: Any) -> Caller:
    """Return a caller with a new key of the program."""
    return Caller(make_key(program, **fields)[1])


def purchase_body(who: Member, **members: Any) -> dict[str, Any]:
    """Return the JSON of a purchase of 12.50 at noon with the key ``till-1``."""
    return {
        "key": "till-1",
        "member": {"id": who.pk},
        "type": "PURCHASE",
        "occurred_at": "2026-03-04T12:00:00Z",
        "value": "12.50",
        **members,
    }


def problem_in(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem, after checking that it is this one and well formed."""
    assert response.status_code == status, response.content[:2_000]
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = orjson.loads(response.content)
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:loyalty:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return body


def pointers_in(problem: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where a problem points, and with which code."""
    return [(error["pointer"], error["code"]) for error in problem["errors"]]
