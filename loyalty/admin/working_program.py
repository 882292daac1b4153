"""The one program that a person works in at a time.

Every page shows rows of this program only, reads and shows moments on its clock
and offers its rows as choices. It is kept in the session and changed from the
list of programs or from the menu at the top left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from loyalty.services.staff import programs_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest

    from loyalty.models import Program

SESSION_KEY = "working_program"
_UNKNOWN = object()


def working_program(request: HttpRequest) -> Program | None:
    """Return the program worked in: the chosen one, else the first enabled one.

    Staff who are bound to programs work in these only.
    """
    found: Any = getattr(request, "_working_program", _UNKNOWN)
    if found is _UNKNOWN:
        found = _chosen(request)
        request._working_program = found  # type: ignore[attr-defined]
    return found


def choose_program(request: HttpRequest, program: Program) -> None:
    """Work in ``program`` from now on."""
    request.session[SESSION_KEY] = program.pk
    request._working_program = program  # type: ignore[attr-defined]


def zone_of(program: Program | None) -> tzinfo:
    """Return the program's time zone, UTC for none."""
    return ZoneInfo(program.time_zone if program else "UTC")


def _chosen(request: HttpRequest) -> Program | None:
    chosen = request.session.get(SESSION_KEY)
    programs = programs_of(request.user).order_by("-is_enabled", "pk")
    if chosen is not None:
        program = programs.filter(pk=chosen).first()
        if program is not None:
            return program
    return programs.first()
