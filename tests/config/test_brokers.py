"""Each broker that the site may run on carries a task to a real worker."""

import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from celery import Celery

from config import private_postgres, private_valkey
from config.environment import sql_broker
from tests.conftest import absent

ADDRESSES = {
    "redis": ("127.0.0.1", 6379, "redis://127.0.0.1:6379/0"),
    "rabbitmq": ("127.0.0.1", 5672, "amqp://guest:guest@127.0.0.1:5672//"),
}
SECONDS_TO_RUN = 30

pytestmark = pytest.mark.slow


def address_of(kind):
    if kind == "sql":
        private_postgres.ensure_running()
        return sql_broker(private_postgres.url(private_postgres.BROKER_DATABASE))
    if kind == "private valkey":
        private_valkey.ensure_running()
        return private_valkey.broker_url()
    host, port, address = ADDRESSES[kind]
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        absent(kind)
    return address


@pytest.fixture(params=["private valkey", "sql", "redis", "rabbitmq"])
def sender(request, tmp_path):
    """Start a worker on a queue of its own; return an application that sends."""
    address, queue = address_of(request.param), f"probe-{uuid.uuid4()}"
    environment = {
        **os.environ,
        "CELERY_BROKER_URL": address,
        "PROBE_QUEUE": queue,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    celery = str(Path(sys.executable).with_name("celery"))
    command = [celery, "--app", "tests.config.probe", "worker", "--concurrency", "1"]
    app = Celery(broker=address, set_as_current=False)
    app.conf.update(task_default_queue=queue, task_ignore_result=True)
    with (tmp_path / "worker.log").open("w") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        yield app
        worker.terminate()
        worker.wait(timeout=30)
    with app.connection_for_write() as connection:
        app.amqp.queues[queue](connection.default_channel).delete()
    app.close()


def appears(path):
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        if path.exists():
            return True
        time.sleep(0.05)
    return False


def test_a_task_reaches_the_worker(sender, tmp_path):
    sender.send_task("probe.leave_trace", [str(tmp_path / "trace")])

    assert appears(tmp_path / "trace"), (tmp_path / "worker.log").read_text()


def test_a_task_whose_process_was_killed_runs_again(sender, tmp_path):
    sender.send_task("probe.die_once", [str(tmp_path / "trace")])

    assert appears(tmp_path / "trace"), (tmp_path / "worker.log").read_text()
