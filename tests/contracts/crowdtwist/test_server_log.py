"""What the web server of the site writes down of a call with a key in its address."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from loyalty.management.commands.serve import web_command
from tests.builders import make_program
from tests.callers import make_key
from tests.config.test_api_server import address_of_database
from tests.contracts.crowdtwist.client import fixed

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS_TO_START = 60
CATALOGUE = "/v2.1/activities/extended"
# An operator who wants to see every request, with its query.
CURIOUS = {
    "GRANIAN_LOG_ACCESS_ENABLED": "true",
    "GRANIAN_LOG_ACCESS_FMT": "%(method)s %(path)s?%(query_string)s",
    "LOG_LEVEL": "DEBUG",
}


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def server(transactional_db, log):
    """Start the web server as ``manage.py serve`` does; stop it afterwards."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("w") as output:
        process = subprocess.Popen(
            web_command("127.0.0.1", port),
            env={
                **{k: v for k, v in os.environ.items() if k != "CELERY_BROKER_URL"},
                **CURIOUS,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": address_of_database(),
                "LOCAL": "true",
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def stop(process):
    """Stop the server with its workers, at once: nothing it does is to be kept."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def status_of(address):
    """Return the status of a call, once the server has started."""
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_key_in_the_query_never_reaches_the_log(server, log):
    program = make_program()
    fixed(program, "it")
    key = make_key(program)[1]

    statuses = [
        status_of(f"{server}{path}?page=1&api_key={key}")
        for path in (CATALOGUE, "/v2/nothing", "/nothing", "/admin/", "/api/v1/nothing")
    ]

    assert statuses == [200, 404, 404, 200, 404], log.read_text()
    text = log.read_text()
    assert f"GET {CATALOGUE}" in text
    assert key not in text
    assert key.split(".")[1] not in text
