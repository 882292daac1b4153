"""What surrounds every page of the admin: the program's clock and the actor."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils import timezone

from loyalty.admin.working_program import working_program, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponse

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AdminMiddleware:
    """Read and show moments in the program's zone; tell the database who acts.

    Only for signed-in staff and addresses of the admin. Stands after the
    authentication middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request inside the program's zone."""
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(zone_of(working_program(request))):
            if request.method in _SAFE_METHODS:
                return self.get_response(request)
            with acting_as(request.user.get_username()):
                return self.get_response(request)


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Name the actor of configuration changes on this connection, then forget.

    Connections go back to a pool, so the name must not stay: if it cannot be
    taken back, the connection is thrown away.
    """
    _set_actor(name)
    try:
        yield
    finally:
        try:
            _set_actor("")
        except DatabaseError:
            connection.close()


def _set_actor(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('loyalty.actor', %s, false)", [name])
