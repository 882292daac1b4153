"""Errors of the API: one shape for all, ``application/problem+json`` (RFC 9457).

``errors`` names each wrong part: by ``pointer`` (RFC 6901, into the body), by
``parameter`` (of the query) or by ``header``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from django.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loyalty.errors import LoyaltyError

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100

# The status of each refusal, by its code. Packages of the API add their own.
STATUS_OF_REFUSAL: dict[str, int] = {
    "insufficient_points": 409,
}


class Problem(Exception):
    """An answer that is not a success; raised anywhere inside a view."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Keep the members; ``members`` are further ones, for programs."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members

    def as_json(self, instance: str = "") -> dict[str, Any]:
        """Return the body. ``instance`` is the path that was called."""
        body: dict[str, Any] = {
            "type": f"urn:loyalty:problem:{self.code}",
            "title": title_of(self.code, self.status),
            "status": self.status,
            "detail": self.detail,
        }
        if instance:
            body["instance"] = instance
        body["code"] = self.code
        if self.errors:
            body["errors"] = self.errors[:ERRORS_MAX]
        return body | self.members


def title_of(code: str, status: int) -> str:
    """Return the short name of a kind of problem."""
    words = code.replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else HTTPStatus(status).phrase


def wrong(pointer: str, code: str, detail: str) -> dict[str, str]:
    """Return one entry of ``errors`` that points into the body."""
    return {"pointer": pointer, "code": code, "detail": detail}


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem of a request with one or more wrong parts."""
    if len(errors) == 1:
        return Problem(400, "invalid", str(errors[0]["detail"]), errors=errors)
    return Problem(
        400, "invalid", f"{len(errors)} parts of the request are wrong.", errors=errors
    )


def invalid_at(pointer: str, code: str, detail: str) -> Problem:
    """Return the problem of a request with one wrong part of its body."""
    return invalid([wrong(pointer, code, detail)])


def invalid_parameter(name: str, code: str, detail: str) -> Problem:
    """Return the problem of a request with one wrong query parameter."""
    return invalid([{"parameter": name, "code": code, "detail": detail}])


def refused(error: LoyaltyError, pointer: str = "") -> Problem:
    """Return what a refusal of a use case looks like.

    Raises:
        KeyError: nobody gave this refusal a status; that is a bug.
    """
    errors = []
    if error.field:
        path = f"{pointer}/{error.field.replace('.', '/')}"
        errors = [wrong(path, error.code, error.message)]
    return Problem(
        STATUS_OF_REFUSAL[error.code],
        error.code,
        error.message,
        errors=errors,
        **error.facts,
    )


def response_of(problem: Problem, instance: str) -> HttpResponse:
    """Return the response; ``instance`` is the path that was called."""
    return HttpResponse(
        orjson.dumps(problem.as_json(instance), default=str),
        status=problem.status,
        content_type=MEDIA_TYPE,
        headers=problem.headers,
    )
