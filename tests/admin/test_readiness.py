"""Marketing reads what is wrong with a campaign before anybody earns from it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign
from tests.admin.forms import page, save
from tests.builders import (
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_segment,
    make_type,
)

pytestmark = pytest.mark.django_db

CANNOT = "Nobody is in “Nobody yet” now."


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    make_member(program)
    return program


def draft(program, **fields):
    tomorrow = timezone.now().replace(
        hour=0, minute=0, second=0, microsecond=0
    ) + timedelta(days=1)
    defaults = {
        "is_enabled": False,
        "points_budget": 1000,
        "starts_at": tomorrow,
        "name": "May",
    }
    return make_campaign(program, **{**defaults, **fields})


@pytest.fixture
def stuck(program):
    """A campaign for a segment that nobody is in."""
    empty = make_segment(program, name="Nobody yet")
    return draft(program, included_segments=[empty])


def content(answer):
    return answer.content.decode()


def is_enabled(campaign):
    return Campaign.objects.get(pk=campaign.pk).is_enabled


def test_the_page_of_a_campaign_that_can_run_says_so(marketing, program):
    text = content(marketing.get(page(Campaign, "change", draft(program).pk)))

    assert 'loyalty-state-success">Ready<' in text
    assert "Nothing speaks against it." in text
    assert "At most 10 Loyalty points for one activity." in text


def test_the_page_names_what_stops_it_and_links_to_the_tab(marketing, stuck):
    text = content(marketing.get(page(Campaign, "change", stuck.pk)))

    assert 'loyalty-state-danger">Not ready<' in text
    assert CANNOT in text
    assert 'href="#id_included_segments" data-tab="Who"' in text


def test_the_page_of_a_campaign_that_is_over_has_no_report(marketing, program):
    past = timezone.now() - timedelta(days=2)
    over = draft(program, is_enabled=True, starts_at=None, ends_at=past)

    assert "loyalty-readiness" not in content(
        marketing.get(page(Campaign, "change", over.pk))
    )


def test_enabling_shows_the_report_first(marketing, program):
    campaign = draft(program, points_budget=None)
    address = page(Campaign, "switch_on", campaign.pk)

    asked = content(marketing.get(address))
    marketing.post(address, {"confirmed": "yes"})

    assert "Nothing limits what it costs" in asked
    assert "Enable it all the same" not in asked
    assert is_enabled(campaign)


def test_what_stops_it_asks_for_a_tick_of_its_own(marketing, stuck):
    address = page(Campaign, "switch_on", stuck.pk)

    asked = content(marketing.get(address))
    refused = content(marketing.post(address, {"confirmed": "yes"}))

    assert CANNOT in asked
    assert "Enable it all the same" in asked
    assert "Tick this to enable it all the same." in refused
    assert not is_enabled(stuck)

    marketing.post(address, {"confirmed": "yes", "anyway": "on"})

    assert is_enabled(stuck)


def test_enabling_several_shows_the_report_of_each(marketing, program, stuck):
    fine = draft(program, name="June")
    sent = {"action": "enable", "_selected_action": [stuck.pk, fine.pk]}
    address = page(Campaign, "changelist")

    asked = content(marketing.post(address, sent))
    marketing.post(address, {**sent, "confirmed": "yes"})
    before = (is_enabled(stuck), is_enabled(fine))
    marketing.post(address, {**sent, "confirmed": "yes", "anyway": "on"})

    assert "<h3>May</h3>" in asked
    assert "<h3>June</h3>" in asked
    assert asked.count(CANNOT) == 1
    assert before == (False, False)
    assert is_enabled(stuck)
    assert is_enabled(fine)


def test_disabling_asks_as_ever(marketing, program):
    campaign = make_campaign(program)
    address = page(Campaign, "switch_off", campaign.pk)

    assert "loyalty-readiness" not in content(marketing.get(address))
    marketing.post(address, {"confirmed": "yes"})

    assert not is_enabled(campaign)


def test_the_report_takes_as_many_queries_whatever_the_program_holds(
    marketing, program
):
    campaign = draft(program, reward_method="methods", points=0)
    make_method(campaign)
    address = page(Campaign, "change", campaign.pk)
    marketing.get(address)
    few = _count(marketing, address)

    for _ in range(8):
        make_campaign(program, included_segments=[make_segment(program)])

    marketing.get(address)
    assert _count(marketing, address) == few


def _count(client, address):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(address)
    return len(queries)


def test_the_switch_on_the_form_does_not_pass_by_the_report(marketing, stuck):
    answer = save(marketing, page(Campaign, "change", stuck.pk), is_enabled="on")

    text = content(marketing.get(answer["Location"]))
    assert not is_enabled(stuck)
    assert "Saved, but not enabled, because it cannot work as it is" in text
    assert CANNOT in text
    assert page(Campaign, "switch_on", stuck.pk) in text


def test_a_new_campaign_that_cannot_work_is_saved_as_a_draft(marketing, program):
    empty = make_segment(program, name="Nobody yet")

    save(
        marketing,
        page(Campaign, "add"),
        name="June",
        points="5",
        is_enabled="on",
        included_segments=[str(empty.pk)],
    )

    assert Campaign.objects.get().is_enabled is False


def test_the_switch_turns_on_what_can_run_and_keeps_what_runs(marketing, program):
    campaign = draft(program)
    address = page(Campaign, "change", campaign.pk)

    save(marketing, address, is_enabled="on")
    campaign.included_segments.add(make_segment(program, name="Nobody yet"))
    save(marketing, address, name="July")

    assert is_enabled(campaign)


def test_the_worst_case_is_told_in_money_once_a_cost_was_given(marketing, program):
    address = page(Campaign, "change", draft(program).pk)

    asked = content(marketing.get(f"{address}?cost_per_point=0.005"))
    remembered = content(marketing.get(address))
    wrong = content(marketing.get(f"{address}?cost_per_point=much"))

    assert "(worth 5.00) in all" in asked
    assert "(worth 5.00) in all" in remembered
    assert "Enter a number." in wrong
