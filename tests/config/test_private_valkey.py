"""The project's own Valkey: started once, shared, keeps its queues when killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
import redis

from config import private_valkey

START = (
    "import pathlib, sys; from config import private_valkey as v; "
    "print(v.ensure_running(pathlib.Path(sys.argv[1])))"
)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "valkey"
    private_valkey.stop(tmp_path / "valkey")


def connected(folder):
    return redis.Redis.from_url(private_valkey.cache_url(folder))


def kill(folder):
    os.kill(private_valkey.process_id(folder) or 0, signal.SIGKILL)
    while private_valkey.is_running(folder):
        time.sleep(0.01)


def test_processes_that_start_at_once_share_a_server_that_outlives_them(folder):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    answers = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert sorted(answers) == ["False", "False", "True"]
    assert private_valkey.is_running(folder)


def test_what_was_queued_survives_a_kill(folder):
    private_valkey.ensure_running(folder)
    with connected(folder) as client:
        client.lpush("queue", "a message")
        # It is on the disk after a second at most.
        time.sleep(1.2)

    kill(folder)
    is_started = private_valkey.ensure_running(folder)

    assert is_started
    with connected(folder) as client:
        assert client.rpop("queue") == b"a message"


def test_a_stop_keeps_what_is_queued(folder):
    private_valkey.ensure_running(folder)
    with connected(folder) as client:
        client.lpush("queue", "a message")

    private_valkey.stop(folder)
    assert not private_valkey.is_running(folder)
    private_valkey.ensure_running(folder)

    with connected(folder) as client:
        assert client.rpop("queue") == b"a message"


def test_what_is_damaged_is_set_aside_and_the_server_starts(folder):
    private_valkey.ensure_running(folder)
    kill(folder)
    for part in (folder / "appendonlydir").iterdir():
        part.write_bytes(b"no file of a server\r\n" * 100)

    assert private_valkey.ensure_running(folder)

    assert private_valkey.is_running(folder)
    assert list(folder.parent.glob("valkey.damaged-*"))


def test_it_listens_on_no_port_and_to_nobody_else(folder):
    private_valkey.ensure_running(folder)

    with connected(folder) as client:
        assert client.config_get("port") == {"port": "0"}
    assert private_valkey.socket_path(folder).stat().st_mode & 0o077 == 0


def test_a_folder_with_a_long_name_gets_a_socket_elsewhere(tmp_path):
    folder = tmp_path / ("long" * 30) / "valkey"

    private_valkey.ensure_running(folder)

    assert private_valkey.socket_path(folder).parent != folder
    assert private_valkey.is_running(folder)
    private_valkey.stop(folder)
