"""Files of activities over HTTP."""

from typing import Any

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from activities import tasks
from activities.models import Activity, Upload, UploadStatus
from activities.services import uploads
from loyalty.models import Account
from tests.activities.uploads.files import NOW, checked, finished, run
from tests.builders import (
    make_channel,
    make_member,
    make_program,
    make_type,
    make_unit,
    make_wallet,
)
from tests.callers import caller_for, make_key

pytestmark = pytest.mark.django_db

ROWS = (
    "key,member,occurred_at,type,value\n"
    "R-1,ann,2026-03-04T12:00:00Z,PURCHASE,12.99\n"
    "R-2,nobody,2026-03-04T12:00:00Z,PURCHASE,5\n"
)


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    make_channel(program)
    make_member(program, "ann")
    return program


@pytest.fixture
def client(program):
    return caller_for(program)


@pytest.fixture
def queued(monkeypatch):
    """What was sent to the workers."""
    sent = []
    for name in ("validation", "run", "undo", "clearing"):
        monkeypatch.setattr(
            tasks, f"enqueue_{name}", lambda pk, name=name: sent.append((name, pk))
        )
    return sent


def send(program, content=ROWS, name="sales.csv", key=None, headers=None, **fields):
    """Post a form with a file; ``content=None`` sends none."""
    text = key or make_key(program)[1]
    if isinstance(content, str):
        content = content.encode()
    file = {} if content is None else {"file": SimpleUploadedFile(name, content)}
    return Client(raise_request_exception=False).post(
        "/api/v1/uploads",
        {**file, **fields},
        headers={"Authorization": f"Bearer {text}", **(headers or {})},
    )


def test_a_file_is_kept_and_queued_for_its_check(program, queued):
    answer = send(program, type="PURCHASE", channel="STORE")

    assert answer.status_code == 201
    body = answer.json()
    upload = Upload.objects.get()
    assert (body["id"], body["status"]) == (upload.pk, "uploaded")
    assert (body["file_name"], body["format"]) == ("sales.csv", "csv")
    assert (body["same_file_as"], body["dry_run"]) == (None, None)
    assert upload.default_activity_type.code == "PURCHASE"
    assert upload.steps.get().actor == "API key till"
    assert queued == [("validation", upload.pk)]


def test_the_very_same_file_is_pointed_out(program, queued):
    first = send(program).json()

    assert send(program).json()["same_file_as"] == first["id"]


def test_a_repeated_request_keeps_one_file(program, queued):
    key = make_key(program)[1]
    repeated = {"Idempotency-Key": '"one"'}

    first = send(program, key=key, headers=repeated)
    again = send(program, key=key, headers=repeated)
    other = send(program, ROWS + "\n", key=key, headers=repeated)

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["differing"]) == (422, ["file"])
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "status", "code", "pointer"),
    [
        ({"content": None}, 400, "invalid", "/file"),
        ({"content": ""}, 422, "empty_file", "/file"),
        ({"content": "\0\0"}, 422, "wrong_encoding", "/file"),
        ({"content": "[1]"}, 422, "unknown_format", "/file"),
        ({"name": "sales.xlsx"}, 422, "format_mismatch", "/file"),
        ({"type": "NO_SUCH"}, 422, "unknown_activity_type", "/type"),
        ({"type": "THEIRS"}, 422, "unknown_activity_type", "/type"),
        ({"channel": "THEIR_CHANNEL"}, 422, "unknown_channel", "/channel"),
        ({"business_unit": "theirs"}, 422, "unknown_business_unit", "/business_unit"),
        ({"source": "s" * 21}, 422, "invalid_source", "/source"),
        ({"source": ""}, 422, "invalid_source", "/source"),
        ({"identity_kind": " "}, 422, "invalid_source", "/identity_kind"),
        ({"unknown_members": "eat"}, 422, "invalid_source", "/unknown_members"),
        ({"sauce": "x"}, 400, "invalid", "/sauce"),
        ({"source": ["a", "b"]}, 400, "invalid", "/source"),
        ({"content": None, "file": "text"}, 400, "invalid", "/file"),
        (
            {"type": SimpleUploadedFile("a", b"PURCHASE")},
            400,
            "invalid",
            "/type",
        ),
    ],
)
def test_what_cannot_be_taken_is_pointed_at(
    program, queued, options, status, code, pointer
):
    other = make_program()
    make_type(other, "THEIRS")
    make_channel(other, "THEIR_CHANNEL")
    make_unit(other, "theirs")

    answer = send(program, **options)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert [one["pointer"] for one in body["errors"]] == [pointer]
    assert not Upload.objects.exists()
    assert queued == []


