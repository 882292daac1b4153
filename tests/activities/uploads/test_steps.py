"""An upload from its arrival to its undoing: the steps that people take."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.models import (
    Activity,
    ActivityReversal,
    Upload,
    UploadRow,
    UploadStatus,
)
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities, uploads
from activities.services.uploads import staging
from loyalty.models import Account, Entry
from loyalty.services import jobs
from tests.activities.uploads.files import (
    NOW,
    checked,
    confirmed,
    finished,
    new_upload,
    run,
    undo,
)
from tests.builders import make_campaign, make_type, make_wallet, purchase

pytestmark = pytest.mark.django_db

THREE_PURCHASES = """\
key,member,occurred_at,type,channel,value
R-1,ann,2026-03-04T12:00:00Z,PURCHASE,STORE,12.99
R-2,ben,2026-03-04T13:00:00Z,PURCHASE,STORE,40
R-3,ann,2026-03-04T14:00:00Z,PURCHASE,STORE,7.50
"""
PAST = datetime(2000, 1, 1, tzinfo=UTC)


def balances() -> dict[str, int]:
    rows = Account.objects.filter(member__isnull=False)
    return dict(rows.values_list("member__identities__value", "balance"))


def run_one_chunk(upload: Upload, monkeypatch) -> None:
    """Record one chunk and come to the end of the turn."""
    from activities.services.uploads import running

    moments = iter([NOW, NOW + timedelta(hours=1)])
    with monkeypatch.context() as patch:
        patch.setattr(running, "clock", lambda: next(moments))
        uploads.run_chunks(upload.pk, until=NOW + timedelta(minutes=1))
    upload.refresh_from_db()


@pytest.fixture
def half_done(program, monkeypatch):
    """A running upload of two chunks, of which Ann's is recorded."""
    monkeypatch.setattr(staging, "CHUNK_ROWS", 2)
    upload = confirmed(program, THREE_PURCHASES)
    run_one_chunk(upload, monkeypatch)
    assert (upload.status, upload.recorded_count) == (UploadStatus.RUNNING, 2)
    return upload


def test_the_check_tells_what_the_file_would_award_and_awards_nothing(program):
    upload = checked(program, THREE_PURCHASES)

    assert upload.status == UploadStatus.VALIDATED
    assert (upload.line_count, upload.activity_count) == (3, 3)
    assert upload.dry_run["points"] == [
        {"wallet": "loyalty", "bucket": "base", "points": 59, "awards": 3}
    ]
    assert [(one["key"], one["points"]) for one in upload.dry_run["largest"]] == [
        ("R-2", "40"),
        ("R-1", "12"),
        ("R-3", "7"),
    ]
    assert not Activity.objects.exists()
    assert not Entry.objects.exists()


def test_a_confirmed_file_is_recorded_to_the_point(program):
    upload = confirmed(program, THREE_PURCHASES)

    run(upload)

    assert upload.status == UploadStatus.FINISHED
    assert upload.recorded_count == 3
    assert balances() == {"ann": 19, "ben": 40}
    assert set(Activity.objects.values_list("upload", "source")) == {(upload.pk, "api")}
    assert not UploadRow.objects.exists()
    assert list(ledger_mismatches()) == []


def test_undoing_takes_back_every_point_of_the_file(program):
    upload = finished(program, THREE_PURCHASES)

    undo(upload)

    assert upload.status == UploadStatus.UNDONE
    assert upload.reversed_count == 3
    assert balances() == {"ann": 0, "ben": 0}
    assert ActivityReversal.objects.count() == 3
    assert list(ledger_mismatches()) == []


def test_undoing_twice_does_nothing_the_second_time_and_says_so(program):
    upload = finished(program, THREE_PURCHASES)
    undo(upload)
    entry_count = Entry.objects.count()

    again = uploads.undo_upload(upload, actor="operator", now=NOW)
    uploads.undo_chunks(upload.pk, until=NOW + timedelta(days=9_000))

    assert again.status == UploadStatus.UNDONE
    assert again.steps.filter(status=UploadStatus.UNDOING).count() == 1
    assert Entry.objects.count() == entry_count


def test_undoing_passes_over_what_somebody_reversed_before(program):
    upload = finished(program, THREE_PURCHASES)
    one = Activity.objects.get(key="R-1")
    reverse_activities(program.pk, [one.pk], now=NOW, reason="Returned")

    undo(upload)

    assert upload.reversed_count == 2
    assert balances() == {"ann": 0, "ben": 0}
    assert list(ledger_mismatches()) == []


