"""One background worker at work on something long, watched from inside.

``python -m benchmarks.worker check|record|backtest NUMBER`` does what the Celery task
of that step does with an upload or a backtest, in a process of its own, and prints
seconds and peak memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import NamedTuple

from benchmarks.machine import peak_megabytes


class Work(NamedTuple):
    """What the work took; start-up of the process counts as memory, not as time."""

    seconds: float
    processor_seconds: float
    peak_megabytes: float


def check(upload_id: int) -> Work:
    """Let a worker check an upload."""
    return _watched("check", upload_id)


def record(upload_id: int, address: str = "") -> Work:
    """Let a worker record a confirmed upload to its end, in another database."""
    return _watched("record", upload_id, address)


def backtest(backtest_id: int) -> Work:
    """Let a worker run a backtest to its end."""
    return _watched("backtest", backtest_id)


def _watched(step: str, row_id: int, address: str = "") -> Work:
    command = [sys.executable, "-m", "benchmarks.worker", step, str(row_id)]
    environment = dict(os.environ)
    if address:
        environment["DATABASE_URL"] = address
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    return Work(**json.loads(done.stdout))


def _main(step: str, row_id: int) -> None:
    import django

    django.setup()
    from activities import tasks
    from activities.models import Upload
    from activities.services import backtesting, uploads

    del tasks  # A worker has imported them, and all that they need.
    started = time.perf_counter(), time.process_time()
    if step == "check":
        uploads.validate_upload(Upload.objects.get(pk=row_id))
    elif step == "record":
        until = datetime.max.replace(tzinfo=UTC)
        uploads.run_chunks_in_threads(row_id, until=until)
    else:
        backtesting.run_backtest(row_id)
    ended = time.perf_counter(), time.process_time()
    work = Work(ended[0] - started[0], ended[1] - started[1], peak_megabytes())
    print(json.dumps(work._asdict()))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
