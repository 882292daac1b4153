"""The door of the API: a short way in, and nothing but JSON on the way out.

Calls of clients carry a key, not a cookie: what sessions, messages, forgery
tokens and page policies cost is of no use to them. This middleware therefore
answers everything under ``/api/`` itself, except the pages that staff read, and
everything under the prefixes of vendors' contracts, in their envelopes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.signals import got_request_exception
from django.urls import Resolver404, get_resolver, resolve

from loyalty.api import browsers
from loyalty.api.exceptions import body_too_large, problem_of
from loyalty.api.problems import Problem, response_of
from loyalty.api.throttling import seconds_to_wait_after_failure

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import ResolverMatch

logger = logging.getLogger("loyalty.api")

PREFIX = "/api/"
# Encodings of a body that leave it as it is.
_AS_IT_IS = frozenset({"", "identity"})
# Pages for people, who come with a session.
PAGES = frozenset({"api-docs", "api-schema"})
MULTIPART = "multipart/form-data"
# Of what carries credentials and nothing else.
SMALL_BODY_BYTES_MAX = 16 * 1024


def _problem_document(problem: Problem, request: HttpRequest) -> HttpResponse:
    return response_of(problem, request.path)


class Manner(NamedTuple):
    """How the paths under a prefix are answered.

    ``envelope`` renders problems, ``headers`` stand in every answer, and with
    ``is_for_browsers`` scripts of any site may call.
    """

    envelope: Callable[[Problem, HttpRequest], HttpResponse]
    headers: Mapping[str, str] = {}
    is_for_browsers: bool = False


# The longest prefix that fits counts.
_manners: dict[str, Manner] = {PREFIX: Manner(_problem_document)}


def answer_under(prefix: str, manner: Manner) -> None:
    """Answer every path under ``prefix`` here.

    ``prefix`` starts and ends with a slash. To be called while the addresses of
    the site are imported.
    """
    if not (prefix.startswith("/") and prefix.endswith("/") and len(prefix) > 2):
        raise ValueError(f"“{prefix}” is no prefix.")
    _manners[prefix] = manner
    longest_first = sorted(_manners.items(), key=lambda one: -len(one[0]))
    _manners.clear()
    _manners.update(longest_first)


def prefix_of(path: str) -> str | None:
    """Return the prefix under which this door answers ``path``; None if none."""
    whole = f"{path}/"
    return next((prefix for prefix in _manners if whole.startswith(prefix)), None)


class ApiEdge:
    """Answers the API without the middlewares below it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the long way for everything else."""
        self._get_response = get_response
        # Importing the addresses makes the contracts known.
        _ = get_resolver().url_patterns

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer; a problem whatever goes wrong."""
        prefix = prefix_of(request.path_info)
        if prefix is None:
            return self._get_response(request)
        manner = _manners[prefix]
        try:
            request.get_host()  # refuses names that are not the site's
            match = resolve(request.path_info)
            if match.url_name in PAGES:
                return self._get_response(request)
            request.resolver_match = match
            _bound_body(request, takes_files=prefix == PREFIX)
            response = _answered(request, match, manner)
        except Resolver404:
            response = manner.envelope(_no_such_path(), request)
        except Exception as error:  # noqa: BLE001 (the edge: even a bug answers JSON)
            response = manner.envelope(self._problem(error, request), request)
        if response.status_code == 401:
            response = _unless_too_many(response, manner.envelope, request)
        for name, value in manner.headers.items():
            response[name] = value
        return response

    def _problem(self, error: Exception, request: HttpRequest) -> Problem:
        problem = problem_of(error)
        if problem is None:
            # Whoever hears of the bug logs the address; a query may hold a key.
            request.META["QUERY_STRING"] = ""
            got_request_exception.send(sender=type(self), request=request)
            logger.error("Internal error at %s", request.path, exc_info=error)
            problem = Problem(
                500, "internal_error", "Something went wrong here; it was noted."
            )
        return problem


def _answered(
    request: HttpRequest, match: ResolverMatch, manner: Manner
) -> HttpResponse:
    if manner.is_for_browsers and browsers.is_preflight(request):
        return browsers.preflight(request, match)
    response: Any = match.func(request, *match.args, **match.kwargs)
    if not getattr(response, "is_rendered", True):
        response.render()
    return response  # type: ignore[no-any-return]


def _unless_too_many(
    response: HttpResponse,
    envelope: Callable[[Problem, HttpRequest], HttpResponse],
    request: HttpRequest,
) -> HttpResponse:
    """Return the 401, or a 429 if its address has failed too often in this minute.

    Calls with a valid key are still served: a shop's tills share one address.
    """
    wait = seconds_to_wait_after_failure(request.META.get("REMOTE_ADDR", ""))
    if wait is None:
        return response
    problem = Problem(
        429,
        "too_many_failed_sign_ins",
        "Too many calls with wrong credentials from this address. Retry later.",
        headers={"Retry-After": str(wait)},
    )
    return envelope(problem, request)


def _no_such_path() -> Problem:
    return Problem(404, "not_found", "The API has no such path.")


def body_limit(path: str) -> int:
    """Return how many bytes a body sent to ``path`` may have, files aside."""
    if path == "/oauth/token" or path.rstrip("/").endswith("sessions"):
        return SMALL_BODY_BYTES_MAX
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit


def _bound_body(request: HttpRequest, *, takes_files: bool) -> None:
    """Refuse bodies over the limit before they are read, however they are sent.

    Files of uploads are streamed to disk and not bound by it.
    """
    meta = request.META
    _refuse_packed(meta)
    limit = body_limit(request.path_info)
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        _read_chunked(request, limit)
        return
    length = str(meta.get("CONTENT_LENGTH") or "0")
    content_type = str(meta.get("CONTENT_TYPE", "")).lower()
    is_file = takes_files and content_type.startswith(MULTIPART)
    if not is_file and length.isdigit() and int(length) > limit:
        raise body_too_large(limit)


def _refuse_packed(meta: Mapping[str, Any]) -> None:
    """Refuse bodies that are packed: no limit holds for what they unpack to."""
    encoding = str(meta.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding in _AS_IT_IS:
        return
    raise Problem(
        415,
        "unsupported_encoding",
        f"Send the body as it is: the Content-Encoding “{encoding[:40]}” is not"
        " supported.",
        headers={"Accept-Encoding": "identity"},
    )


def _read_chunked(request: Any, limit: int) -> None:
    stream = request.META.get("wsgi.input")
    if stream is None or not request.META.get("wsgi.input_terminated"):
        raise Problem(411, "length_required", "Send the body's Content-Length.")
    parts, size = [], 0
    while part := stream.read(65_536):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise body_too_large(limit)
    request._body = b"".join(parts)
    request.META["CONTENT_LENGTH"] = str(size)