def test_undone_keys_are_free_once(program):
    first = finished(program, THREE_PURCHASES)
    paid = balances()
    undo(first)

    again = finished(program, THREE_PURCHASES)
    once_more = finished(program, THREE_PURCHASES)

    assert (again.recorded_count, again.duplicate_count) == (3, 0)
    assert (once_more.recorded_count, once_more.duplicate_count) == (0, 3)
    assert balances() == paid
    assert list(ledger_mismatches()) == []


def test_undoing_gives_back_what_a_budget_paid(program):
    make_campaign(program, points=10, points_budget=20)
    upload = finished(program, THREE_PURCHASES)
    assert sum(balances().values()) == 59 + 20

    undo(upload)

    later = THREE_PURCHASES.replace("R-", "S-")
    assert sum(balances().values()) == 0
    finished(program, later)
    assert sum(balances().values()) == 59 + 20
    assert list(ledger_mismatches()) == []


def test_a_paused_upload_records_no_further_chunk_until_it_is_resumed(half_done):
    uploads.pause_upload(half_done, actor="marketer", now=NOW)

    run(half_done)
    assert (half_done.status, half_done.recorded_count) == (UploadStatus.PAUSED, 2)
    assert balances() == {"ann": 19}

    uploads.resume_upload(half_done, actor="marketer", now=NOW)
    run(half_done)
    assert half_done.status == UploadStatus.FINISHED
    assert balances() == {"ann": 19, "ben": 40}


def test_a_cancelled_upload_keeps_what_it_recorded_and_no_more(half_done):
    uploads.cancel_upload(half_done, actor="marketer", now=NOW)

    run(half_done)
    uploads.clear_ended_upload(half_done.pk)

    assert half_done.status == UploadStatus.CANCELLED
    assert balances() == {"ann": 19}
    assert not UploadRow.objects.exists()


@pytest.mark.parametrize("step", [uploads.pause_upload, uploads.cancel_upload])
def test_what_a_stopped_upload_recorded_can_be_undone(half_done, step):
    step(half_done, actor="marketer", now=NOW)

    undo(half_done)

    assert (half_done.status, half_done.reversed_count) == (UploadStatus.UNDONE, 2)
    assert balances() == {"ann": 0}
    assert not UploadRow.objects.exists()
    assert list(ledger_mismatches()) == []


def test_a_turn_that_is_over_leaves_the_rest_for_the_next(half_done):
    assert uploads.run_chunks(half_done.pk, until=PAST)

    assert not uploads.run_chunks(half_done.pk, until=NOW + timedelta(days=9_000))
    half_done.refresh_from_db()
    assert half_done.status == UploadStatus.FINISHED


def test_running_a_finished_upload_again_does_nothing(program):
    upload = finished(program, THREE_PURCHASES)
    entry_count = Entry.objects.count()

    run(upload)

    assert upload.status == UploadStatus.FINISHED
    assert upload.steps.filter(status=UploadStatus.FINISHED).count() == 1
    assert Entry.objects.count() == entry_count


def test_a_program_switched_off_meanwhile_pauses_its_uploads(program):
    upload = confirmed(program, THREE_PURCHASES)
    program.is_enabled = False
    program.save()

    run(upload)

    assert upload.status == UploadStatus.PAUSED
    assert upload.failure
    assert not Activity.objects.exists()


def test_rows_beyond_what_a_balance_holds_are_refused(program):
    wallet = make_wallet(program, code="fine", name="Fine", decimals=4)
    make_type(program, "HUGE", wallet=wallet)
    huge = "H-1,ann,2026-03-04T12:00:00Z,HUGE,STORE,99999999999999"

    upload = finished(program, f"{THREE_PURCHASES.strip()}\n{huge}")

    assert (upload.recorded_count, upload.refused_count) == (3, 1)
    assert upload.refusals.get().code == "amount_too_large"
    assert list(ledger_mismatches()) == []


def test_a_balance_that_grew_full_since_the_check_pauses_the_file(program):
    upload = confirmed(program, THREE_PURCHASES)
    record_activities(program.pk, [purchase("ann", "1")], now=NOW)
    Account.objects.filter(member__isnull=False).update(balance=2**53)

    run(upload)
    upload.refresh_from_db()

    assert upload.status == UploadStatus.PAUSED
    assert "more points than" in upload.failure
    assert Activity.objects.count() == 1


ALLOWED = {
    uploads.confirm_upload: {"validated"},
    uploads.pause_upload: {"running"},
    uploads.resume_upload: {"paused"},
    uploads.cancel_upload: {
        "uploaded",
        "validating",
        "questions",
        "validated",
        "running",
        "paused",
    },
    uploads.undo_upload: {"paused", "finished", "cancelled", "undoing", "undone"},
}


