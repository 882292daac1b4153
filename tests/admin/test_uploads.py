"""The pages of uploads: a marketer sends a file, looks, and decides."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from activities import tasks
from activities.models import Activity, ActivityReversal, Upload, UploadStatus
from activities.services import uploads
from loyalty.models import Account
from tests.activities.uploads.files import NOW, checked, finished, new_upload, run
from tests.builders import make_channel, make_member, make_program, make_type

pytestmark = pytest.mark.django_db

ROWS = (
    "key,member,occurred_at,type,channel,value\n"
    "R-1,ann,2026-03-04T12:00:00Z,PURCHASE,STORE,1200\n"
    "R-2,nobody,2026-03-04T12:00:00Z,PURCHASE,STORE,5\n"
)


@pytest.fixture
def program(db):
    program = make_program(name="Shop club")
    make_type(program)
    make_channel(program)
    make_member(program, "ann")
    return program


def page(name, *args):
    return reverse(f"admin:activities_upload_{name}", args=args)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def send(client, program, content=ROWS, **fields):
    file = SimpleUploadedFile("sales.csv", content.encode())
    return client.post(
        page("add"),
        {
            "program": program.pk,
            "file": file,
            "identity_kind": "customer_id",
            "unknown_members": "refuse",
            "source": "upload",
            **fields,
        },
    )


def take(client, upload, step, **answers):
    return client.post(page("step", upload.pk, step), {"confirmed": "yes", **answers})


@pytest.fixture
def queued(monkeypatch):
    """What was sent to the workers."""
    sent = []
    for name in ("enqueue_validation", "enqueue_run", "enqueue_undo"):
        monkeypatch.setattr(
            tasks, name, lambda upload_id, name=name: sent.append((name, upload_id))
        )
    return sent


def test_a_file_that_is_sent_is_kept_and_queued_for_its_check(
    marketing, marketer, program, queued
):
    answer = send(marketing, program)

    upload = Upload.objects.get()
    assert answer["Location"] == page("change", upload.pk)
    assert (upload.created_by, upload.program) == (marketer, program)
    assert queued == [("enqueue_validation", upload.pk)]


@pytest.mark.parametrize(
    ("content", "fields", "sentence"),
    [
        ("", {}, "The submitted file is empty."),
        (ROWS, {"source": ""}, "This field is required."),
        (ROWS, {"unknown_members": "ignore"}, "Select a valid choice"),
        (ROWS, {"activity_type": "999999"}, "Select a valid choice"),
        ("a\0\0\0", {}, "it is not text in UTF-8 or UTF-16"),
        ('{"a":1}', {}, "the content is JSON Lines"),
    ],
)
def test_a_file_that_cannot_be_taken_is_explained_beside_the_field(
    marketing, program, queued, content, fields, sentence
):
    answer = send(marketing, program, content, **fields)

    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert not Upload.objects.exists()
    assert queued == []


def test_another_programs_rows_cannot_be_chosen(marketing, program, queued):
    theirs = make_channel(make_program(), "THEIRS")

    answer = send(marketing, program, channel=theirs.pk)

    assert "Select a valid choice" in text_of(answer)
    assert not Upload.objects.exists()


def test_a_form_of_the_program_worked_in_before_is_not_taken(
    marketing, program, queued
):
    answer = send(marketing, make_program())

    assert "choose the file once more" in text_of(answer)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_sample_can_be_uploaded_as_it_is(marketing, program, suffix):
    make_member(program, "ben")
    answer = marketing.get(page("sample", suffix))

    content = b"".join(answer.streaming_content)
    upload = new_upload(program, content, f"sample.{suffix}")
    Upload.objects.update(created_at=timezone.now())
    uploads.validate_upload(upload)

    upload.refresh_from_db()
    assert (upload.activity_count, upload.refused_count) == (2, 0), upload.failure


def test_a_checked_file_shows_what_it_would_award_and_what_is_wrong(marketing, program):
    upload = checked(program, ROWS)

    text = text_of(marketing.get(page("change", upload.pk)))

    assert "Nothing is awarded yet" in text
    assert "<strong>1,200</strong> Loyalty points" in text
    assert "Nobody has" in text or "nobody" in text
    assert "Award the points…" in text
    assert "Download these rows with reasons" in text


def test_points_move_only_after_a_page_that_asks(marketing, program, queued):
    upload = checked(program, ROWS)

    question = text_of(marketing.get(page("step", upload.pk, "confirm")))
    upload.refresh_from_db()
    assert "Award 1,200 Loyalty points?" in question
    assert upload.status == UploadStatus.VALIDATED

    take(marketing, upload, "confirm")
    upload.refresh_from_db()
    assert upload.status == UploadStatus.RUNNING
    assert upload.confirmed_by == "marketing"
    assert queued == [("enqueue_run", upload.pk)]


def test_a_running_file_shows_its_bar_and_tells_when_its_step_is_over(
    marketing, program
):
    upload = checked(program, ROWS)
    uploads.confirm_upload(upload, actor="x", now=NOW)

    shown = text_of(marketing.get(page("change", upload.pk)))
    answer = marketing.get(page("progress", upload.pk))
    assert f'data-progress="{page("progress", upload.pk)}"' in shown
    assert 'role="progressbar"' in text_of(answer)
    assert answer["X-Upload-Stage"] == "running"

    run(upload)
    assert marketing.get(page("progress", upload.pk))["X-Upload-Stage"] == "finished"


def test_a_finished_file_shows_its_counts_and_gives_the_refused_rows(
    marketing, program
):
    upload = finished(program, ROWS)

    text = text_of(marketing.get(page("change", upload.pk)))
    download = marketing.get(page("refused", upload.pk))

    assert "<strong>1</strong> activities are recorded, 1 rows were refused" in text
    assert 'filename="sales-refused.csv"' in download["Content-Disposition"]
    assert b"R-2,nobody" in b"".join(download.streaming_content)


def test_pausing_going_on_and_cancelling(marketing, program, queued):
    upload = checked(program, ROWS)
    take(marketing, upload, "confirm")

    for step, status in (
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ):
        take(marketing, upload, step)
        upload.refresh_from_db()
        assert upload.status == status


def test_a_button_pressed_too_late_changes_nothing_and_says_so(
    marketing, program, queued
):
    upload = finished(program, ROWS)

    answer = marketing.post(
        page("step", upload.pk, "confirm"), {"confirmed": "yes"}, follow=True
    )

    upload.refresh_from_db()
    assert upload.status == UploadStatus.FINISHED
    assert "opened before the upload moved on" in text_of(answer)
    assert queued == []


def test_a_file_that_was_recorded_before_offers_nothing_to_award(marketing, program):
    finished(program, ROWS)

    again = checked(program, ROWS)

    text = text_of(marketing.get(page("change", again.pk)))
    assert "This very same file was uploaded before" in text
    assert "There is nothing left to award" in text
    assert "Award the points…" not in text


def test_a_file_without_rows_says_so(marketing, program):
    upload = checked(program, "key,member,occurred_at,type\n")

    text = text_of(marketing.get(page("change", upload.pk)))

    assert "has no rows" in text
    assert "Award the points…" not in text


def test_an_operator_undoes_a_file_after_being_asked(client, operator, program):
    client.force_login(operator)
    upload = finished(program, ROWS)

    assert "Undo the whole file…" in text_of(client.get(page("change", upload.pk)))
    assert "cannot be taken back" in text_of(
        client.get(page("step", upload.pk, "undo"))
    )
    take(client, upload, "undo", reason="wrong export")
    uploads.undo_chunks(upload.pk, until=NOW.replace(year=2100))

    assert Account.objects.get(member__isnull=False).balance == 0
    text = text_of(client.get(page("change", upload.pk)))
    assert "1 activity was undone" in text
    assert "Undo the whole file…" not in text


def test_whoever_uploaded_a_file_may_undo_it_for_a_reason(
    marketing, marketer, program, queued
):
    upload = finished(program, ROWS)
    Upload.objects.filter(pk=upload.pk).update(created_by=marketer)

    assert "Undo the whole file…" in text_of(marketing.get(page("change", upload.pk)))
    assert "This field is required." in text_of(take(marketing, upload, "undo"))
    assert queued == []
    take(marketing, upload, "undo", reason="wrong export of March")
    uploads.undo_chunks(upload.pk, until=NOW.replace(year=2100))

    assert queued == [("enqueue_undo", upload.pk)]
    undone = ActivityReversal.objects.get()
    assert undone.reason == f"Upload {upload.pk} was undone: wrong export of March"
    assert undone.actor == "marketing"
    assert "wrong export of March" in text_of(marketing.get(page("change", upload.pk)))
    panel = reverse("admin:loyalty_member_change", args=[undone.activity.member_id])
    assert "Taken back" in text_of(marketing.get(panel))


def test_marketing_may_not_undo_what_others_uploaded(marketing, program, queued):
    upload = finished(program, ROWS)

    assert take(marketing, upload, "undo").status_code == 403
    assert "Undo the whole file…" not in text_of(
        marketing.get(page("change", upload.pk))
    )
    assert queued == []


def test_an_analyst_looks_and_changes_nothing(client, analyst, program, queued):
    client.force_login(analyst)
    upload = checked(program, ROWS)

    assert client.get(page("change", upload.pk)).status_code == 200
    assert "Award the points" not in text_of(client.get(page("change", upload.pk)))
    assert client.get(page("add")).status_code == 403
    assert send(client, program).status_code == 403
    for step in ("confirm", "cancel"):
        assert take(client, upload, step).status_code == 403
    assert not Activity.objects.exists()


def test_another_programs_upload_is_not_found(marketing, program, queued):
    marketing.get(page("changelist"))
    theirs = checked(make_program(), "key,member,occurred_at,type\n")

    assert marketing.get(page("progress", theirs.pk)).status_code == 404
    assert marketing.get(page("refused", theirs.pk)).status_code == 404
    assert take(marketing, theirs, "confirm").status_code == 404
    assert marketing.get(page("change", theirs.pk)).status_code == 302


def test_what_a_file_says_is_shown_and_never_run(marketing, program):
    script = "<script>alert(1)</script>"
    upload = checked(
        program, ROWS.replace("nobody", script), "<img src=x onerror=alert(1)>.csv"
    )

    text = text_of(marketing.get(page("change", upload.pk)))

    assert script not in text
    assert "<img src=x" not in text


def test_the_list_shows_how_far_each_file_is(marketing, program):
    upload = checked(program, ROWS)
    uploads.confirm_upload(upload, actor="x", now=NOW)
    finished(program, ROWS.replace("R-", "S-"), "later.csv")

    text = text_of(marketing.get(page("changelist")))

    assert "Running" in text
    assert "Finished" in text
    assert "1, 1 refused" in text


def test_the_links_of_the_page_lead_to_rows_of_this_upload(marketing, program):
    upload = finished(program, ROWS)
    finished(program, ROWS.replace("R-", "S-"), "later.csv")

    for model, count in (("activity", 1), ("uploadrefusal", 1)):
        address = reverse(f"admin:activities_{model}_changelist")
        answer = marketing.get(f"{address}?upload__id__exact={upload.pk}")
        assert answer.status_code == 200
        assert len(answer.context["cl"].result_list) == count
