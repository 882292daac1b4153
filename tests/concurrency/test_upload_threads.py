"""One worker records an upload with two threads."""

from datetime import UTC, datetime

import pytest

from activities.models import Activity, UploadStatus
from activities.reports import ledger_mismatches
from activities.services import uploads
from activities.services.uploads import staging
from loyalty.models import Entry
from tests.activities.uploads.files import confirmed
from tests.builders import make_member, make_program, make_type

pytestmark = pytest.mark.django_db(transaction=True)

FAR = datetime(9999, 1, 1, tzinfo=UTC)


def upload_of_many_chunks(monkeypatch):
    """Return a confirmed upload of 60 purchases of 20 members, in 10 chunks."""
    monkeypatch.setattr(staging, "CHUNK_ROWS", 6)
    program = make_program()
    make_type(program)
    for number in range(20):
        make_member(program, f"C-{number:02}")
    rows = [
        {
            "key": f"basket-{place}",
            "member": f"C-{place % 20:02}",
            "type": "PURCHASE",
            "occurred_at": "2026-03-01T12:00:00Z",
            "value": "10",
        }
        for place in range(60)
    ]
    return confirmed(program, rows)


def test_every_activity_is_recorded_once(monkeypatch):
    upload = upload_of_many_chunks(monkeypatch)
    assert upload.chunks.count() == 10

    assert not uploads.run_chunks_in_threads(upload.pk, until=FAR)

    upload.refresh_from_db()
    assert (upload.status, upload.recorded_count) == (UploadStatus.FINISHED, 60)
    assert Activity.objects.filter(upload=upload).count() == 60
    assert Entry.objects.count() == 60
    assert list(ledger_mismatches()) == []


def test_what_time_does_not_suffice_for_is_left(monkeypatch):
    upload = upload_of_many_chunks(monkeypatch)

    assert uploads.run_chunks_in_threads(
        upload.pk, until=datetime(2000, 1, 1, tzinfo=UTC)
    )

    assert not Activity.objects.filter(upload=upload).exists()
