"""Any process of ``manage.py serve`` may die: it is back within half a minute."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("config", "loyalty", "campaigns", "activities", "templates", "static")
SECONDS_TO_HEAL = 30
SECONDS_TO_START = 150

pytestmark = pytest.mark.slow


class Site:
    """A site in a checkout of its own, with its own PostgreSQL and Valkey."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.folder = port, folder
        self.log = folder / "log"
        for part in PARTS:
            if (ROOT / part).exists():
                shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "manage.py", folder)
        unset = ("CELERY_BROKER_URL", "CACHE_URL", "DATABASE_URL", "PYTHONPATH")
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(port)],
                env={
                    **{k: v for k, v in os.environ.items() if k not in unset},
                    "LOCAL": "true",
                    "METRICS_FOLDER": str(folder / "metrics"),
                    "WORKER_PROCESSES": "1",
                    "DJANGO_SETTINGS_MODULE": "config.settings",
                },
                cwd=folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def python(self, code: str) -> str:
        """Return what Python says in the site's checkout."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={
                **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "METRICS_FOLDER": str(self.folder / "metrics"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def main(self, word: str) -> psutil.Process:
        """Return the process with ``word`` in its command line that is supervised."""
        for one in psutil.Process(self.process.pid).children():
            if word in " ".join(one.cmdline()):
                return one
        raise psutil.NoSuchProcess(0)

    def child(self, word: str) -> psutil.Process:
        """Return the newest child of it."""
        children = self.main(word).children()
        if not children:
            raise psutil.NoSuchProcess(0)
        return max(children, key=lambda one: one.create_time())

    def server(self, name: str) -> psutil.Process:
        """Return the main process of PostgreSQL or Valkey."""
        path = {"postgres": "postgres/postmaster.pid", "valkey": "valkey/pid"}[name]
        text = (self.folder / ".data" / path).read_text()
        return psutil.Process(int(text.split()[0]))

    def sql(self, statement: str) -> Any:
        """Return the first value that the database answers; None without any."""
        address = f"host='{self.folder}/.data/postgres' user=postgres dbname=loyalty"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def is_ready(self) -> bool:
        """Whether it answers and reaches database, cache and broker."""
        try:
            url = f"http://127.0.0.1:{self.port}/health/ready"
            with urllib.request.urlopen(url, timeout=5) as response:
                return bool(json.loads(response.read())["status"] == "ready")
        except (OSError, ValueError):
            return False

    def answers_sql(self, statement: str, expected: Any) -> bool:
        """Whether the database says so; not while it is down."""
        try:
            return bool(self.sql(statement) == expected)
        except psycopg.Error:
            return False

    def does_regular_work(self) -> bool:
        """Whether beat sends work and a worker does it: a member is looked at."""
        return self.answers_sql("SELECT count(*) FROM activities_segmentrecheck", 0)

    def checks_uploads(self) -> bool:
        """Whether the worker of uploads does what the sweep sends."""
        return self.answers_sql("SELECT status FROM activities_upload", "failed")

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=90)


LET_A_MEMBER_WAIT = (
    "INSERT INTO activities_segmentrecheck (program_id, member_id)"
    " SELECT program_id, id FROM loyalty_member LIMIT 1"
)
# Its file is not there, which the worker that checks it finds out.
LET_AN_UPLOAD_WAIT = (
    "UPDATE activities_upload SET status = 'uploaded', tries = 0, swept_at = NULL,"
    " touched_at = '2000-01-01Z'"
)
MAKE_ROWS = """
import datetime
import django; django.setup()
from activities.models import Upload
from loyalty.models import Member, Program
program = Program.objects.create(name="Healing")
Member.objects.create(program=program)
now = datetime.datetime.now(tz=datetime.UTC)
Upload.objects.create(program=program, file="gone", format="csv", created_at=now)
"""


@pytest.fixture(scope="module")
def site():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # PostgreSQL runs as another user, who may not look into pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="loyalty-site-"))
    folder.chmod(0o755)
    site = Site(folder, port)
    try:
        assert seconds_until(site.is_ready, SECONDS_TO_START), site.log.read_text()
        site.python(MAKE_ROWS)
        yield site
    finally:
        if site.process.poll() is None:
            site.stop()
        shutil.rmtree(folder)


def seconds_until(condition, at_most):
    began = time.monotonic()
    while time.monotonic() - began < at_most:
        if condition():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


VICTIMS = {
    "web child": lambda site: site.child("granian"),
    "web main": lambda site: site.main("granian"),
    "worker child": lambda site: site.child("regular@"),
    "worker main": lambda site: site.main("regular@"),
    "uploads child": lambda site: site.child("uploads@"),
    "uploads main": lambda site: site.main("uploads@"),
    "beat": lambda site: site.main(" beat "),
    "PostgreSQL": lambda site: site.server("postgres"),
    "Valkey": lambda site: site.server("valkey"),
}


FOR_UPLOADS = {"uploads child", "uploads main", "PostgreSQL", "Valkey"}


@pytest.mark.parametrize("kind", VICTIMS)
def test_a_killed_process_is_back_within_half_a_minute(site, kind):
    victim = VICTIMS[kind](site)
    victim.kill()
    began = time.monotonic()
    seconds_until(lambda: not is_alive(victim), 10)
    assert seconds_until(lambda: done(site, LET_A_MEMBER_WAIT), SECONDS_TO_HEAL)

    is_ready = seconds_until(site.is_ready, SECONDS_TO_HEAL)
    works = seconds_until(site.does_regular_work, SECONDS_TO_HEAL)

    seconds = time.monotonic() - began
    sys.stdout.write(f"{kind}: back after {seconds:.1f} s\n")
    assert None not in (is_ready, works), site.log.read_text()[-3_000:]
    assert seconds < SECONDS_TO_HEAL
    if kind in FOR_UPLOADS:
        # The sweep looks every fifteen seconds.
        site.sql(LET_AN_UPLOAD_WAIT)
        assert seconds_until(site.checks_uploads, 2 * SECONDS_TO_HEAL), (
            site.log.read_text()[-3_000:]
        )


def done(site, statement):
    try:
        site.sql(statement)
    except psycopg.Error:
        return False
    return True


def is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_children_killed_at_once_do_not_take_the_worker_along(site):
    main = site.main("regular@")
    for child in main.children():
        child.kill()
    site.sql(LET_A_MEMBER_WAIT)

    assert seconds_until(site.does_regular_work, SECONDS_TO_HEAL) is not None
    assert site.main("regular@").pid == main.pid


def test_it_stops_in_order_and_leaves_nothing(site):
    began = time.monotonic()
    everybody = psutil.Process(site.process.pid).children(recursive=True)
    servers = [site.server("postgres"), site.server("valkey")]

    assert site.stop() == 0

    assert time.monotonic() - began < 45
    assert [one for one in (*everybody, *servers) if is_alive(one)] == []
