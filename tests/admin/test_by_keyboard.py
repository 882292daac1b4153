"""The admin without a mouse, and what a screen reader is told."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from activities.models import Activity, Upload
from campaigns.models import Campaign
from loyalty.models import Account, Member, Program, Segment
from tests.admin.forms import page as address_of
from tests.admin.test_in_a_browser import program, tour  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME_OF_FOCUS = """() => {
    const one = document.activeElement.cloneNode(true);
    const label = document.activeElement.labels?.[0]?.textContent || '';
    one.querySelectorAll('.material-symbols-outlined').forEach(icon => icon.remove());
    const name = one.getAttribute('aria-label') || label || one.textContent || one.name;
    return name.replace(/[\\s*]+/g, ' ').trim();
}"""


def focused(window):
    window.wait_for_load_state("domcontentloaded")
    return window.evaluate(NAME_OF_FOCUS)


def reach(window, name, key="Tab"):
    """Press a key until what is called so has the focus."""
    seen = []
    for _ in range(150):
        window.keyboard.press(key)
        seen.append(focused(window))
        if seen[-1].startswith(name):
            return
    raise AssertionError(f"{name} was not reached: {seen}")


def press(window, name, key="Enter"):
    reach(window, name)
    with window.expect_navigation():
        window.keyboard.press(key)
    window.wait_for_load_state("networkidle")


def tab_to(window, name):
    """Choose a tab of the form with the arrow keys."""
    if window.evaluate("document.activeElement.getAttribute('role')") != "tab":
        window.locator("[role=tab][aria-selected=true]").focus()
    reach(window, name, "ArrowRight")


def test_a_campaign_is_made_by_keyboard_alone(tour):  # noqa: F811
    window = tour.window
    tour.open(reverse("admin:index"))
    press(window, "Campaigns")
    press(window, "Add campaign")
    reach(window, "Name")
    window.keyboard.type("Tea on Tuesdays")
    tab_to(window, "When")
    reach(window, "Tuesday")
    window.keyboard.press("Space")
    tab_to(window, "Reward")
    reach(window, "Points")
    window.keyboard.press("Control+A")
    window.keyboard.type("3")
    tab_to(window, "Limits")
    reach(window, "Cap")
    window.keyboard.type("2")
    reach(window, "Frequency period")
    window.keyboard.type("One Cal")
    press(window, "Save and continue editing")

    made = Campaign.objects.get(name="Tea on Tuesdays")
    assert made.points == 3
    assert made.cap_count == 2
    assert made.frequency_period_id == 2
    assert list(made.weekdays or ()) == [2]
    assert tour.problems == []


def test_the_first_key_leads_past_the_menu(tour):  # noqa: F811
    window = tour.window
    # Forms for a new row put the focus into their first field themselves.
    tour.open(address_of(Campaign, "changelist"))

    window.keyboard.press("Tab")
    assert focused(window) == "Skip to the content"
    window.keyboard.press("Enter")
    window.keyboard.press("Tab")

    assert window.evaluate("document.activeElement.closest('#content') !== null")


def test_menus_open_tell_their_state_and_close(tour):  # noqa: F811
    window = tour.window
    tour.open(address_of(Program, "changelist"))
    for name, inside in (
        ("Loyalty", "Corner shops"),
        ("Set-up", "Programs"),
        ("A admin", "Light"),
    ):
        window.locator("body").evaluate("document.activeElement.blur()")
        reach(window, name)
        opener = window.evaluate_handle("document.activeElement").as_element()
        was = opener.get_attribute("aria-expanded")
        window.keyboard.press("Enter" if was == "false" else "Shift+Tab")
        window.wait_for_timeout(400)
        assert opener.get_attribute("aria-expanded") == "true", name
        assert window.get_by_text(inside).first.is_visible(), name
        window.keyboard.press("Escape")
    reach(window, "More actions")
    window.keyboard.press("Space")
    window.wait_for_timeout(400)
    assert focused(window) == "Work in this program"
    window.keyboard.press("Escape")
    assert focused(window) == "More actions"


def test_the_save_bar_covers_nothing_that_has_the_focus(tour):  # noqa: F811
    window = tour.window
    tour.open(address_of(Campaign, "add"))
    reach(window, "Name")
    for _ in range(12):
        window.keyboard.press("Tab")
        box = window.evaluate(
            """() => { const one = document.activeElement.getBoundingClientRect();
            const bar = document.getElementById('submit-row').getBoundingClientRect();
            return document.activeElement.closest('#submit-row') ? 0
                : one.bottom - bar.top; }"""
        )
        assert box <= 1, focused(window)


PAGES = [
    ("admin:index", None, None),
    ("changelist", Campaign, None),
    ("add", Campaign, None),
    ("change", Campaign, "last"),
    ("changelist", Member, None),
    ("change", Member, "last"),
    ("changelist", Activity, None),
    ("change", Activity, "last"),
    ("add", Segment, None),
    ("changelist", Account, None),
    ("add", Upload, None),
    ("changelist", Program, None),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(tour, scheme):  # noqa: F811
    window = tour.window
    window.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for name, model, row in PAGES:
        rows: Any = model._default_manager if row else None
        pks = [rows.order_by("-pk").first().pk] if row else []
        address = address_of(model, name, *pks) if model else reverse(name)
        tour.open(address)
        window.wait_for_timeout(200)
        for one in Axe().run(window).response["violations"]:
            nodes = [node["html"][:160] for node in one["nodes"][:3]]
            found[f"{address} {one['id']} x{len(one['nodes'])}"] = nodes

    assert found == {}
