"""A process that records batches in one database, turn by turn.

``python -m benchmarks.recorder`` reads a ``Turn`` as a line of JSON from its input
for each turn and answers with the seconds that an activity took. Two recorders on
two databases can so take turns, each with its connection and its caches warm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activities.services import RecordActivity


@dataclass(frozen=True, slots=True)
class Turn:
    """How much to record: so many batches, each of ``size`` members' purchases."""

    program_code: str
    size: int
    batches: int
    member_count: int


class Recorder:
    """The other process, as this one sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Talk to a process that was started."""
        self._process = process

    def seconds(self, turn: Turn) -> float:
        """Let it record; return the seconds for each activity."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("The recorder has no pipes.")
        self._process.stdin.write(json.dumps(asdict(turn)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError("The recorder ended: see above.")
        return float(answer)


@contextmanager
def recorder(address: str) -> Iterator[Recorder]:
    """Start a recorder on a database; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.recorder"],
        env={**os.environ, "DATABASE_URL": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Recorder(process)
    finally:
        process.communicate()


def _record(turn: Turn) -> float:
    """Record every batch; return the seconds for each activity."""
    from activities.services import record_activities
    from loyalty.models import Program

    program_id = Program.objects.get(code=turn.program_code).pk
    batches = [_batch(turn, place) for place in range(turn.batches)]
    seconds = 0.0
    for commands in batches:
        now = datetime.now(tz=UTC)
        started = time.perf_counter()
        outcomes = record_activities(program_id, commands, now=now)
        seconds += time.perf_counter() - started
        if not all(hasattr(one, "activity_id") for one in outcomes):
            raise AssertionError(f"Refused: {outcomes[0]}")
    return seconds / (turn.batches * turn.size)


def _batch(turn: Turn, place: int) -> list[RecordActivity]:
    from activities.services import Line, RecordActivity
    from benchmarks.programmes import IDENTITY_KIND

    now = datetime.now(tz=UTC)
    first = place * turn.size
    return [
        RecordActivity(
            source="benchmark",
            key=uuid.uuid4().hex,
            activity_type="PURCHASE",
            occurred_at=now,
            occurred_at_text=now.isoformat(),
            received_at=now,
            member=(IDENTITY_KIND, f"member-{number % turn.member_count + 1}"),
            channel="STORE",
            business_unit="grocery",
            units=425_000,
            lines=(Line("product-1", 125_000), Line("product-9", 300_000)),
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
