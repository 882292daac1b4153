"""The errors of the contract: ``{"status": "error", "error": …}``."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from loyalty.api.contract import Contract, answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.api.problems import Problem

# The vendor's words. Whatever is wrong with a key reads the same.
_WORDS = {
    401: "Invalid API Key",
    405: "Method Not Allowed",
    408: "Request Time Out",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
# What is told in the problem's own words.
_TOLD = frozenset({400, 403})

ITEM_ERROR = {
    "type": "object",
    "required": ["index", "field", "code", "error"],
    "properties": {
        "index": {
            "type": "integer",
            "description": "Place of the item in the batch, from 0.",
        },
        "field": {"type": "string", "example": "activity_name"},
        "code": {"type": "string", "example": "MISSING_PARAMETER"},
        "error": {"type": "string", "example": "Missing Parameter - Activity Name"},
    },
}
ERROR = {
    "type": "object",
    "required": ["status", "error"],
    "properties": {
        "status": {"type": "string", "enum": ["error", "partial"]},
        "error": {"type": "string", "example": "Missing Parameter - Activity Name"},
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "errors": {"type": "array", "items": ITEM_ERROR},
    },
}


def envelope(problem: Problem, _request: HttpRequest) -> HttpResponse:
    """Return a problem of the whole request."""
    words = _WORDS.get(problem.status)
    if words is None:
        told = problem.status in _TOLD
        words = problem.detail if told else HTTPStatus(problem.status).phrase
    return answer({"status": "error", "error": words}, problem.status, problem.headers)


CONTRACT = Contract(
    name="netcore",
    title="Netcore CE",
    prefixes=("/v1/activity/",),
    envelope=envelope,
    error_schema=ERROR,
)
