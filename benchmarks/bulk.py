"""Bulk: a file of real baskets through the upload path, with one worker.

A month of the demo's baskets is history already; a file of the months after it is
uploaded, checked and recorded. Only recording is timed against the floor. Both
begin from copies of the same database and take turns; the best round of each
counts, because what disturbs a round only ever makes it slower.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import database, floor, worker
from benchmarks.measures import Measure, at_least, at_most, say

if TYPE_CHECKING:
    from activities.models import Upload
    from loyalty.models import Program

RATIO_AIM = 0.5
MEGABYTES_AIM = 300
# For five times the rows. The products met are remembered, up to a limit of their own.
GROWTH_AIM = 1.2


class Size(NamedTuple):
    """How much is measured: history ends before one day, the file before the other."""

    history_until: date
    file_until: date
    rounds: int


FULL = Size(date(2017, 2, 1), date(2017, 7, 1), rounds=3)
TINY = Size(date(2017, 1, 2), date(2017, 1, 3), rounds=1)


def run(size: Size) -> list[Measure]:
    """Measure speed against the floor, and memory for two sizes of file."""
    from activities.services.demo.configuration import build_configuration

    say("bulk: building the demo programme")
    program = build_configuration()
    history, small_peak = checked(program, None, size.history_until)
    small_peak = max(small_peak, worker.record(history.pk).peak_megabytes)
    upload, large_peak = checked(program, size.history_until, size.file_until)

    recorded, floor_seconds = _rounds(upload, size.rounds)
    large_peak = max(large_peak, recorded.peak_megabytes)
    return [
        *_speed(upload.activity_count, recorded, floor_seconds),
        Measure(
            "bulk: peak memory of the worker",
            f"{large_peak:,.0f} MB",
            aim=f"< {MEGABYTES_AIM} MB",
            is_met=large_peak < MEGABYTES_AIM,
        ),
        at_most(
            f"bulk: the same, {upload.activity_count:,} against"
            f" {history.activity_count:,} activities",
            large_peak,
            small_peak,
            GROWTH_AIM,
            "MB",
        ),
    ]


def _speed(count: int, recorded: worker.Work, floor_seconds: float) -> list[Measure]:
    return [
        at_least(
            f"bulk: {count:,} activities of an upload, 1 worker, against SQL",
            count / recorded.seconds,
            count / floor_seconds,
            RATIO_AIM,
            "/s",
        ),
        Measure(
            "bulk: the worker's own processor time, of all its time",
            f"{recorded.processor_seconds / count * 1e6:,.0f} µs each",
            f"{recorded.seconds / count * 1e6:,.0f} µs each",
            f"{recorded.processor_seconds / recorded.seconds:.2f}",
        ),
    ]


def checked(program: Program, since: date | None, until: date) -> tuple[Upload, float]:
    """Return a confirmed upload of some days, and the peak of who checked it."""
    from activities.services.uploads import confirm_upload

    upload = _uploaded(program, since, until)
    work = worker.check(upload.pk)
    upload.refresh_from_db()
    say(
        f"bulk: {upload.activity_count:,} activities of {upload.line_count:,} lines "
        f"checked in {work.seconds:.0f} s"
    )
    upload = confirm_upload(upload, actor="benchmark", now=datetime.now(tz=UTC))
    return upload, work.peak_megabytes


def _uploaded(program: Program, since: date | None, until: date) -> Upload:
    from django.core.files import File

    from activities.services.demo.configuration import IDENTITY_KIND
    from activities.services.demo.source import write_baskets
    from activities.services.uploads import UploadOptions, create_upload
    from loyalty.models import ActivityType, Channel

    options = UploadOptions(
        source="benchmark",
        identity_kind=IDENTITY_KIND,
        default_activity_type=ActivityType.objects.get(program=program),
        default_channel=Channel.objects.get(program=program, code="STORE"),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baskets.parquet"
        write_baskets(path, since=since, until=until)
        with path.open("rb") as stream:
            now = datetime.now(tz=UTC)
            return create_upload(
                program, File(stream, name=path.name), now=now, options=options
            )


def _rounds(upload: Upload, rounds: int) -> tuple[worker.Work, float]:
    """Let the product and the floor take turns; return the best of each."""
    original = database.current_address()
    recorded: list[worker.Work] = []
    floors: list[float] = []
    database.settle()
    for number in range(rounds):
        with database.copied("product") as address:
            recorded.append(worker.record(upload.pk, address))
            if not floors:
                floor.keep_rows(original, address)
        with database.copied("floor") as address:
            floors.append(floor.write_again(address))
        say(
            f"bulk: round {number + 1}: {recorded[-1].seconds:.1f} s, "
            f"floor {floors[-1]:.1f} s"
        )
    return min(recorded), min(floors)
