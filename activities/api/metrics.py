"""``/metrics``: what Prometheus asks for.

Counts of requests and activities come from the processes of this machine; the state
of uploads, queues, regular work and the ledger from the database and the broker.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from activities.models import UploadStatus
from activities.services.ledger_checks import last_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest
    from prometheus_client import Metric

_UPLOADS = """
SELECT status, count(*),
       max(extract(epoch FROM now() - coalesce(touched_at, created_at)))
FROM activities_upload GROUP BY status
"""
_REGULAR_WORK = """
SELECT name, extract(epoch FROM now() - last_run_at)
FROM django_celery_beat_periodictask WHERE enabled AND last_run_at IS NOT NULL
"""
_WAITING = frozenset(
    {
        UploadStatus.UPLOADED,
        UploadStatus.VALIDATING,
        UploadStatus.RUNNING,
        UploadStatus.UNDOING,
    }
)


def metrics(request: HttpRequest) -> HttpResponse:
    """Return every figure; 404 without the token that the settings name."""
    if not _may_read(request):
        return HttpResponse(status=404)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(SiteCollector())
    return HttpResponse(
        generate_latest(registry),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def _may_read(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    if not token:
        return not settings.IS_PRODUCTION
    sent = request.headers.get("Authorization", "")
    return hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())


class SiteCollector(Collector):
    """Figures that are the same whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        """Yield them; what cannot be reached is left out."""
        yield from _uploads()
        yield _regular_work()
        yield from _ledger()
        yield from _queues()


def _uploads() -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "loyalty_uploads", "Uploads by status.", labels=["status"]
    )
    ages = GaugeMetricFamily(
        "loyalty_upload_idle_seconds",
        "Since the longest waiting upload of a status was worked on.",
        labels=["status"],
    )
    for status, count, seconds in _rows(_UPLOADS):
        counts.add_metric([status], count)
        if status in _WAITING:
            ages.add_metric([status], float(seconds))
    yield counts
    yield ages


def _regular_work() -> Metric:
    family = GaugeMetricFamily(
        "loyalty_regular_work_age_seconds",
        "Since regular work was last queued.",
        labels=["name"],
    )
    for name, seconds in _rows(_REGULAR_WORK):
        family.add_metric([name], float(seconds))
    return family


def _ledger() -> Iterator[Metric]:
    check = last_check()
    if check is None:
        return
    yield GaugeMetricFamily(
        "loyalty_ledger_mismatches",
        "Sums that did not add up in the last check.",
        value=check.mismatch_count,
    )
    yield GaugeMetricFamily(
        "loyalty_ledger_check_timestamp_seconds",
        "When the last check started.",
        value=check.started_at.timestamp(),
    )


def _queues() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "loyalty_queue_messages", "Tasks that wait for a worker.", labels=["queue"]
    )
    try:
        with current_app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            for queue in current_app.amqp.queues.values():
                declared: Any = queue(broker.default_channel).queue_declare(
                    passive=True
                )
                family.add_metric([queue.name], declared.message_count)
    except Exception:  # noqa: BLE001 (a broker that is down must not hide the rest)
        return
    yield family


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


urlpatterns = [path("metrics", metrics)]
