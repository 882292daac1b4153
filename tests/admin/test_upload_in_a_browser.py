"""Chromium sends a file and follows it from step to step without reloading."""

import pytest
from django.urls import reverse

from activities.models import Upload
from activities.services import uploads
from tests.activities.uploads.files import run
from tests.admin.test_in_a_browser import Tour
from tests.builders import make_member, make_program, make_type

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

ROWS = (
    "key,member,occurred_at,type,value\n"
    "R-1,ann,2026-03-04T12:00:00Z,PURCHASE,12.99\n"
    "R-2,nobody,2026-03-04T12:00:00Z,PURCHASE,5\n"
)


@pytest.fixture
def tour(browser, live_server, client, admin_user):
    """A window in which an administrator is signed in."""
    client.force_login(admin_user)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    cookie = {
        "name": "sessionid",
        "value": client.cookies["sessionid"].value,
        "url": live_server.url,
    }
    context.add_cookies([cookie])
    yield Tour(context.new_page(), live_server.url)
    context.close()


def test_a_file_is_sent_judged_confirmed_and_finished(tour, tmp_path):
    program = make_program(name="Corner shops")
    make_type(program)
    make_member(program, "ann")
    file = tmp_path / "sales.csv"
    file.write_text(ROWS)
    window = tour.window

    tour.open(reverse("admin:activities_upload_add"))
    window.set_input_files("[name=file]", file)
    window.get_by_role("button", name="Upload and check").click()
    window.get_by_text("waits to be checked").wait_for()
    upload = Upload.objects.get()

    uploads.validate_upload(upload)
    window.get_by_text("Nothing is awarded yet").wait_for()
    window.get_by_text("Award the points…").click()
    window.get_by_role("button", name="Award the points").click()
    window.get_by_role("progressbar").wait_for()

    run(upload)
    window.get_by_text("Done. The points are awarded").wait_for()
    with window.expect_download() as download:
        window.get_by_text("Download these rows with reasons").click()

    assert download.value.suggested_filename == "sales-refused.csv"
    assert "R-2,nobody" in download.value.path().read_text()
    problems = [one for one in tour.problems if "ERR_ABORTED" not in one]
    assert problems == []
