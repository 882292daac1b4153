"""Chromium opens every page: nothing fails, nothing is cut off."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from activities.services import record_activities
from campaigns.models import Campaign
from loyalty.models import FrequencyPeriod, Member
from tests.admin.forms import page as address_of
from tests.builders import (
    make_campaign,
    make_channel,
    make_item_list,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_voucher,
    make_voucher_type,
    purchase,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTH = 1280


@pytest.fixture
def program(transactional_db):
    """A program in which something of everything has happened.

    The vocabulary that migrations ship is gone after another test's flush.
    """
    FrequencyPeriod.objects.get_or_create(
        pk=2, defaults={"name": "One Calendar Day", "unit": "calendar_day"}
    )
    program = make_program(name="Corner shops", time_zone="America/Phoenix")
    make_type(program, title="Purchase")
    channel = make_channel(program)
    member = make_member(program, "ann", business_unit=make_unit(program))
    friends = make_segment(program, [member], name="Friends")
    now = timezone.now()
    make_campaign(
        program,
        name="A long name of a campaign for the friends of the corner shops",
        included_segments=[friends],
        channels=[channel],
        item_list=make_item_list(program, ["tea"]),
        points_budget=1000,
        cap_count=1,
        frequency_period=FrequencyPeriod.objects.get(pk=2),
        ends_at=now + timedelta(days=3),
    )
    make_campaign(program, name="For all", minimum_tier=make_tier(program, "Gold", 10))
    make_campaign(program, name="Over", ends_at=now - timedelta(days=3))
    commands = [
        purchase(
            member, "25", occurred_at=now - timedelta(hours=hours), channel="STORE"
        )
        for hours in range(3)
    ]
    record_activities(program.pk, commands, now=now)
    make_voucher(make_voucher_type(program, codes="listed"), member)
    return program


class Tour:
    """A browser window that notes everything that goes wrong in it."""

    def __init__(self, window, site):
        self.window = window
        self.site = site
        self.problems: list[str] = []
        window.on("console", self._heard)
        window.on("pageerror", lambda error: self.problems.append(f"{error}"))
        window.on("requestfailed", self._failed)
        window.on("response", self._answered)

    def open(self, address):
        """Open a page, wait until it is quiet, and look at its width."""
        self.window.goto(self.site + address)
        self.window.wait_for_load_state("networkidle")
        overflow = self.window.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        if overflow > 0:
            self.problems.append(f"{address} is {overflow} pixels too wide")

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"{self.window.url}: {message.text}")

    def _failed(self, request):
        self.problems.append(f"{request.url}: {request.failure}")

    def _answered(self, answer):
        if answer.status >= 400:
            self.problems.append(f"{answer.url}: {answer.status}")


@pytest.fixture
def tour(browser, live_server, client, admin_user, program):
    """A window in which an administrator is signed in."""
    client.force_login(admin_user)
    context = browser.new_context(viewport={"width": WIDTH, "height": 800})
    cookie = {
        "name": "sessionid",
        "value": client.cookies["sessionid"].value,
        "url": live_server.url,
    }
    context.add_cookies([cookie])
    yield Tour(context.new_page(), live_server.url)
    context.close()


def every_page(client):
    """The addresses of all pages that an administrator can reach."""
    yield reverse("admin:index")
    for model, pages in admin.site._registry.items():
        yield address_of(model, "changelist")
        if client.get(address_of(model, "add")).status_code == 200:
            yield address_of(model, "add")
        row = model._default_manager.order_by("-pk").first()
        if row is None:
            continue
        yield address_of(model, "change", row.pk)
        yield address_of(model, "history", row.pk)
        for name in getattr(pages, "actions_detail", None) or ():
            if name != "download":
                yield address_of(model, name, row.pk)


def test_every_page_opens_without_a_word_on_the_console(tour, client):
    addresses = [*every_page(client)]

    for address in addresses:
        tour.open(address)

    assert tour.problems == []
    assert len(addresses) > 90


def test_a_campaign_is_made_by_clicking_and_tells_what_it_does(tour):
    window = tour.window
    tour.open(reverse("admin:index"))
    window.locator(f"a[href='{address_of(Campaign, 'changelist')}']").first.click()
    window.wait_for_load_state("networkidle")
    window.locator(f"a[href^='{address_of(Campaign, 'add')}']").first.click()
    window.wait_for_load_state("networkidle")

    window.fill("#id_name", "Tea on Tuesdays")
    _tab(window, "When")
    window.fill("#id_starts_at_0", "01/03/2026")
    window.locator("[name=weekdays][value='2']").check()
    _tab(window, "Reward")
    window.select_option("#id_reward_method", "per_value")
    window.fill("#id_points", "3")
    _tab(window, "Limits")
    window.fill("#id_cap_count", "2")
    window.select_option("#id_frequency_period", label="One Calendar Day")
    window.click("button[name=_continue]")
    window.wait_for_load_state("networkidle")

    words = window.locator(".loyalty-sentence").inner_text()
    assert (
        "From 1 Mar 2026, on Tuesdays, all members earn 3 Loyalty points per 1.00 of "
        "the value for any activity, at most 2 a day."
    ) in words
    assert "Members earn nothing from it until it is enabled." in words
    assert "Audience now: 1 of 1 members" in words
    assert tour.problems == []
    assert not Campaign.objects.get(name="Tea on Tuesdays").is_enabled


def test_a_mistake_on_a_hidden_tab_is_told_above_the_form(tour):
    window = tour.window
    tour.open(address_of(Campaign, "add"))
    window.fill("#id_name", "Wrong")
    _tab(window, "Reward")
    window.fill("#id_points", "1.5")
    window.click("button[name=_save]")
    window.wait_for_load_state("networkidle")

    told = window.locator(".loyalty-errors").inner_text()

    assert "Points: The wallet “Loyalty points” counts 0 decimals." in told


def test_points_are_given_by_hand_in_two_steps(tour):
    window = tour.window
    member = Member.objects.get()
    tour.open(address_of(Member, "change", member.pk))
    window.get_by_role("link", name="Adjust points").first.click()
    window.fill("#id_points", "500")
    window.fill("#id_reason", "Goodwill")
    window.get_by_role("button", name="Continue").click()
    window.get_by_role("button", name="Give 500").click()
    window.wait_for_load_state("networkidle")

    assert "500 Loyalty points given." in window.locator("body").inner_text()
    assert tour.problems == []


def test_dark_pages_are_readable(browser, tour, live_server):
    tour.window.emulate_media(color_scheme="dark")
    tour.open(reverse("admin:index"))
    is_dark = tour.window.evaluate(
        "document.documentElement.classList.contains('dark')"
    )

    colours = tour.window.evaluate(
        """() => [...document.querySelectorAll('.loyalty-card h2, .loyalty-figure')]
        .map(one => [getComputedStyle(one).color,
                     getComputedStyle(one.closest('.loyalty-card')).backgroundColor])"""
    )

    assert is_dark
    assert colours
    assert all(text != card for text, card in colours)


def _tab(window, name):
    window.locator("a, button").get_by_text(name, exact=True).first.click()
