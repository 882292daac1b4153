"""An upload from its arrival to its undoing."""

import pytest

from activities.models import Activity, ActivityReversal, UploadRow, UploadStatus
from activities.reports import ledger_mismatches
from loyalty.models import Account, Entry, Program
from tests.activities.uploads.files import checked, confirmed, finished, run, undo
from tests.builders import make_channel, make_member, make_program, make_type

pytestmark = pytest.mark.django_db

THREE_PURCHASES = """\
key,member,occurred_at,type,channel,value
R-1,ann,2026-03-04T12:00:00Z,PURCHASE,STORE,12.99
R-2,ben,2026-03-04T13:00:00Z,PURCHASE,STORE,40
R-3,ann,2026-03-04T14:00:00Z,PURCHASE,STORE,7.50
"""


@pytest.fixture
def program() -> Program:
    """A program of two members in which a purchase pays 1 point per whole unit."""
    program = make_program()
    make_type(program)
    make_channel(program)
    make_member(program, "ann")
    make_member(program, "ben")
    return program


def balances() -> dict[str, int]:
    rows = Account.objects.filter(member__isnull=False)
    return dict(rows.values_list("member__identities__value", "balance"))


def test_the_check_tells_what_the_file_would_award_and_awards_nothing(program):
    upload = checked(program, THREE_PURCHASES)

    assert upload.status == UploadStatus.VALIDATED
    assert (upload.line_count, upload.activity_count) == (3, 3)
    assert upload.dry_run["points"] == [
        {"wallet": "loyalty", "bucket": "base", "points": 59, "awards": 3}
    ]
    assert [(one["key"], one["points"]) for one in upload.dry_run["largest"]] == [
        ("R-2", 40),
        ("R-1", 12),
        ("R-3", 7),
    ]
    assert not Activity.objects.exists()
    assert not Entry.objects.exists()


def test_a_confirmed_file_is_recorded_to_the_point(program):
    upload = confirmed(program, THREE_PURCHASES)

    run(upload)

    assert upload.status == UploadStatus.FINISHED
    assert upload.recorded_count == 3
    assert balances() == {"ann": 19, "ben": 40}
    assert set(Activity.objects.values_list("upload", "source")) == {
        (upload.pk, "upload")
    }
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
