"""Calls by scripts of other sites (CORS), where a vendor's contract lets them in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import ResolverMatch

#: In every answer: any site may call, and may read these headers besides the body.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Idempotency-Replayed, RateLimit-Limit, RateLimit-Remaining, "
        "RateLimit-Reset, Retry-After"
    ),
}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9\-, ]{1,1000}", re.ASCII)
_REMEMBERED_SECONDS = 3600


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks what a script may send, before it lets it."""
    asked = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
    return request.method == "OPTIONS" and asked in request.META


def preflight(request: HttpRequest, match: ResolverMatch) -> HttpResponse:
    """Return what scripts may send to a path; preflights never show a key."""
    view: Any = getattr(match.func, "cls", None)
    methods = [
        name.upper()
        for name in getattr(view, "http_method_names", ())
        if hasattr(view, name)
    ]
    headers = {
        "Access-Control-Allow-Methods": ", ".join([*methods, "OPTIONS"]),
        "Access-Control-Max-Age": str(_REMEMBERED_SECONDS),
        "Vary": "Access-Control-Request-Headers",
    }
    wished = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    if _HEADER_NAMES.fullmatch(wished):
        headers["Access-Control-Allow-Headers"] = wished
    response = HttpResponse(status=204, headers=headers)
    del response["Content-Type"]
    return response
