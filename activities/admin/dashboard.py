"""The first page: what happened lately and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loyalty.admin.working_program import working_program

if TYPE_CHECKING:
    from django.http import HttpRequest


def with_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the first page with the program's figures."""
    context["program"] = working_program(request)
    return context
