"""People write 2 for double points; what is stored is what comes on top."""

from decimal import Decimal

import pytest

from campaigns.models import Campaign
from tests.admin.forms import complaints, page, save, shown
from tests.builders import make_campaign, make_program, make_type


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    return program


@pytest.mark.parametrize(
    ("written", "stored", "sentence"),
    [
        ("2", "1", "earn double points (base once more)"),
        ("3", "2", "earn triple points (base twice more)"),
        ("1.5", "0.5", "earn 1.5 × the points (0.5 × the base on top)"),
    ],
)
def test_what_is_written_is_the_multiple_in_all(
    marketing, program, written, stored, sentence
):
    campaign = make_campaign(program)

    answer = save(
        marketing,
        page(Campaign, "change", campaign.pk),
        reward_method="multiplier",
        multiplier=written,
    )

    assert answer.status_code == 302, complaints(answer)
    campaign.refresh_from_db()
    assert campaign.multiplier == Decimal(stored)
    text = marketing.get(page(Campaign, "change", campaign.pk)).content.decode()
    assert sentence in text
    sent = shown(marketing, page(Campaign, "change", campaign.pk))
    assert sent["multiplier"] == written


def test_an_untouched_save_keeps_the_multiple(marketing, program):
    campaign = make_campaign(program, reward_method="multiplier", multiplier="0.0001")

    save(marketing, page(Campaign, "change", campaign.pk), name="Renamed")

    campaign.refresh_from_db()
    assert (campaign.name, campaign.multiplier) == ("Renamed", Decimal("0.0001"))


@pytest.mark.parametrize("written", ["1", "0.5", "0", "-2"])
def test_a_multiple_that_adds_nothing_is_refused(marketing, program, written):
    campaign = make_campaign(program)

    answer = save(
        marketing,
        page(Campaign, "change", campaign.pk),
        reward_method="multiplier",
        multiplier=written,
    )

    assert "Must be more than 1: 2 is double points, 3 triple." in complaints(answer)


def test_people_who_only_look_read_the_multiple_in_all(client, analyst, program):
    campaign = make_campaign(program, reward_method="multiplier", multiplier=2)
    client.force_login(analyst)

    text = client.get(page(Campaign, "change", campaign.pk)).content.decode()

    assert "3 ×" in text
