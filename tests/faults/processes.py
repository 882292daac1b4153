"""Starting and killing workers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from activities.models import Upload
from activities.services import uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import Model


class Worker:
    """A process that works on an upload, or on a list of codes."""

    def __init__(self, action: str, upload: Model) -> None:
        """Start it; it waits until it may begin."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", action, str(upload.pk)],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "WORKER_DATABASE": str(connection.settings_dict["NAME"]),
                "WORKER_FILES": str(settings.MEDIA_ROOT),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self) -> Worker:
        """Let it work, once it is ready."""
        assert self._line() == "ready"
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self

    def kill(self) -> None:
        """End it with SIGKILL, as the system does when memory runs out."""
        self._process.kill()
        self._close()

    def peak_megabytes(self) -> int:
        """Wait for its end and return the most memory that it used."""
        peak = int(self._line())
        assert self._close() == 0
        return peak

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _close(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(timeout=60)


def sweep_until(upload: Upload, status: str, action: str, past: datetime) -> None:
    """Queue the work again, as the sweep does, until the upload is at ``status``."""
    for _ in sweeps(upload, status, past):
        Worker(action, upload).begin().peak_megabytes()


def sweeps(upload: Upload, status: str, past: datetime) -> Iterator[None]:
    """Yield whenever the sweep finds the upload, pretending that time went by."""
    for _ in range(5):
        upload.refresh_from_db()
        if upload.status == status:
            return
        Upload.objects.filter(pk=upload.pk).update(touched_at=past, swept_at=None)
        assert [one.upload_id for one in uploads.stalled_uploads()] == [upload.pk]
        yield
    raise AssertionError(f"The upload is still {upload.status}.")
