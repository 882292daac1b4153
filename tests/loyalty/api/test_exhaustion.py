"""What is used up for now is said so, everywhere, and heals by itself."""

import errno
import os
import subprocess

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client

from activities.models import Upload
from activities.services import uploads
from loyalty.services.storage import WholeFiles
from tests.activities.uploads.files import NOW
from tests.builders import make_program
from tests.callers import make_key, problem_in

pytestmark = pytest.mark.django_db

TROUBLES = [
    OperationalError("couldn't get a connection after 5.00 sec"),
    OperationalError("canceling statement due to lock timeout"),
    InterfaceError("connection already closed"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_a_database_that_does_not_answer_is_503_with_retry_after(
    client, monkeypatch, trouble
):
    def gone(*_, **__):
        raise trouble

    monkeypatch.setattr("loyalty.api.members.MemberViewSet.get_queryset", gone)

    response = client.get("members/1")

    problem_in(response, 503, "unavailable")
    assert int(response["Retry-After"]) >= 1


def test_trouble_while_the_key_is_looked_up_is_503_too(client, monkeypatch):
    def gone(*_, **__):
        raise OperationalError("too many connections")

    monkeypatch.setattr("loyalty.api.authentication.caller_of", gone)

    problem_in(client.get("members"), 503, "unavailable")


def test_every_contract_says_it_in_its_own_envelope(monkeypatch):
    from django.test import RequestFactory

    from loyalty.api import edge
    from loyalty.api.exceptions import problem_of

    problem = problem_of(OperationalError("busy"))
    assert problem is not None
    prefixes = [prefix for prefix in edge._manners if prefix != edge.PREFIX]
    assert len(prefixes) >= 5

    for prefix in prefixes:
        response = edge._manners[prefix].envelope(problem, RequestFactory().get(prefix))
        assert (response.status_code, response["Retry-After"]) == (503, "2"), prefix
        assert response["Content-Type"].startswith("application/json"), prefix


def test_a_page_says_it_too(monkeypatch):
    staff = User.objects.create_superuser("root", password="x")
    browser = Client(raise_request_exception=False)
    browser.force_login(staff)

    def gone(*_, **__):
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr("loyalty.admin.members.MemberAdmin.get_queryset", gone)

    response = browser.get("/admin/loyalty/member/")

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "too busy" in response.content.decode()


def test_a_bug_stays_a_bug(monkeypatch, client):
    def broken(*_, **__):
        raise ValueError

    monkeypatch.setattr("loyalty.api.members.MemberViewSet.get_queryset", broken)

    problem_in(client.get("members/1"), 500, "internal_error")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of one megabyte, which only root can."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts no disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def contents(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_of_a_file_that_does_not_fit_on_the_disk_nothing_is_kept(
    small_disk, settings, monkeypatch
):
    program = make_program()
    field = Upload._meta.get_field("file")
    monkeypatch.setattr(field, "storage", WholeFiles(location=small_disk))
    line = "A,ann,2026-03-04T12:00:00Z,PURCHASE\n"
    content = "key,member,occurred_at,type\n" + line * 60_000

    with pytest.raises(OSError, match="No space left") as caught:
        uploads.create_upload(program, ContentFile(content.encode(), "a.csv"), now=NOW)

    assert caught.value.errno == errno.ENOSPC
    assert contents(small_disk) == []
    assert not Upload.objects.exists()

    # It heals by itself.
    small = ContentFile(f"key,member,occurred_at,type\n{line}".encode(), "a.csv")
    assert uploads.create_upload(program, small, now=NOW).pk


def test_a_full_disk_is_said_in_the_words_of_the_api(program, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("activities.api.uploads.uploads.create_upload", full)
    file = SimpleUploadedFile("a.csv", b"key,member,occurred_at,type\nA,b,c,d\n")

    response = Client().post(
        "/api/v1/uploads",
        {"file": file},
        headers={"Authorization": f"Bearer {make_key(program)[1]}"},
    )

    problem_in(response, 507, "storage_full")
    assert response["Retry-After"]


def test_another_error_of_files_is_no_full_disk(client, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("loyalty.api.members.MemberViewSet.get_queryset", forbidden)

    problem_in(client.get("members/1"), 500, "internal_error")
