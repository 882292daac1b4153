"""The WSGI entry point."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer a request; all at once where the answer is there at once.

    The server would send a response object piece by piece, and hold its database
    connection meanwhile. A list goes out whole, with its length.
    """
    response = _django(environ, start_response)
    # Some servers wrap a file themselves; what they return is sent as it is.
    if not isinstance(response, HttpResponse):
        return response
    body = [response.content]
    response.close()
    return body
