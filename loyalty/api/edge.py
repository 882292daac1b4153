"""The door of the API: a short way in, and nothing but JSON on the way out.

Calls of clients carry a key, not a cookie: what sessions, messages, forgery
tokens and page policies cost is of no use to them. This middleware therefore
answers everything under ``/api/`` itself, except the pages that staff read.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.urls import Resolver404, resolve

from loyalty.api.exceptions import body_too_large, problem_of
from loyalty.api.problems import Problem, response_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("loyalty.api")

PREFIX = "/api/"
# Pages for people, who come with a session.
PAGES = frozenset({"api-docs", "api-schema"})
MULTIPART = "multipart/form-data"


class ApiEdge:
    """Answers the API without the middlewares below it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the long way for everything else."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer; a problem whatever goes wrong."""
        if not f"{request.path_info}/".startswith(PREFIX):
            return self._get_response(request)
        try:
            match = resolve(request.path_info)
            if match.url_name in PAGES:
                return self._get_response(request)
            request.resolver_match = match
            _bound_body(request)
            response = match.func(request, *match.args, **match.kwargs)
            if not getattr(response, "is_rendered", True):
                response.render()
        except Resolver404:
            response = response_of(_no_such_path(), request.path)
        except Exception as error:  # noqa: BLE001 (the edge: even a bug answers JSON)
            response = self._answer(error, request)
        return response  # type: ignore[no-any-return]

    def _answer(self, error: Exception, request: HttpRequest) -> HttpResponse:
        problem = problem_of(error)
        if problem is None:
            got_request_exception.send(sender=type(self), request=request)
            logger.error("Internal error at %s", request.path, exc_info=error)
            problem = Problem(
                500, "internal_error", "Something went wrong here; it was noted."
            )
        return response_of(problem, request.path)


def _no_such_path() -> Problem:
    return Problem(404, "not_found", "The API has no such path.")


def _bound_body(request: HttpRequest) -> None:
    """Refuse bodies over the limit before they are read, however they are sent.

    Files of uploads are streamed to disk and not bound by it.
    """
    meta = request.META
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        _read_chunked(request, limit)
        return
    length = str(meta.get("CONTENT_LENGTH") or "0")
    is_file = str(meta.get("CONTENT_TYPE", "")).lower().startswith(MULTIPART)
    if not is_file and length.isdigit() and int(length) > limit:
        raise body_too_large()


def _read_chunked(request: Any, limit: int) -> None:
    stream = request.META.get("wsgi.input")
    if stream is None or not request.META.get("wsgi.input_terminated"):
        raise Problem(411, "length_required", "Send the body's Content-Length.")
    parts, size = [], 0
    while part := stream.read(65_536):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise body_too_large()
    request._body = b"".join(parts)
    request.META["CONTENT_LENGTH"] = str(size)