def test_a_file_over_the_limit_is_refused(program, queued, settings):
    settings.UPLOAD_BYTES_MAX = 50

    answer = send(program)

    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert not Upload.objects.exists()


def test_nul_in_a_text_is_refused(program, queued):
    answer = send(program, source="a\0b")

    assert answer.status_code in {400, 422}
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"file": "x"}', 415),
        ("text/csv", ROWS.encode(), 415),
        ("multipart/form-data", b"no boundary", 400),
        ("multipart/form-data; boundary=x", b"no such boundary", 400),
    ],
)
def test_what_is_no_form_is_refused(client, queued, content_type, body, status):
    answer = client.post("uploads", body, Content_Type=content_type)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_a_name_with_folders_is_kept_without_them(program, queued):
    body = send(program, name="..\\..\\etc\\sales.csv").json()

    assert body["file_name"] == "sales.csv"


def test_a_checked_file_tells_what_it_would_award(program, client):
    cash = make_wallet(program, code="cash", name="Cash", decimals=2)
    make_type(program, "VISIT", wallet=cash, reward_method="fixed", points="1.5")
    rows = ROWS + "R-3,ann,2026-03-04T13:00:00Z,VISIT,\n"
    upload = checked(program, rows)

    body = client.get(f"uploads/{upload.pk}").json()

    assert (body["status"], body["lines"], body["activities"]) == ("validated", 3, 2)
    assert body["dry_run"]["points"] == [
        {"wallet": "cash", "bucket": "base", "points": 1.5, "awards": 1},
        {"wallet": "loyalty", "bucket": "base", "points": 12, "awards": 1},
    ]
    assert [one["points"] for one in body["dry_run"]["largest"]] == [12, 1.5]
    assert body["dry_run"]["refused"] == {"unknown_member": 1}


def test_a_file_is_confirmed_watched_and_undone_once(program, client, queued):
    upload = checked(program, ROWS)
    path = f"uploads/{upload.pk}"

    assert client.post(f"{path}/confirm").json()["status"] == "running"
    run(upload)
    body = client.get(path).json()
    assert (body["status"], body["recorded"], body["refused"]) == ("finished", 1, 1)
    assert body["progress"]["percent"] == 100
    assert Account.objects.get(member__isnull=False).balance == 12

    first = client.post(f"{path}/undo").json()
    uploads.undo_chunks(upload.pk, until=NOW.replace(year=2100))
    again = client.post(f"{path}/undo", {}).json()
    assert (first["status"], first["was_undone_before"]) == ("undoing", False)
    assert (again["status"], again["was_undone_before"]) == ("undone", True)
    assert again["undone"] == 1
    assert Account.objects.get(member__isnull=False).balance == 0
    assert queued[:2] == [("run", upload.pk), ("undo", upload.pk)]


def test_a_file_is_paused_resumed_and_cancelled(program, client, queued):
    upload = checked(program, ROWS)
    path = f"uploads/{upload.pk}"
    client.post(f"{path}/confirm")

    for step, status in (
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ):
        assert client.post(f"{path}/{step}").json()["status"] == status

    assert queued == [("run", upload.pk), ("run", upload.pk), ("clearing", upload.pk)]


@pytest.mark.parametrize("step", ["confirm", "pause", "resume", "undo"])
def test_a_step_at_the_wrong_time_is_a_conflict(program, client, queued, step):
    upload = checked(program, ROWS)
    Upload.objects.filter(pk=upload.pk).update(status=UploadStatus.FAILED)

    answer = client.post(f"uploads/{upload.pk}/{step}")

    assert (answer.status_code, answer.json()["code"]) == (409, "upload_not_ready")
    assert queued == []


