"""The API behind the web server that the site runs on."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from activities.models import Activity
from tests import builders
from tests.callers import make_key, purchase_body

SECONDS_TO_START = 60
MEGABYTE = 1024 * 1024

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def address_of_database():
    """Return the address of the database that the test itself uses."""
    connection.ensure_connection()
    info = connection.connection.info
    password = f":{quote(info.password, safe='')}" if info.password else ""
    place = f"host={quote(info.host, safe='')}&port={info.port}"
    return f"postgresql://{info.user}{password}@/{info.dbname}?{place}"


@pytest.fixture
def port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def server(transactional_db, port, log):
    """Start granian as ``manage.py serve`` does, and stop it afterwards."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "granian"),
                "config.rsgi:app",
                *("--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1"),
            ],
            env={
                **{k: v for k, v in os.environ.items() if k != "CELERY_BROKER_URL"},
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": address_of_database(),
                "LOCAL": "true",
                "LOG_LEVEL": "DEBUG",
                "WEB_THREADS": "2",
            },
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(port, log)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port, log):
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            if answer(port, "GET", "/api/v1/nowhere")[0] == 404:
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(log.read_text())


def answer(port, method, path, body=None, headers=()):
    """Return status, headers and JSON of one request."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as web:
        web.request(method, path, body=body, headers=dict(headers))
        response = web.getresponse()
        return response.status, response.headers, json.loads(response.read() or b"null")


@pytest.fixture
def program(transactional_db):
    program = builders.make_program()
    builders.make_type(program)
    return program


@pytest.fixture
def key(program):
    return make_key(program)[1]


@pytest.fixture
def headers(key):
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def in_chunks(size):
    """Yield a body of ``size`` bytes without telling its length."""
    piece = b" " * 65_536
    for _ in range(size // len(piece)):
        yield piece


def test_a_body_sent_in_chunks_is_read(server, program, headers):
    member = builders.make_member(program)
    text = json.dumps(purchase_body(member)).encode()

    status, _, body = answer(
        server, "POST", "/api/v1/activities", iter([text[:40], text[40:]]), headers
    )

    assert (status, body["totals"]["loyalty"]["total"]) == (201, 12)
    assert Activity.objects.count() == 1


def test_11_megabytes_are_refused_however_they_are_sent(server, headers):
    for body in (b" " * (11 * MEGABYTE), in_chunks(11 * MEGABYTE)):
        try:
            status, got, problem = answer(
                server, "POST", "/api/v1/activities", body, headers
            )
        except (BrokenPipeError, ConnectionResetError):
            # Refused so early that the rest could not even be sent.
            status, got, problem = refusal_of_announced(server, headers)
        assert status == 413
        assert got["Content-Type"] == "application/problem+json"
        assert problem["code"] == "body_too_large"


def refusal_of_announced(port, headers):
    """Announce 11 megabytes, send none, and return the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as web:
        web.putrequest("POST", "/api/v1/activities")
        for name, value in {**headers, "Content-Length": 11 * MEGABYTE}.items():
            web.putheader(name, str(value))
        web.endheaders()
        response = web.getresponse()
        return response.status, response.headers, json.loads(response.read())


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server, headers):
    status, _, problem = refusal_of_announced(server, headers)

    assert (status, problem["code"]) == (413, "body_too_large")


def test_after_a_refusal_the_server_goes_on(server, headers):
    refusal_of_announced(server, headers)

    assert answer(server, "GET", "/api/v1/channels", headers=headers)[0] == 200


def test_a_request_that_breaks_off_records_nothing(server, program, headers):
    text = json.dumps(purchase_body(builders.make_member(program))).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with closing(socket.create_connection(("127.0.0.1", server), timeout=30)) as raw:
        raw.sendall(
            b"POST /api/v1/activities HTTP/1.1\r\nHost: localhost\r\n"
            + f"{head}Content-Length: {len(text) + 10}\r\n\r\n".encode()
            + text
        )

    assert answer(server, "GET", "/api/v1/channels", headers=headers)[0] == 200
    assert Activity.objects.count() == 0


def test_what_is_no_http_is_no_error_of_ours(server, headers):
    with closing(socket.create_connection(("127.0.0.1", server), timeout=30)) as raw:
        raw.sendall(b"NONSENSE\r\n\r\n")
        said = raw.recv(1_000)

    assert not said or b" 400 " in said
    assert answer(server, "GET", "/api/v1/channels", headers=headers)[0] == 200


def test_heads_are_answered_without_a_body(server, headers):
    with closing(http.client.HTTPConnection("127.0.0.1", server, timeout=30)) as web:
        web.request("HEAD", "/api/v1/channels", headers=headers)
        response = web.getresponse()

        assert (response.status, response.read()) == (200, b"")


def test_no_key_reaches_the_log(server, log, key, headers):
    answer(server, "GET", "/api/v1/channels", headers=headers)
    answer(server, "GET", "/api/v1/channels", headers={"X-API-Key": f"{key}x"})
    answer(server, "POST", "/api/v1/activities", b"{", headers)

    assert "/api/v1/channels" in log.read_text()
    assert key.split(".")[1] not in log.read_text()


def half_open(port, head):
    """Open a connection and send the head of a request that announces a body."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    raw.sendall(head.encode())
    return raw


SLOW_HEADS = {
    "a token": "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\n",
    "activities": "POST /api/v1/activities HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
    "a form": "POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\n"
    "Cookie: csrftoken=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
    "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000\r\n\r\n",
}


@pytest.mark.parametrize("kind", SLOW_HEADS)
def test_sixteen_clients_that_drip_stop_nobody(server, headers, kind):
    slow = [half_open(server, SLOW_HEADS[kind]) for _ in range(16)]
    try:
        for _ in range(3):
            for raw in slow:
                raw.sendall(b"x")
            began = time.monotonic()
            assert answer(server, "GET", "/api/v1/channels", headers=headers)[0] == 200
            assert time.monotonic() - began < 5
    finally:
        for raw in slow:
            raw.close()


def test_a_body_that_does_not_arrive_is_answered_408_and_closed(server):
    with closing(half_open(server, SLOW_HEADS["a token"])) as raw:
        began = time.monotonic()
        said = raw.recv(4_000)

    assert b" 408 " in said.split(b"\r\n")[0]
    assert 5 < time.monotonic() - began < 20


def test_credentials_are_short(server):
    body = b"grant_type=client_credentials&x=" + b"x" * 17_000

    status, _, problem = answer(server, "POST", "/oauth/token", body)

    assert status == 413, problem


def test_a_file_is_sent_while_it_is_read(server, key):
    boundary, line = "xyz", b"K,m,2026-03-04T12:00:00Z,PURCHASE\n"
    content = b"key,member,occurred_at,type\n" + line * 400_000
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="a.csv"\r\n\r\n'
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )

    status, _, upload = answer(
        server,
        "POST",
        "/api/v1/uploads",
        body,
        {
            "Authorization": f"Bearer {key}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        },
    )

    assert (status, upload["status"]) == (201, "uploaded")
