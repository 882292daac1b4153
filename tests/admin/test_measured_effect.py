"""The page that tells marketing what a campaign changed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from activities.services import record_activities
from tests.admin.forms import complaints, page, save
from tests.builders import (
    make_campaign,
    make_member,
    make_program,
    make_type,
    purchase,
)

NOW = timezone.now()
START = NOW - timedelta(days=9)


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    return program


def measured(program, **fields):
    return make_campaign(
        program,
        **{
            "holdout_percent": Decimal(50),
            "holdout_salt": "spring",
            "starts_at": START,
            **fields,
        },
    )


def acted(program, times=30):
    members = [
        # With these numbers chance is the same in every run.
        make_member(program, pk=number, enrolled_at=START - timedelta(days=1))
        for number in range(5_000_000, 5_000_040)
    ]
    at = NOW - timedelta(days=1)
    record_activities(
        program.pk,
        [purchase(one, "5", occurred_at=at) for one in members[:times]],
        now=NOW,
    )


def effect_page(campaign):
    return page(campaign, "measured_effect", campaign.pk)


def test_the_page_tells_the_verdict_and_the_numbers(marketing, program):
    campaign = measured(program)
    acted(program)

    text = marketing.get(f"{effect_page(campaign)}?point_cost=0.01").content.decode()

    assert "No measurable difference in visits" in text
    assert "Members who could take part got" in text
    assert "95 % interval" in text
    assert "In money" in text
    assert "nan" not in text.split("<section", 1)[1].split("<footer")[0].lower().split()


def test_the_groups_are_downloaded(marketing, program):
    campaign = measured(program)
    acted(program, 0)

    answer = marketing.get(f"{effect_page(campaign)}?download=csv")

    assert answer["Content-Disposition"].endswith('groups.csv"')
    assert len(b"".join(answer.streaming_content).splitlines()) == 41


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"holdout_percent": None}, "holds nobody out", id="no holdout"),
        pytest.param(
            {"starts_at": NOW + timedelta(days=1)}, "has not begun", id="tomorrow"
        ),
        pytest.param({}, "Too few members to compare", id="no members"),
    ],
)
def test_what_cannot_be_measured_is_said_in_words(marketing, program, fields, sentence):
    campaign = measured(program, **fields)

    assert sentence in marketing.get(effect_page(campaign)).content.decode()


def test_a_wrong_day_is_said_at_its_field(marketing, program):
    text = marketing.get(
        f"{effect_page(measured(program))}?until=soon"
    ).content.decode()

    assert "Enter a valid date" in text


@pytest.mark.parametrize("percent", [None, Decimal(10)])
def test_the_button_stands_where_members_are_held_out(marketing, program, percent):
    campaign = measured(program, holdout_percent=percent)

    text = marketing.get(page(campaign, "change", campaign.pk)).content.decode()

    assert (effect_page(campaign) in text) == (percent is not None)
    assert ("are held out, to measure its effect" in text) == (percent is not None)


def test_an_analyst_may_look(client, analyst, program):
    client.force_login(analyst)

    assert client.get(effect_page(measured(program))).status_code == 200


def test_the_share_is_fixed_on_the_form_once_something_was_given(marketing, program):
    campaign = measured(program, holdout_percent=Decimal(1))
    acted(program)

    answer = save(marketing, page(campaign, "change", campaign.pk), holdout_percent="5")

    (complaint,) = complaints(answer)
    assert complaint.startswith("This campaign has given something already")
