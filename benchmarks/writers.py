"""Processes that record at the same time, each on members of its own.

``python -m benchmarks.writers`` reads a ``Turn`` as a line of JSON from its input for
each turn, records until its time is over and answers with activities per second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from activities.services import RecordActivity


@dataclass(frozen=True, slots=True)
class Turn:
    """What one writer records: batches of ``size``, for so many seconds.

    Each statement takes ``delay_seconds`` more, as it does where the database is on
    another machine.
    """

    program_code: str
    activity_type: str
    first_member: int
    member_count: int
    size: int
    seconds: float
    delay_seconds: float = 0.0


class Writers:
    """The other processes, as this one sees them."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        """Talk to processes that were started."""
        self._processes = processes

    def rates(self, turns: Sequence[Turn]) -> list[float]:
        """Let as many writers record at once; return activities per second of each."""
        working = list(zip(self._processes, turns, strict=False))
        for process, turn in working:
            if process.stdin is None:
                raise AssertionError("The writer has no pipes.")
            process.stdin.write(json.dumps(asdict(turn)) + "\n")
            process.stdin.flush()
        return [_answer(process) for process, _ in working]


def _answer(process: subprocess.Popen[str]) -> float:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise AssertionError("A writer ended: see above.")
    return float(line)


@contextmanager
def writers(count: int) -> Iterator[Writers]:
    """Start writers; they end with the block."""
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.writers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            processes.append(process)
        yield Writers(processes)


def _record(turn: Turn) -> float:
    from django.db import connection

    with connection.execute_wrapper(_delaying(turn.delay_seconds)):
        return _record_in_time(turn)


def _delaying(seconds: float) -> Callable[..., Any]:
    def delayed(execute: Callable[..., Any], *arguments: Any) -> Any:
        if seconds:
            time.sleep(seconds)
        return execute(*arguments)

    return delayed


def _record_in_time(turn: Turn) -> float:
    from activities.services import record_activities
    from loyalty.models import Program

    program_id = Program.objects.get(code=turn.program_code).pk
    recorded = 0
    started = time.perf_counter()
    while time.perf_counter() - started < turn.seconds:
        first = turn.first_member + recorded
        now = datetime.now(tz=UTC)
        outcomes = record_activities(program_id, _batch(turn, first, now), now=now)
        if not all(hasattr(one, "activity_id") for one in outcomes):
            raise AssertionError(f"Refused: {outcomes[0]}")
        recorded += len(outcomes)
    return recorded / (time.perf_counter() - started)


def _batch(turn: Turn, first: int, now: datetime) -> list[RecordActivity]:
    from activities.services import RecordActivity
    from benchmarks.programmes import IDENTITY_KIND

    since = turn.first_member
    return [
        RecordActivity(
            source="benchmark",
            key=uuid.uuid4().hex,
            activity_type=turn.activity_type,
            occurred_at=now,
            occurred_at_text=now.isoformat(),
            received_at=now,
            member=(
                IDENTITY_KIND,
                f"member-{since + (number - since) % turn.member_count}",
            ),
            channel="STORE",
            business_unit="grocery",
            units=425_000,
        )
        for number in range(first, first + turn.size)
    ]


def _main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        print(_record(Turn(**json.loads(line))), flush=True)


if __name__ == "__main__":
    _main()
