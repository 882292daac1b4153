"""Whether this process lives, and whether it can serve: for load balancers.

Answered before anything else: without a key, whatever the host name, over plain HTTP,
and without a line in the log.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse

from loyalty.services.metrics import REQUEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

LIVE = "/health/live"
READY = "/health/ready"
#: Below this share of the disk of the data folder nothing can be uploaded for long.
DISK_FREE_MIN = 0.02
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_QUIET = {"Cache-Control": "no-store"}


class Health:
    """Answers the two addresses, and measures every other request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the way on."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return what this process, or the site behind it, answers."""
        if request.path_info == LIVE:
            return HttpResponse("alive\n", content_type="text/plain", headers=_QUIET)
        if request.path_info == READY:
            return _readiness()
        started = time.perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        REQUEST_SECONDS.labels(
            request.method if request.method in _METHODS else "other",
            match.route if match else "unmatched",
            response.status_code,
        ).observe(time.perf_counter() - started)
        return response


def _readiness() -> HttpResponse:
    """Return 200 if every check passes, else 503; and which do, in words."""
    results = {name: _result_of(check) for name, check in CHECKS.items()}
    is_ready = all(word == "ok" for word in results.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": results}
    return JsonResponse(body, status=200 if is_ready else 503, headers=_QUIET)


def _result_of(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not ready)
        # Messages may hold addresses with passwords.
        return f"failed: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


_is_migrated = False


def _migrations() -> str:
    global _is_migrated  # noqa: PLW0603 (once they are applied, they stay so)
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            return f"failed: {len(waiting)} migrations are not applied"
        _is_migrated = True
    return "ok"


def _cache() -> str:
    cache.set("health", "ok", 60)
    return "ok" if cache.get("health") == "ok" else "failed: it forgets"


def _broker() -> str:
    with current_app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    return "ok"


def _disk() -> str:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    usage: Any = shutil.disk_usage(folder)
    if usage.free < DISK_FREE_MIN * usage.total:
        return "failed: the disk of the data folder is full"
    return "ok"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "cache": _cache,
    "broker": _broker,
    "disk": _disk,
}
