"""The benchmark's own database, on the server that the project is set up for.

``prepare`` must run before Django is set up: it points ``DATABASE_URL`` to the
database, so that nothing here can touch the site's rows.
"""

from __future__ import annotations

import atexit
import os
import re
from typing import TYPE_CHECKING

import psycopg

from config import private_postgres

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "bench_loyalty"


def prepare() -> str:
    """Create the empty database, drop it at exit, and return its address."""
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        private_postgres.ensure_running()
        server = private_postgres.url("postgres")
    address = re.sub(r"^(\w+://[^/]*/)[^?]*", rf"\g<1>{NAME}", server)
    maintenance = re.sub(r"^(\w+://[^/]*/)[^?]*", r"\g<1>postgres", server)
    os.environ["DATABASE_URL"] = address
    os.environ["LOCAL"] = "true"
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    _run(maintenance, [f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"])
    _run(maintenance, [f"CREATE DATABASE {NAME}"])
    atexit.register(_run, maintenance, [f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"])
    return address


def _run(address: str, statements: Iterable[str]) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def migrate() -> None:
    """Bring the database to the present schema."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def forget_activities() -> None:
    """Empty every table that recording writes; configuration and members stay."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE activities_activity, activities_activityreversal,"
            " loyalty_completion, loyalty_entry, loyalty_lot, loyalty_lotconsumption,"
            " loyalty_membertier, campaigns_campaignusage"
        )
        cursor.execute("DELETE FROM loyalty_account WHERE member_id IS NOT NULL")


def settle() -> None:
    """Let the server finish what earlier work left to do, outside the measurement."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
