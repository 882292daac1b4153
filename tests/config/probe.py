"""A Celery application with a task that leaves traces, for the broker tests."""

import os
import signal
from pathlib import Path

from config.celery import app

app.conf.update(
    task_default_queue=os.environ.get("PROBE_QUEUE", "probe"), task_queues=None
)


@app.task(name="probe.leave_trace")
def leave_trace(path):
    """Write a file named ``path``."""
    Path(path).write_text("done")


@app.task(name="probe.die_once")
def die_once(path):
    """Die with the process at the first attempt, write ``path`` at the second."""
    attempt = Path(f"{path}.attempt")
    if not attempt.exists():
        attempt.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    Path(path).write_text("done")
