"""Each benchmark's own database, on the server that the project is set up for.

``prepare`` must run before Django is set up: it points ``DATABASE_URL`` to the
database, so that nothing here can touch the site's rows.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from config import private_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "bench_loyalty"
_FACTS = ("synchronous_commit", "shared_buffers", "fsync")


def prepare() -> str:
    """Create an empty database, drop it at exit, and return its address."""
    name = f"{_NAME}_{os.getpid()}"
    _drop_abandoned()
    create(name)
    atexit.register(drop, name)
    # So that what is registered at exit runs then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    address = address_of(name)
    os.environ["DATABASE_URL"] = address
    os.environ["LOCAL"] = "true"
    os.environ["LOG_LEVEL"] = "ERROR"
    folder = tempfile.mkdtemp(prefix="bench-loyalty-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DATA_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    return address


def migrate() -> None:
    """Set Django up and bring the database to the present schema."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def address_of(name: str) -> str:
    """Return the address of a database on the server."""
    return re.sub(r"^(\w+://[^/]*/)[^?]*", rf"\g<1>{name}", _server())


def create(name: str) -> None:
    """Create an empty database."""
    drop(name)
    _run(f'CREATE DATABASE "{name}"')


@contextmanager
def copied(name: str) -> Iterator[str]:
    """Give a copy of the benchmark's database, dropped afterwards; its address."""
    from django.db import connection

    original = connection.settings_dict["NAME"]
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL alone has it
    copy = f"{original}_{name}"
    drop(copy)
    _run(f'CREATE DATABASE "{copy}" TEMPLATE "{original}" STRATEGY file_copy')
    try:
        yield address_of(copy)
    finally:
        drop(copy)


def drop(name: str) -> None:
    """Drop a database, whoever is connected."""
    _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def server_facts() -> str:
    """Return the server's version and the settings that matter here."""
    with psycopg.connect(address_of("postgres")) as connection:
        rows = connection.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS n(name)",
            [list(_FACTS)],
        )
        settings = ", ".join(f"{name} {value}" for name, value in rows)
        version = connection.execute("SHOW server_version").fetchone()
    return f"PostgreSQL {version[0]} ({settings})"


def current_address() -> str:
    """Return the address of the benchmark's database."""
    return os.environ["DATABASE_URL"]


def execute(statement: str) -> None:
    """Run one statement in the benchmark's database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def settle() -> None:
    """Let the server finish what earlier work left to do, outside the measurement."""
    execute("VACUUM (ANALYZE)")
    execute("CHECKPOINT")


def _server() -> str:
    address = os.environ.get("DATABASE_URL", "")
    if address:
        return address
    private_postgres.ensure_running()
    return private_postgres.url("postgres")


def _drop_abandoned() -> None:
    """Drop what benchmarks left whose process was killed."""
    with psycopg.connect(address_of("postgres")) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [rf"^{_NAME}_\d+"]
        ).fetchall()
    for (name,) in rows:
        if not _is_running(int(re.findall(r"\d+", name)[0])):
            drop(name)


def _is_running(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def _run(statement: str) -> None:
    with psycopg.connect(address_of("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
