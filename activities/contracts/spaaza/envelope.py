"""The envelope of every answer, in its shapes by version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from activities.contracts.spaaza.codes import named
from loyalty.api.authentication import CHALLENGE
from loyalty.api.contract import Contract, answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.api.problems import Problem

SOURCE = "spaaza"
VERSION_HEADER = "X-Spaaza-API-Version"
# Older clients read a map of errors by their numbers.
FIRST_WITH_ONE_ERROR = (1, 4, 0)
_VERSION = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?", re.ASCII)
_RESULT = {
    "type": "object",
    "required": ["code", "status"],
    "properties": {
        "code": {"type": "integer", "enum": [2]},
        "status": {"type": "string", "enum": ["error"]},
    },
}
_TEXTS = {"name": {"type": "string"}, "description": {"type": "string"}}
ERROR = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": _RESULT,
        "error": {
            "type": "object",
            "description": "From version 1.4.0 on, and without a version.",
            "required": ["code", "name", "description"],
            "properties": {
                "code": {"type": "integer", "example": 449},
                "name": {"type": "string", "example": "campaign_not_active"},
                "description": {"type": "string"},
            },
        },
        "errors": {
            "type": "object",
            "description": "Before version 1.4.0: by code.",
            "additionalProperties": {
                "type": "object",
                "required": ["name", "description"],
                "properties": _TEXTS,
            },
        },
    },
}


def envelope(problem: Problem, request: HttpRequest) -> HttpResponse:
    """Return a problem as the vendor's clients of this version read it."""
    name, (number, status, sentence) = named(problem)
    texts = {"name": name, "description": sentence}
    body: dict[str, Any] = {"result": {"code": 2, "status": "error"}}
    if _reads_one_error(request):
        body["error"] = {"code": number, **texts}
    else:
        body["errors"] = {str(number): texts}
    headers = {"WWW-Authenticate": CHALLENGE} if status == 401 else {}
    response = answer(body, status, {**headers, **problem.headers})
    if status >= 500:
        # Anticipated, or noted where it happened: nothing to alarm anybody about.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def success_body(
    results: dict[str, Any], warnings: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the body of a success; without warnings nothing is said of them."""
    body: dict[str, Any] = {"result": {"code": 1, "status": "ok"}, "results": results}
    if warnings:
        body["warnings"] = warnings
    return body


def _reads_one_error(request: HttpRequest) -> bool:
    """Whether the client is new enough; one that names no version is."""
    match = _VERSION.fullmatch(request.META.get(_META_NAME, "").strip())
    if match is None:
        return True
    return tuple(int(part or 0) for part in match.groups()) >= FIRST_WITH_ONE_ERROR


_META_NAME = f"HTTP_{VERSION_HEADER.upper().replace('-', '_')}"

CONTRACT = Contract(SOURCE, "Spaaza", ("/interact-campaign/",), envelope, ERROR)