def test_a_file_without_a_good_row_cannot_be_confirmed(program, client, queued):
    upload = checked(program, ROWS.replace("ann", "nobody else"))

    answer = client.post(f"uploads/{upload.pk}/confirm")

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_record")


def test_a_step_takes_no_body(program, client, queued):
    upload = checked(program, ROWS)

    bodies: list[Any] = [{"force": True}, [], b"{broken", "text"]
    for body in bodies:
        answer = client.post(f"uploads/{upload.pk}/confirm", body)
        assert answer.status_code == 400
    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATED


def test_refusals_are_listed_page_by_page_and_downloaded(program, client):
    upload = checked(program, ROWS + ROWS.split("\n", 1)[1].replace("R-", "S-"))
    path = f"uploads/{upload.pk}"

    first = client.get(f"{path}/refusals?page_size=1").json()
    second = client.get(first["next"]).json()
    file = client.get(f"{path}/refused-file")

    assert [one["line"] for one in first["results"] + second["results"]] == [3, 5]
    assert first["results"][0]["field"] == "member"
    assert first["results"][0]["code"] == "unknown_member"
    assert first["results"][0]["rows"][0]["member"] == "nobody"
    assert second["next"] is None
    assert 'filename="sales-refused.csv"' in file["Content-Disposition"]
    assert b"S-2,nobody" in b"".join(file.streaming_content)


def test_uploads_are_listed_newest_first_and_filtered(program, client):
    checked(program, ROWS)
    done = finished(program, ROWS.replace("R-", "S-"))

    everything = client.get("uploads").json()["results"]
    finished_ones = client.get("uploads?status=finished").json()["results"]

    assert [one["id"] for one in everything] == sorted(
        (one["id"] for one in everything), reverse=True
    )
    assert [one["id"] for one in finished_ones] == [done.pk]
    assert client.get("uploads?status=eaten").status_code == 400
    assert client.get("uploads?sauce=1").status_code == 400
    assert client.get("uploads?created_from=2026-03-05T09:00:00Z").json()["results"]
    assert not client.get("uploads?created_before=2026-03-05T09:00:00Z").json()[
        "results"
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "/refusals"),
        ("get", "/refused-file"),
        ("post", "/confirm"),
        ("post", "/cancel"),
        ("post", "/undo"),
    ],
)
def test_another_programs_upload_is_not_found(client, queued, method, path):
    theirs = make_program()
    make_type(theirs)
    make_member(theirs, "ann")
    upload = checked(theirs, ROWS)

    answer = client.call(method, f"uploads/{upload.pk}{path}", None)

    assert answer.status_code == 404
    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATED


def test_scopes_and_units_are_minded(program, queued):
    upload = checked(program, ROWS)
    path = f"uploads/{upload.pk}"
    reader = caller_for(program, can_write=False)
    writer = caller_for(program, can_read=False)
    bound = caller_for(program, units=[make_unit(program)])

    assert reader.get(path).status_code == 200
    assert reader.post(f"{path}/confirm").status_code == 403
    assert writer.get(path).status_code == 403
    assert bound.get(path).status_code == 403
    assert bound.post(f"{path}/confirm").status_code == 403
    key = make_key(program, can_write=False)[1]
    assert send(program, key=key).status_code == 403
    assert Upload.objects.count() == 1
    assert not Activity.objects.exists()


@pytest.mark.parametrize("number", ["0", "999999999", "9" * 18])
def test_a_number_of_no_upload_is_not_found(client, number):
    assert client.get(f"uploads/{number}").status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_few(
    program, client, django_assert_max_num_queries
):
    for number in range(12):
        checked(program, ROWS.replace("R-", f"{number}-"))

    with django_assert_max_num_queries(3):
        body = orjson.loads(client.get("uploads").content)

    assert len(body["results"]) == 12
