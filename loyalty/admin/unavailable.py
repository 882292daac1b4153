"""What people read when a page cannot be made: too busy, no room, or a bug."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.html import format_html
from django.views import defaults

from loyalty.api.exceptions import problem_of

if TYPE_CHECKING:
    from django.http import HttpRequest

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<h1>{title}</h1><p>{detail}</p>"
)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for an exception that a view let through.

    503 or 507 with ``Retry-After`` where waiting helps; else Django's 500.
    """
    error = sys.exc_info()[1]
    problem = problem_of(error) if isinstance(error, Exception) else None
    if problem is None or problem.status not in {503, 507}:
        return defaults.server_error(request)
    page = format_html(_PAGE, title="Not just now", detail=problem.detail)
    return HttpResponse(page, status=problem.status, headers=problem.headers)