@pytest.mark.parametrize("step", ALLOWED, ids=lambda step: step.__name__)
@pytest.mark.parametrize("status", UploadStatus.values)
def test_a_step_is_taken_from_its_own_statuses_only(program, step, status):
    upload = checked(program, THREE_PURCHASES)
    Upload.objects.filter(pk=upload.pk).update(status=status)

    if status in ALLOWED[step]:
        step(upload, actor="marketer", now=NOW)
        return

    with pytest.raises(uploads.UploadNotReady) as caught:
        step(upload, actor="marketer", now=NOW)
    upload.refresh_from_db()
    assert upload.status == status
    assert UploadStatus(status).label.lower() in caught.value.message


def test_a_file_without_a_good_row_cannot_be_confirmed(program):
    upload = checked(program, THREE_PURCHASES.replace("ann", "x").replace("ben", "y"))

    with pytest.raises(uploads.NothingToRecord):
        uploads.confirm_upload(upload, actor="marketer", now=NOW)


def test_every_step_is_remembered_with_its_actor(program):
    upload = finished(program, THREE_PURCHASES)
    undo(upload)

    assert list(upload.steps.order_by("pk").values_list("status", "actor")) == [
        ("uploaded", ""),
        ("validated", ""),
        ("running", "marketer"),
        ("finished", ""),
        ("undoing", "operator"),
        ("undone", ""),
    ]


def test_a_check_that_was_cut_short_starts_anew(program):
    upload = new_upload(program, THREE_PURCHASES)
    UploadRow.objects.create(
        upload=upload,
        line=2,
        member_value="ann",
        occurred_at=NOW,
        key="left over",
        payload="[]",
    )
    Upload.objects.filter(pk=upload.pk).update(
        status=UploadStatus.VALIDATING, touched_at=PAST, line_count=99
    )

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert (upload.status, upload.line_count) == (UploadStatus.VALIDATED, 3)
    assert upload.activity_count == UploadRow.objects.count() == 3


def test_a_check_under_way_is_left_to_its_worker(program):
    upload = new_upload(program, THREE_PURCHASES)
    Upload.objects.filter(pk=upload.pk).update(
        status=UploadStatus.VALIDATING, touched_at=datetime.now(tz=UTC)
    )

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATING
    assert not UploadRow.objects.exists()


def test_a_check_cancelled_meanwhile_writes_nothing_more(program, monkeypatch):
    take = jobs.take
    upload = new_upload(program, THREE_PURCHASES)

    def cancelled_at_once(kind, upload_id):
        lease = take(kind, upload_id)
        uploads.cancel_upload(upload, actor="marketer", now=NOW)
        return lease

    monkeypatch.setattr(jobs, "take", cancelled_at_once)

    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.CANCELLED
    assert not UploadRow.objects.exists()


def test_progress_tells_percent_counts_and_rate(half_done):
    Upload.objects.filter(pk=half_done.pk).update(
        phase_started_at=datetime.now(tz=UTC) - timedelta(seconds=2), phase_offset=0
    )

    progress = uploads.upload_progress(half_done)

    assert (progress.status, progress.phase) == ("running", "recording")
    assert (progress.percent, progress.recorded_count) == (66, 2)
    assert progress.rows_per_second == 1
    assert progress.seconds_left == 1


def stall(upload: Upload, status: str) -> None:
    Upload.objects.filter(pk=upload.pk).update(status=status, touched_at=PAST)


@pytest.mark.parametrize("status", ["uploaded", "validating", "running", "undoing"])
def test_an_upload_without_progress_is_swept_once_a_minute(program, status):
    upload = checked(program, THREE_PURCHASES)
    stall(upload, status)

    assert uploads.stalled_uploads() == [(upload.pk, status)]
    assert uploads.stalled_uploads() == []


@pytest.mark.parametrize("status", ["validated", "paused", "finished"])
def test_an_upload_that_waits_for_people_is_not_swept(program, status):
    stall(checked(program, THREE_PURCHASES), status)

    assert uploads.stalled_uploads() == []


def test_an_upload_that_makes_progress_is_not_swept(half_done):
    assert uploads.stalled_uploads() == []


def test_an_ended_upload_with_rows_left_is_swept_for_clearing(program):
    upload = checked(program, THREE_PURCHASES)
    stall(upload, "cancelled")

    assert uploads.stalled_uploads() == [(upload.pk, "cancelled")]
    uploads.clear_ended_upload(upload.pk)
    assert not UploadRow.objects.exists()
