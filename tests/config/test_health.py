"""What load balancers and Prometheus are told."""

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connection
from django.test import Client

from activities.models import LedgerCheck
from activities.reports import ledger_mismatches
from activities.services.ledger_checks import keep_check
from loyalty.api import health
from tests.builders import NOON, make_member, make_program, make_type
from tests.callers import caller_for, purchase_body

pytestmark = pytest.mark.django_db


def test_a_live_process_says_so_without_asking_anybody(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/health/live", headers={"host": "10.1.2.3:8000"})

    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_a_site_that_can_serve_is_ready():
    answer = Client().get("/health/ready", headers={"host": "10.1.2.3:8000"})

    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "status": "ready",
        "checks": dict.fromkeys(
            ("database", "migrations", "cache", "broker", "disk"), "ok"
        ),
    }


def test_health_is_answered_over_plain_http_where_the_site_is_not(settings):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get("/health/live").status_code == 200
    assert Client().get("/api/v1/channels").status_code == 301


def broken(*_, **__):
    raise ConnectionError("redis://:secret@cache:6379 does not answer")


@pytest.mark.parametrize("name", sorted(health.CHECKS))
def test_what_fails_is_named_without_its_message(monkeypatch, name):
    monkeypatch.setitem(health.CHECKS, name, broken)

    answer = Client().get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"][name] == "failed: ConnectionError"
    assert b"secret" not in answer.content


def test_a_cache_that_forgets_is_not_ready(monkeypatch):
    monkeypatch.setattr(cache, "get", lambda *_: None)

    assert Client().get("/health/ready").status_code == 503


def test_a_migration_that_waits_is_not_ready(monkeypatch):
    monkeypatch.setattr(health, "_is_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'axes'"
            " AND id = (SELECT max(id) FROM django_migrations WHERE app = 'axes')"
        )

    found = Client().get("/health/ready").json()["checks"]["migrations"]

    assert found == "failed: 1 migrations are not applied"


def test_a_full_disk_is_not_ready(monkeypatch):
    monkeypatch.setattr(health, "DISK_FREE_MIN", 1.1)

    assert "full" in Client().get("/health/ready").json()["checks"]["disk"]


def figures() -> dict[str, float]:
    text = Client().get("/metrics").content.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
    }


def test_activities_and_requests_are_counted():
    program = make_program()
    make_type(program)
    api = caller_for(program)
    body = purchase_body(make_member(program))
    before = figures()

    api.post("activities", body)
    api.post("activities", body)
    api.post("activities", {**body, "key": "till-2", "type": "PURCHES"})

    after = figures()
    gained = {name: after[name] - before.get(name, 0) for name in after}
    for outcome in ("recorded", "replayed", "unknown_activity_type"):
        assert gained[f'loyalty_activities_total{{outcome="{outcome}"}}'] == 1
    (posts,) = [
        count
        for name, count in gained.items()
        if name.startswith("loyalty_http_request_seconds_count")
        and 'route="api/v1/activities$"' in name
        and 'status="422"' in name
    ]
    assert posts == 1


def test_what_clients_send_is_no_label():
    Client().get("/api/v1/nobody-knows-this")
    Client().generic("BREW", "/api/v1/channels")

    text = Client().get("/metrics").content.decode()

    assert "nobody-knows-this" not in text
    assert "BREW" not in text


def test_the_ledger_check_is_told():
    assert "loyalty_ledger_mismatches" not in figures()

    keep_check(ledger_mismatches(), now=NOON)

    assert figures()["loyalty_ledger_mismatches"] == 0


def test_the_queues_are_told():
    with current_app.connection_for_write() as broker:
        for queue in current_app.amqp.queues.values():
            queue(broker.default_channel).declare()

    names = [name for name in figures() if name.startswith("loyalty_queue_messages")]

    assert len(names) == len(current_app.amqp.queues)


@pytest.mark.parametrize(
    ("is_production", "token", "sent", "status"),
    [
        (False, "", "", 200),
        (True, "", "", 404),
        (True, "", "Bearer ", 404),
        (True, "words", "", 404),
        (True, "words", "Bearer wörds", 404),
        (True, "words", "Bearer words", 200),
        (False, "words", "", 404),
    ],
)
def test_who_may_read_the_figures(settings, is_production, token, sent, status):
    settings.IS_PRODUCTION, settings.METRICS_TOKEN = is_production, token

    answer = Client().get("/metrics", HTTP_AUTHORIZATION=sent)

    assert answer.status_code == status


def test_a_check_that_runs_is_not_started_again():
    LedgerCheck.objects.create(started_at=NOON)

    assert keep_check(ledger_mismatches(), now=NOON) is None
    assert LedgerCheck.objects.count() == 1
