"""Running the processes of a site together: who ends is started again.

Each process leads a group of its own, so that signals of the terminal reach the
supervisor alone, which stops the others in order and gives them time. What a process
leaves behind when it is killed is killed with its group before it is started again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_POLL_SECONDS = 0.1
_WATCH_SECONDS = 1.0
# Seconds before a process is started again: longer each time, until it stays up.
_DELAYS = (0.5, 1, 2, 4, 8)
_STAYS_UP_SECONDS = 30
_PARENT_DIES = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Program:
    """A process of the site.

    ``is_done_at_zero``: it has a task and ends; only then is it not started again.
    ``order``: those with lower numbers are stopped first. ``grace_seconds``: for how
    long it may finish what it is at.
    """

    name: str
    command: Sequence[str]
    order: int = 0
    grace_seconds: float = 10
    is_done_at_zero: bool = False


@dataclass
class _Run:
    program: Program
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0
    is_done: bool = False
    reader: threading.Thread | None = field(default=None, repr=False)


class Supervisor:
    """Keeps programs running until a signal asks it to stop."""

    def __init__(
        self,
        programs: Sequence[Program],
        environment: Mapping[str, str],
        servers: Mapping[str, Callable[[], bool]],
        output: IO[str] = sys.stdout,
    ) -> None:
        """Watch ``servers`` too: each function starts its own unless it runs.

        They are called about once a second, and return whether they started it.
        """
        self._runs = [_Run(program) for program in programs]
        self._environment = dict(environment)
        self._servers = dict(servers)
        self._output = output
        self._writing = threading.Lock()
        self._width = max(len(one.name) for one in programs)
        self._signals = 0

    def run(self) -> None:
        """Start everything and return when it is stopped, after SIGINT or SIGTERM.

        A second signal ends the processes at once.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note_signal)
        stopped = threading.Event()
        watch = threading.Thread(target=self._watch, args=(stopped,), daemon=True)
        watch.start()
        try:
            while not self._signals:
                for run in self._runs:
                    self._keep(run)
                time.sleep(_POLL_SECONDS)
        finally:
            stopped.set()
            self._stop()
            watch.join(timeout=5)

    def _note_signal(self, *_: Any) -> None:
        self._signals += 1

    def _keep(self, run: _Run) -> None:
        now = time.monotonic()
        if run.process is None:
            if not run.is_done and now >= run.due_at:
                self._start(run)
            return
        status = run.process.poll()
        if status is None:
            return
        _kill_group(run.process)
        run.process = None
        if status == 0 and run.program.is_done_at_zero:
            run.is_done = True
            return
        if now - run.started_at >= _STAYS_UP_SECONDS:
            run.failures = 0
        delay = _DELAYS[min(run.failures, len(_DELAYS) - 1)]
        run.failures += 1
        run.due_at = now + delay
        ended = f"signal {-status}" if status < 0 else f"status {status}"
        self._say(run.program.name, f"ended ({ended}); started again in {delay:g} s")

    def _start(self, run: _Run) -> None:
        run.started_at = time.monotonic()
        run.process = subprocess.Popen(  # noqa: S603 the project's own commands
            list(run.program.command),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (one call of the system, no locks)
        )
        run.reader = threading.Thread(
            target=self._copy, args=(run.program.name, run.process), daemon=True
        )
        run.reader.start()

    def _copy(self, name: str, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self._say(name, line.rstrip("\n"))

    def _say(self, name: str, text: str) -> None:
        with self._writing:
            try:
                print(f"{name:<{self._width}} | {text}", file=self._output, flush=True)
            except (OSError, ValueError):
                # Nobody reads any more; the processes go on.
                pass

    def _watch(self, stopped: threading.Event) -> None:
        while not stopped.wait(_WATCH_SECONDS):
            for name, ensure in self._servers.items():
                try:
                    if ensure():
                        self._say(name, "had ended; it is started again")
                except Exception as error:  # noqa: BLE001 (tried again in a second)
                    self._say(name, f"does not start: {error}")

    def _stop(self) -> None:
        """Stop the processes in order; nothing of their groups is left."""
        self._signals = min(self._signals, 1)
        living = [run for run in self._runs if run.process is not None]
        if any(run.program.grace_seconds > 10 for run in living):
            self._say("stop", "finishing what is under way; Ctrl-C again ends it now")
        for order in sorted({run.program.order for run in living}):
            self._stop_together([run for run in living if run.program.order == order])
        for run in living:
            if run.reader is not None:
                run.reader.join(timeout=2)

    def _stop_together(self, runs: Sequence[_Run]) -> None:
        for run in runs:
            if run.process is not None and run.process.poll() is None:
                run.process.terminate()
        began = time.monotonic()
        for run in runs:
            while (
                run.process is not None
                and run.process.poll() is None
                and self._signals < 2
                and time.monotonic() - began < run.program.grace_seconds
            ):
                time.sleep(_POLL_SECONDS)
            if run.process is not None:
                _kill_group(run.process)
                run.process.wait()


def _end_with_parent() -> None:
    """Let the process end when the supervisor is killed."""
    ctypes.CDLL(None).prctl(_PARENT_DIES, signal.SIGTERM)


def _kill_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
