"""A process whose members interact with one campaign, one after the other.

``python -m benchmarks.players`` reads a ``Turn`` as a line of JSON from its input for
each turn, plays until its time is over and answers with interactions per second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Turn:
    """Who plays what: members with numbers from ``first_member`` on, in turn."""

    program_id: int
    campaign_id: int
    first_member: int
    member_count: int
    seconds: float


class Players:
    """The other processes, as this one sees them."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        """Talk to processes that were started."""
        self._processes = processes

    def rate(self, turns: Sequence[Turn]) -> float:
        """Let as many play at once; return interactions per second of all."""
        working = list(zip(self._processes, turns, strict=False))
        for process, turn in working:
            if process.stdin is None:
                raise AssertionError("The player has no pipes.")
            process.stdin.write(json.dumps(asdict(turn)) + "\n")
            process.stdin.flush()
        return sum(_answer(process) for process, _ in working)


def _answer(process: subprocess.Popen[str]) -> float:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise AssertionError("A player ended: see above.")
    return float(line)


@contextmanager
def players(count: int) -> Iterator[Players]:
    """Start players; they end with the block."""
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.players"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            processes.append(process)
        yield Players(processes)


def _play(turn: Turn) -> float:
    from activities.services.interacting import interact
    from activities.services.interactions import Interact

    played = 0
    started = time.perf_counter()
    while time.perf_counter() - started < turn.seconds:
        member_id = turn.first_member + played % turn.member_count
        command = Interact(turn.campaign_id, member_id, "benchmark")
        interact(turn.program_id, command, now=datetime.now(tz=UTC))
        played += 1
    return played / (time.perf_counter() - started)


def _main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        print(_play(Turn(**json.loads(line))), flush=True)


if __name__ == "__main__":
    _main()
