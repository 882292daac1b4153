"""A marketer builds a scratch card in Chromium, without reading anything."""

import os

import pytest

from campaigns.models import Campaign
from tests.admin.forms import page as address_of
from tests.admin.test_in_a_browser import Tour
from tests.builders import make_program, make_voucher_type, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def tour(browser, live_server, client, admin_user, transactional_db):
    program = make_program(name="Corner shops")
    make_wallet(program)
    make_voucher_type(program, name="Free coffee")
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


def test_a_scratch_card_is_built_by_clicking(tour):
    window = tour.window
    tour.open(address_of(Campaign, "add"))

    window.fill("#id_name", "Scratch & win")
    window.select_option("#id_context", "interaction")
    assert not window.locator("#id_minimum_value").is_visible()
    tab(window, "Reward")
    window.fill("#id_point_cost", "450")
    window.select_option("#id_point_cost_wallet", index=1)
    window.select_option("#id_reward_method", "methods")
    window.select_option("#id_handling", "random_draw")
    assert not window.locator("#id_points").is_visible()
    tab(window, "Reward methods")
    add_prize(window, 0, name="Jackpot", points="5000", weight="1", usage_limit="10")
    add_prize(window, 1, name="Some points", points="500", weight="9")
    add_prize(window, 2, "voucher", name="Coffee", weight="15")
    add_prize(window, 3, "nothing", name="No luck", weight="75")
    window.mouse.wheel(0, -5000)
    shot(window, "methods")
    window.click("button[name=_continue]")
    window.wait_for_load_state("networkidle")
    shot(window, "scratch")

    told = window.locator(".loyalty-sentence").inner_text()
    assert (
        "all members draw one of 4 prizes (5,000 Loyalty points, 500 Loyalty points, "
        "the voucher “Free coffee” or nothing) for 450 of their “Loyalty points” each "
        "time."
    ) in told
    table = window.locator(".loyalty-to-win").inner_text()
    assert "Jackpot\t5,000 Loyalty points\t1 %\t0\t10" in table
    assert "No luck\tNothing\t75 %\t0\tNo limit" in table
    assert tour.problems == []


def add_prize(window, place, reward="fixed", **fields):
    window.get_by_role("link", name="Add another Reward method").click()
    row = f"#id_methods-{place}"
    window.fill(f"{row}-name", fields.pop("name"))
    window.select_option(f"{row}-reward_method", reward)
    if reward == "voucher":
        window.select_option(f"{row}-voucher_type", index=1)
        assert not window.locator(f"{row}-points").is_visible()
    for name, value in fields.items():
        window.fill(f"{row}-{name}", value)


def tab(window, name):
    window.locator("a, button").get_by_text(name, exact=True).first.click()


def shot(window, name):
    folder = os.environ.get("SHOTS")
    if folder:
        window.screenshot(path=f"{folder}/{name}.png")
