"""What a page has to say is said on that page, once."""

import pytest
from django.urls import reverse

from campaigns.models import Campaign
from loyalty.models import Program, StaffProgram
from tests.admin.forms import page, save
from tests.builders import make_campaign, make_program, make_type

INDEX = reverse("admin:index")


@pytest.fixture
def programs(db):
    mine, theirs = make_program(name="Mine"), make_program(name="Theirs")
    make_type(mine)
    make_type(theirs)
    return mine, theirs


def test_the_overview_says_that_the_program_was_switched(marketing, programs):
    address = reverse("admin:loyalty_program_work_in", args=[programs[1].pk])

    text = marketing.get(address, follow=True).content.decode()

    assert "You now work in “Theirs”." in text


def test_a_link_to_another_programs_row_explains_at_once_and_offers_to_switch(
    marketing, programs
):
    campaign = make_campaign(programs[1], name="Spring")
    address = page(Campaign, "change", campaign.pk)

    answer = marketing.get(address, follow=True)
    text = answer.content.decode()

    assert "“Spring” belongs to the program “Theirs”." in text
    assert "exist. Perhaps" not in text
    switch = reverse("admin:loyalty_program_work_in", args=[programs[1].pk])
    assert f'href="{switch}?next=' in text
    opened = marketing.get(switch, {"next": address}, follow=True)
    assert opened.redirect_chain[-1][0] == address
    assert opened.status_code == 200


def test_a_row_of_a_program_that_one_may_not_see_stays_unknown(
    client, staff_of, programs
):
    user = staff_of("Marketing")
    StaffProgram.objects.create(user=user, program=programs[0])
    client.force_login(user)
    campaign = make_campaign(programs[1], name="Secret")

    text = client.get(page(Campaign, "change", campaign.pk), follow=True).content

    assert "Secret" not in text.decode()
    assert "Theirs" not in text.decode()


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere"])
def test_switching_never_leads_off_the_site(marketing, programs, wanted):
    address = reverse("admin:loyalty_program_work_in", args=[programs[1].pk])

    assert marketing.get(address, {"next": wanted})["Location"] == INDEX


def test_a_new_program_is_offered_to_work_in(client, admin_user, programs):
    client.force_login(admin_user)

    save(client, page(Program, "add"), name="New", code="new", time_zone="Europe/Paris")
    created = Program.objects.get(code="new")
    text = client.get(INDEX).content.decode()

    assert "Work in “New”" in text
    assert reverse("admin:loyalty_program_work_in", args=[created.pk]) in text
