"""Keys that were there before: in the file itself, or recorded earlier."""

import pytest
from django.db import IntegrityError, transaction

from activities.models import Activity, UploadStatus
from activities.reports import ledger_mismatches
from activities.services import record_activity, reverse_activities
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

    upload = finished(program, [row("A")], source="other-tills")

    assert upload.recorded_count == 1
    assert paid() == 10


def test_a_receipt_that_a_till_has_sent_is_already_recorded_for_a_file(program):
    ann = program.member_set.get(identities__value="ann")
    sent = purchase(ann, "5", key="A", source="api", data={"till": "7"})
    record_activity(program.pk, sent, now=NOW)

    upload = finished(program, [row("A"), row("B")])

    assert upload.dry_run["already_recorded"] == 1
    assert (upload.recorded_count, upload.duplicate_count) == (1, 1)
    assert (upload.refused_count, paid()) == (0, 10)


def test_a_till_that_sends_what_a_file_had_recorded_is_answered_with_it(program):
    ann = program.member_set.get(identities__value="ann")
    finished(program, [row("A")])

    sent = purchase(ann, "5", key="A", source="api", channel="STORE")
    answer = record_activity(program.pk, sent, now=NOW)

    assert answer.is_replay
    assert paid() == 5


def test_the_check_names_the_source_under_which_a_number_exists(program):
    finished(program, [row("A"), row("B")], source="upload")

    check = checked(program, [row("A"), row("B"), row("C")])

    assert check.dry_run["elsewhere"] == {"upload": 2}
    assert check.dry_run["already_recorded"] == 0
    assert check.activity_count == 3


def test_a_file_of_an_earlier_source_still_knows_its_own_keys(program):
    finished(program, [row("A")], source="upload")

    again = finished(program, [row("A")], source="upload")

    assert (again.recorded_count, again.duplicate_count) == (0, 1)
    assert paid() == 5


def test_the_corrected_file_is_recorded_once_the_wrong_one_is_undone(program):
    wrong = finished(program, [row("A", "500"), row("B", "700")])
    undo(wrong)

    corrected = finished(program, [row("A", "5"), row("B", "7")])
    again = finished(program, [row("A", "5"), row("B", "7")])

    assert (corrected.recorded_count, corrected.refused_count) == (2, 0)
    assert (again.recorded_count, again.duplicate_count) == (0, 2)
    assert paid() == 12
    assert Activity.objects.filter(key="A").count() == 2
    assert list(ledger_mismatches()) == []


def test_what_was_reversed_one_by_one_is_free_too_once_its_file_is_undone(program):
    wrong = finished(program, [row("A", "500")])
    reverse_activities(
        program.pk, [Activity.objects.get().pk], now=NOW, reason="by hand"
    )
    kept = checked(program, [row("A", "5")])
    undo(wrong)

    corrected = finished(program, [row("A", "5")])

    assert refusals(kept) == [(2, "key", "key_reused")]
    assert (corrected.recorded_count, paid()) == (1, 5)


def test_a_key_is_given_back_by_nothing_but_an_undoing(program):
    finished(program, [row("A")])

    with pytest.raises(IntegrityError), transaction.atomic():
        Activity.objects.update(holds_key=None)


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
