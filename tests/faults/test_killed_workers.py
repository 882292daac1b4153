"""Workers of an upload killed at random moments: nothing is lost, nobody paid twice."""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from activities.models import Activity, Upload, UploadRow, UploadStatus
from activities.reports import bucket_totals, ledger_mismatches
from activities.services import uploads
from activities.services.uploads import staging
from campaigns.models import Campaign
from loyalty.models import Account, FrequencyPeriod, Program
from tests.activities.uploads.files import NOW, confirmed, new_upload, run
from tests.builders import (
    make_campaign,
    make_member,
    make_program,
    make_type,
    usage_of,
)
from tests.faults.processes import Worker, sweep_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PAST = datetime(2000, 1, 1, tzinfo=UTC)
ROW_COUNT, MEMBER_COUNT, BUDGET = 6_000, 150, 5_000
KILL_COUNT, WORKERS_AT_ONCE = 5, 3


@pytest.fixture
def program(transactional_db, monkeypatch) -> Program:
    """A program in which order matters: caps, attempts, a budget; small chunks."""
    monkeypatch.setattr(staging, "CHUNK_ROWS", 60)
    daily, _ = FrequencyPeriod.objects.get_or_create(
        pk=2, defaults={"name": "One Calendar Day", "unit": "calendar_day"}
    )
    program = make_program()
    make_type(program, cap_count=2, frequency_period=daily)
    make_campaign(program, name="Every third", points=9, required_attempts=3)
    make_campaign(program, name="Budget", points=7, points_budget=BUDGET)
    for number in range(MEMBER_COUNT):
        make_member(program, f"m{number:03}")
    return program


def rows(count: int = ROW_COUNT) -> list[dict]:
    generator = random.Random(7)
    return [
        {
            "key": f"K-{number}",
            "member": f"m{generator.randrange(MEMBER_COUNT):03}",
            "occurred_at": (
                START + timedelta(minutes=generator.randrange(60 * 24 * 30))
            ).isoformat(),
            "type": "PURCHASE",
            "value": f"{generator.randrange(100, 5_000) / 100:.2f}",
        }
        for number in range(count)
    ]


def kill_some(action: str, upload: Upload, seed: int) -> None:
    """Let several workers work and kill one after the other, in the middle of it."""
    generator = random.Random(seed)
    waiting = [Worker(action, upload) for _ in range(WORKERS_AT_ONCE + KILL_COUNT)]
    working = [waiting.pop().begin() for _ in range(WORKERS_AT_ONCE)]
    for _ in range(KILL_COUNT):
        time.sleep(generator.uniform(0.02, 0.3))
        working.pop(0).kill()
        working.append(waiting.pop().begin())
    for worker in working:
        worker.kill()


def wait_for_attempt(upload: Upload, number: int) -> None:
    """Wait until a worker has begun the check for the ``number``-th time."""
    deadline = time.monotonic() + 60
    while not Upload.objects.filter(pk=upload.pk, attempt=number).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def paid() -> Counter:
    rows = Account.objects.filter(member__isnull=False)
    return Counter(dict(rows.values_list("member__identities__value", "balance")))


@pytest.mark.parametrize("seed", [1, 2])
def test_recording_loses_nothing_and_pays_nobody_twice(program, seed):
    upload = confirmed(program, rows())
    promised = {one["bucket"]: one["points"] for one in upload.dry_run["points"]}

    kill_some("run", upload, seed)
    upload.refresh_from_db()
    was_interrupted = upload.status == UploadStatus.RUNNING
    sweep_until(upload, UploadStatus.FINISHED, "run", PAST)

    assert was_interrupted
    assert Activity.objects.count() == upload.recorded_count == ROW_COUNT
    assert not UploadRow.objects.exists()
    assert {one.bucket: one.points for one in bucket_totals(program.pk)} == promised
    assert usage_of(Campaign.objects.get(points_budget=BUDGET))[0] == BUDGET
    assert list(ledger_mismatches()) == []
    for member in program.member_set.all():
        activities = Activity.objects.filter(member=member).order_by("pk")
        moments = list(activities.values_list("occurred_at", flat=True))
        assert moments == sorted(moments)


def test_checking_starts_anew_and_promises_the_same(program):
    # By a worker too: where a budget runs out depends on how the file is cut.
    undisturbed = new_upload(program, rows())
    sweep_until(undisturbed, UploadStatus.VALIDATED, "validate", PAST)
    expected = undisturbed.dry_run
    upload = new_upload(program, rows())

    workers = [Worker("validate", upload) for _ in range(4)]
    for number, worker in enumerate(workers):
        Upload.objects.filter(pk=upload.pk).update(touched_at=PAST)
        worker.begin()
        wait_for_attempt(upload, number + 1)
        time.sleep(0.1 * number)
        worker.kill()
        upload.refresh_from_db()
        assert upload.status == UploadStatus.VALIDATING
    sweep_until(upload, UploadStatus.VALIDATED, "validate", PAST)

    assert upload.dry_run == expected
    assert upload.activity_count == ROW_COUNT
    assert UploadRow.objects.filter(upload=upload).count() == ROW_COUNT


def test_undoing_takes_back_everything_exactly_once(program):
    upload = confirmed(program, rows())
    run(upload)
    assert sum(paid().values()) > 0
    uploads.undo_upload(upload, actor="operator", now=NOW)

    kill_some("undo", upload, seed=3)
    upload.refresh_from_db()
    was_interrupted = upload.status == UploadStatus.UNDOING
    sweep_until(upload, UploadStatus.UNDONE, "undo", PAST)

    assert was_interrupted
    assert upload.reversed_count == ROW_COUNT
    assert set(paid().values()) == {0}
    assert list(ledger_mismatches()) == []
