"""``manage.py serve``: the whole site in one terminal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from kombu.exceptions import OperationalError

from loyalty.management.supervising import Program, Supervisor
from loyalty.services.groups import create_groups

DEMO_USERNAME = "demo"
DEMO_PASSWORD = "demo"  # noqa: S105 of a site that only its own machine reaches
WEB_PROCESSES_MAX = 2
# Without the query: some clients send their key there.
ACCESS_LOG = '%(addr)s "%(method)s %(path)s" %(status)d %(dt_ms).1f'
MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
REGULAR_PROCESSES = 2
# How long processes may finish what they are at. Jobs put themselves back within a
# second or so; an activity that is being recorded takes less.
WEB_GRACE_SECONDS = 15
WORKER_GRACE_SECONDS = 30


class Command(BaseCommand):
    """Migrate, then run web server, worker and beat until Ctrl-C."""

    help = "Migrates, then runs web server, worker and beat until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.BIND_ADDRESS)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument(
            "--demo",
            action="store_true",
            help="Create the demo log-in and load the demo programme, once.",
        )

    def handle(self, *, host: str, port: int, demo: bool, **options: Any) -> None:
        if demo and settings.IS_PRODUCTION:
            raise CommandError("The demo has a known password: not in production.")
        _refuse_taken_port(host, port)

        self._prepare(demo=demo)
        Supervisor(
            _programs(host, port, demo=demo), _environment(), settings.PRIVATE_SERVERS
        ).run()

    def _prepare(self, *, demo: bool) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        for counts in settings.METRICS_FOLDER.glob("*.db"):
            counts.unlink(missing_ok=True)
        self.stdout.write("Database: migrated.")
        _prepare_broker()
        if demo:
            _create_demo_login()
            create_groups()
            load_demo("--first-month")
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL alone has it


def load_demo(*arguments: str) -> None:
    """Run ``load_demo`` in a process of its own, so that its memory goes with it."""
    if "load_demo" not in get_commands():
        return
    command = [*MANAGE, "load_demo", *arguments]
    subprocess.run(command, check=True)  # noqa: S603 the project's own command


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # In a container there is often no other user.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }


def _programs(host: str, port: int, *, demo: bool) -> list[Program]:
    """Return the processes of the site."""
    programs = Path(sys.executable).parent
    celery = [str(programs / "celery"), "--quiet", "--app", "config"]
    worker = [*celery, "worker", "--loglevel", "warning", "--without-gossip"]
    worker += ["--without-mingle", "--without-heartbeat"]
    announce = ["announce_site", "--host", host, "--port", str(port)]
    regular = ["--queues", "celery", "--concurrency", str(REGULAR_PROCESSES)]
    return [
        Program("web", web_command(host, port), grace_seconds=WEB_GRACE_SECONDS),
        Program("beat", [*celery, "beat", "--loglevel", "warning", "--pidfile="]),
        Program(
            "site",
            [*MANAGE, *announce, *(["--demo"] if demo else [])],
            is_done_at_zero=True,
        ),
        # Files of any size keep their own processes busy, never these.
        Program(
            "worker",
            [*worker, *regular, "--hostname", "regular@%h"],
            order=1,
            grace_seconds=WORKER_GRACE_SECONDS,
        ),
        Program(
            "uploads",
            [*worker, "--queues", "uploads,backtests", "--hostname", "uploads@%h"],
            order=1,
            grace_seconds=WORKER_GRACE_SECONDS,
        ),
    ]


def web_command(host: str, port: int) -> list[str]:
    """Return the command line of the web server."""
    return [
        *(str(Path(sys.executable).parent / "granian"), "config.rsgi:app"),
        *("--interface", "rsgi", "--host", host, "--port", str(port)),
        *("--workers", str(min(os.cpu_count() or 1, WEB_PROCESSES_MAX))),
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
        *("--workers-kill-timeout", str(WEB_GRACE_SECONDS - 2)),
        *("--http1-header-read-timeout", "10000"),
        *("--log-level", "warning", "--access-log-fmt", ACCESS_LOG),
    ]


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                f"Choose another: PORT={port + 1} make run"
            ) from error


def _prepare_broker() -> None:
    """Declare the queue: several processes declaring it at once would collide."""
    if settings.USES_SQL_BROKER and not settings.USES_PRIVATE_POSTGRES:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{settings.BROKER_SCHEMA}"')

    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=2, timeout=10)
            for queue in current_app.amqp.queues.values():
                queue(broker.default_channel).declare()
    except OperationalError as error:
        raise CommandError(f"The broker does not answer: {error}") from error


def _create_demo_login() -> None:
    if not User.objects.filter(username=DEMO_USERNAME).exists():
        User.objects.create_superuser(DEMO_USERNAME, password=DEMO_PASSWORD)
