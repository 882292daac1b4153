"""Whose call it is, behind a proxy: the address that the proxy was called from.

Rates and lock-outs count by address. Behind a proxy every call comes from the proxy,
so one visitor with wrong passwords would lock out everybody.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class ClientAddress:
    """Puts the last address of ``X-Forwarded-For`` in place of the proxy's.

    The last one is what the proxy itself added; those before it are the client's word.
    Only used where the site is told that there is a proxy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the way on."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return what the site answers to the client."""
        last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if _is_address(last):
            request.META["REMOTE_ADDR"] = last
        return self._get_response(request)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
