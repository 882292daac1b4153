"""What surrounds every page of the admin: the program's clock and the actor."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import IntegerField
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from loyalty.admin.working_program import working_program, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

_PAGES_OF_ROWS = ("_change", "_delete", "_history")
# What changes no configuration, or is no statement of a transaction.
_READS = re.compile(
    r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK|SET|SHOW|LOCK|ANALYZE)\b", re.IGNORECASE
)
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

    def process_view(
        self,
        request: HttpRequest,
        view: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Answer addresses whose ID no row can have, so that no page looks it up."""
        pages = kwargs.get("model_admin") or getattr(view, "model_admin", None)
        object_id = kwargs.get("object_id")
        if pages is None or object_id is None or not request.user.is_staff:
            return None
        if may_be_an_id(pages.model, unquote(object_id)):
            return None
        match = request.resolver_match
        is_page = match is not None and str(match.url_name).endswith(_PAGES_OF_ROWS)
        if not (is_page and object_id.isprintable()):
            raise Http404
        found_nothing: HttpResponse = pages._get_obj_does_not_exist_redirect(
            request, pages.opts, object_id
        )
        return found_nothing


def may_be_an_id(model: type[Model], text: str) -> bool:
    """Return whether a row of ``model`` can have this primary key."""
    key: Any = model._meta.pk
    while key.remote_field is not None:
        key = key.target_field
    if isinstance(key, IntegerField):
        return text.isascii() and text.isdigit() and int(text[:20]) < 2**63
    try:
        key.to_python(text)
    except ValidationError:
        return False
    return "\x00" not in text


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Name the actor of every configuration change within.

    The name is said in the transaction of each change and ends with it: behind a
    pooler the next transaction may be somebody else's.
    """

    def named(
        execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any
    ) -> Any:
        if _READS.match(str(sql)):
            return execute(sql, params, many, context)
        if connection.in_atomic_block:
            _name_actor(name)
            return execute(sql, params, many, context)
        with transaction.atomic():
            _name_actor(name)
            return execute(sql, params, many, context)

    with connection.execute_wrapper(named):
        yield


def _name_actor(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('loyalty.actor', %s, true)", [name])
