"""The whole site in one terminal: ``manage.py serve``."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import psycopg
import pytest
from django.core.management import CommandError, call_command

from config import private_postgres

SECONDS_TO_ANSWER = 90


@pytest.fixture
def taken_port():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def database_url():
    """Make a database of its own, which the site then fills and others ignore."""
    private_postgres.ensure_running()
    name = f"serve_{uuid.uuid4().hex}"
    address = private_postgres.url("postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield private_postgres.url(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def answer_of(url):
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return response.status
        except urllib.error.URLError:
            time.sleep(0.2)
    return None


def processes_with(text):
    listing = subprocess.run(
        ["ps", "-e", "-o", "pid=,args="], capture_output=True, text=True, check=True
    )
    return [line for line in listing.stdout.splitlines() if text in line]


def test_a_taken_port_is_refused_before_anything_starts(taken_port):
    with pytest.raises(CommandError, match=rf"Port {taken_port} .* cannot be used"):
        call_command("serve", port=taken_port)


def test_the_demo_is_refused_in_production(settings, free_port):
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="not in production"):
        call_command("serve", "--demo", port=free_port)


@pytest.mark.slow
def test_the_site_answers_and_leaves_nothing_behind(database_url, free_port, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as output:
        site = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(free_port)],
            env={
                **{k: v for k, v in os.environ.items() if k != "CELERY_BROKER_URL"},
                "DATABASE_URL": database_url,
                "LOCAL": "true",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    status = answer_of(f"http://127.0.0.1:{free_port}/admin/login/")
    # The terminal sends Ctrl-C to the whole group.
    os.killpg(site.pid, signal.SIGINT)
    exit_code = site.wait(timeout=60)

    assert status == 200, log.read_text()
    assert exit_code == 0, log.read_text()
    assert processes_with(f"--port {free_port}") == []
