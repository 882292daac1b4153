"""Keys that were there before: in the file itself, or recorded earlier."""

import pytest

from activities.models import Activity, UploadStatus
from activities.reports import ledger_mismatches
from activities.services import record_activity
from loyalty.models import Account
from tests.activities.uploads.files import (
    NOW,
    checked,
    confirmed,
    finished,
    refusals,
    run,
    undo,
)
from tests.builders import purchase

pytestmark = pytest.mark.django_db


def row(key, value="5", member="ann"):
    return {
        "key": key,
        "member": member,
        "occurred_at": "2026-03-04T12:00:00Z",
        "type": "PURCHASE",
        "value": value,
    }


def paid() -> int:
    rows = Account.objects.filter(member__isnull=False)
    return sum(rows.values_list("balance", flat=True))


def test_a_key_twice_in_a_file_is_recorded_once_and_the_first_row_stands(program):
    upload = finished(program, [row("A"), row("B"), row("A", "99"), row("A")])

    assert refusals(upload) == [
        (4, "key", "duplicate_key"),
        (5, "key", "duplicate_key"),
    ]
    assert (upload.activity_count, upload.duplicate_count) == (2, 2)
    assert (upload.recorded_count, upload.refused_count) == (2, 0)
    assert paid() == 10


def test_the_same_file_again_records_nothing_and_says_so(program):
    finished(program, [row("A"), row("B")])

    again = checked(program, [row("A"), row("B")])

    assert again.same_file_as is not None
    assert again.dry_run["already_recorded"] == 2
    assert again.dry_run["points"] == []
    run(confirmed(program, [row("A"), row("B")]))
    assert Activity.objects.count() == 2
    assert paid() == 10


def test_what_was_recorded_before_counts_as_a_duplicate_of_the_run(program):
    finished(program, [row("A")])

    upload = finished(program, [row("A"), row("B")])

    assert (upload.recorded_count, upload.duplicate_count) == (1, 1)
    assert paid() == 10


def test_a_known_key_with_other_content_is_refused_not_paid(program):
    finished(program, [row("A")])

    upload = finished(program, [row("A", "99"), row("B")])

    assert refusals(upload) == [(2, "key", "key_reused")]
    assert paid() == 10


def test_the_same_key_of_another_source_is_another_activity(program):
    member = program.member_set.get(identities__value="ann")
    record_activity(program.pk, purchase(member, "5", key="A", source="api"), now=NOW)

    upload = finished(program, [row("A")])

    assert upload.recorded_count == 1
    assert paid() == 10


def test_undoing_leaves_what_another_upload_recorded(program):
    first = finished(program, [row("A")])
    second = finished(program, [row("A"), row("B", "7")])

    undo(second)

    assert second.reversed_count == 1
    assert paid() == 5
    undo(first)
    assert paid() == 0
    assert list(ledger_mismatches()) == []


def test_a_file_confirmed_after_its_twin_ran_pays_nobody_again(program):
    waiting = confirmed(program, [row("A")])
    finished(program, [row("A")])

    run(waiting)

    assert waiting.status == UploadStatus.FINISHED
    assert (waiting.recorded_count, waiting.duplicate_count) == (0, 1)
    assert paid() == 5
