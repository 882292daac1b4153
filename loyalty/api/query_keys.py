"""Keys in the query of an address: taken out before anybody can write them down.

Addresses end up in access logs, request logs, error reports and links. This
middleware comes first of all: it leaves the parameter with an empty value, and
the key where only authentication looks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

#: Names of query parameters that hold a key.
NAMES = frozenset({"api_key", "access_token", "session_key"})


class QueryKeys:
    """Empties the parameters in ``NAMES`` and keeps their values aside."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the way on."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return what the rest of the site answers to the cleaned request."""
        query = request.META.get("QUERY_STRING", "")
        if query:
            cleaned, keys = parted(query)
            if keys:
                request.META["QUERY_STRING"] = cleaned
                request._query_keys = keys  # type: ignore[attr-defined]
        return self._get_response(request)


def parted(query: str) -> tuple[str, dict[str, str]]:
    """Return a query without its keys, and the keys by name.

    Of a repeated parameter the last one that is not empty counts: clients add
    their key to a link that holds an empty one.

    >>> parted("page=2&api_key=secret")
    ('page=2&api_key=', {'api_key': 'secret'})
    """
    keys: dict[str, str] = {}
    kept = []
    for part in query.split("&"):
        written, _, value = part.partition("=")
        name = unquote_plus(written)
        if name not in NAMES:
            kept.append(part)
            continue
        kept.append(f"{name}=")
        keys[name] = unquote_plus(value) or keys.get(name, "")
    return "&".join(kept), keys


def key_in(request: HttpRequest, name: str) -> str | None:
    """Return the key that was sent as the query parameter ``name``; None if none."""
    keys: dict[str, str] = getattr(request, "_query_keys", {})
    return keys[name] if name in keys else request.GET.get(name)
