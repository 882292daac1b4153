"""Chromium maps a till's export by keyboard alone, watching the first rows change."""

import os
from pathlib import Path

import pytest
from django.urls import reverse

from activities.models import Upload
from activities.services import uploads
from tests.activities.uploads.files import checked
from tests.admin.test_in_a_browser import Tour
from tests.builders import make_channel, make_member, make_program, make_type

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

TILL = (
    "Bon-Nr.;Kundennummer;Datum;Vorgang;Filiale;Betrag;Kassierer\r\n"
    "B-1001;0000479;29.01.2026 16:22;Einkauf;STORE;1.234,50;Jürgen\r\n"
    "B-1002;0000480;30.01.2026 09:05;Einkauf;STORE;12,50;Zoë\r\n"
    "B-1003;0000479;30.01.2026 11:40;Storno;STORE;7,95;Zoë\r\n"
    "B-1004;0000481;31.01.2026 18:01;Einkauf;STORE;88,00;Jürgen\r\n"
)
# Where pictures for the documentation go; none are taken otherwise.
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def tour(browser, live_server, client, admin_user):
    """A window in which an administrator is signed in."""
    client.force_login(admin_user)
    context = browser.new_context(viewport={"width": 1280, "height": 1160})
    cookie = {
        "name": "sessionid",
        "value": client.cookies["sessionid"].value,
        "url": live_server.url,
    }
    context.add_cookies([cookie])
    yield Tour(context.new_page(), live_server.url)
    context.close()


def picture(window, name):
    if PICTURES:
        window.screenshot(path=str(Path(PICTURES, name)))


@pytest.fixture
def program(db):
    program = make_program(name="Corner shops", time_zone="Europe/Berlin")
    make_type(program)
    make_type(program, "RETURN")
    make_channel(program)
    for number in ("0000479", "0000480", "0000481"):
        make_member(program, number)
    return program


def test_a_till_export_is_mapped_by_keyboard(tour, program, tmp_path):
    file = tmp_path / "till_november.csv"
    file.write_bytes(TILL.encode("windows-1252"))
    window = tour.window

    tour.open(reverse("admin:activities_upload_add"))
    window.set_input_files("[name=file]", file)
    window.get_by_role("button", name="Upload and check").click()
    window.get_by_text("waits to be checked").wait_for()
    upload = Upload.objects.get()
    uploads.validate_upload(upload)
    window.get_by_text("How “till_november.csv” is read").last.wait_for()
    preview = window.locator("#reading-preview")
    assert "29 Jan 2026, 16:22" in preview.inner_text()
    picture(window, "upload-mapping.png")

    _spell(window, preview)
    name = window.get_by_label("Save this under a name")
    name.focus()
    window.keyboard.type("Till export")
    window.keyboard.press("Enter")
    window.get_by_text("waits to be checked").wait_for()

    upload.refresh_from_db()
    uploads.validate_upload(upload)
    window.get_by_text("Nothing is awarded yet").wait_for()
    assert window.get_by_text("as saved under “Till export”").count() == 1
    picture(window, "upload-checked.png")
    problems = [one for one in tour.problems if "ERR_ABORTED" not in one]
    assert problems == []


def _spell(window, preview):
    numbers = window.get_by_label("Numbers", exact=True)
    numbers.focus()
    numbers.select_option(label="1,234.50")
    preview.get_by_text("“1.234,50” is not a number like 1,234.50").wait_for()
    numbers.select_option(label="1.234,50")
    preview.get_by_text("1234.5", exact=True).wait_for()

    storno = window.get_by_label("What the member did “Storno”")
    storno.focus()
    storno.select_option(label="Return")
    preview.get_by_text("All of these rows can be read.").wait_for()


def test_a_question_is_answered_on_the_uploads_page(tour, program):
    rows = "K;0000479;2026-01-02 12:00;PURCHASE;1.000\n"
    upload = checked(program, f"key;member;occurred_at;type;value\n{rows}")
    window = tour.window

    tour.open(reverse("admin:activities_upload_change", args=[upload.pk]))
    picture(window, "upload-question.png")
    window.get_by_label("The point separates thousands: 1.000 is one thousand").check()
    window.get_by_role("button", name="Go on with the check").click()
    window.get_by_text("waits to be checked").wait_for()
    assert tour.problems == []
