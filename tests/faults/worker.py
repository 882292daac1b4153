"""One worker of an upload or list in a process of its own, which tests may kill.

``python -m tests.faults.worker <action> <number>`` works on the database and the
files that ``WORKER_DATABASE`` and ``WORKER_FILES`` name. It prints a line when it
is ready, begins when it reads one, and prints its peak memory in MB when it is done.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
from django.conf import settings


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    settings.DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
    settings.MEDIA_ROOT = os.environ["WORKER_FILES"]
    django.setup()

    from activities.models import Upload
    from activities.services import uploads
    from loyalty.services.vouchers import run_code_job

    action, upload_id = sys.argv[1], int(sys.argv[2])
    until = datetime.now(tz=UTC) + timedelta(minutes=10)
    Upload.objects.exists()
    say("ready")
    sys.stdin.readline()
    if action == "validate":
        uploads.validate_upload(Upload.objects.get(pk=upload_id))
    elif action == "run":
        uploads.run_chunks_in_threads(upload_id, until=until)
    elif action == "codes":
        run_code_job(upload_id)
    else:
        uploads.undo_chunks(upload_id, until=until)
    say(str(peak_megabytes()))


def peak_megabytes() -> int:
    """Return the most memory that this program used.

    The number of ``getrusage`` would include what its parent had used.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) // 1024


def say(text: str) -> None:
    """Write a line for the test that waits for it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
