"""Members' apps, log-ins and interactions in the admin."""

import re

import pytest
from django.utils import timezone

from activities.models import Activity, Interaction, LoginSession, MemberApp
from activities.services.interacting import interact
from activities.services.interactions import Interact
from activities.services.logins import log_in_member, log_in_staff, login_with
from loyalty import ledger
from loyalty.models import ApiKey
from tests.admin.forms import complaints, page, save
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_wallet,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def browser(client, admin_user, program):
    client.force_login(admin_user)
    return client


def field(answer, name):
    return re.search(rf'value="([^"]+)" id="{name}"', answer.content.decode())[1]


def test_an_app_belongs_to_the_program_or_to_nobody(browser, program):
    save(browser, page(MemberApp, "add"), hostname="app.example.com")
    save(browser, page(MemberApp, "add"), hostname="free.example.com", program="")

    found = dict(MemberApp.objects.values_list("hostname", "program"))
    assert found == {"app.example.com": program.pk, "free.example.com": None}
    listed = browser.get(page(MemberApp, "changelist")).content.decode()
    assert "Nobody: calls are refused" in listed


@pytest.mark.parametrize("hostname", ["App.example.com", "https://a.b", "a b", "-"])
def test_what_is_no_host_name_is_refused_with_a_sentence(browser, hostname):
    answer = save(browser, page(MemberApp, "add"), hostname=hostname)

    assert "lower-case letters" in " ".join(complaints(answer))


def test_apps_of_another_program_are_not_shown(browser):
    other = MemberApp.objects.create(hostname="x.example.com", program=make_program())

    assert (
        "x.example.com"
        not in browser.get(page(MemberApp, "changelist")).content.decode()
    )
    assert browser.get(page(MemberApp, "change", other.pk)).status_code == 302


def test_staff_open_a_session_of_their_own_and_see_its_key_once(browser, admin_user):
    asked = browser.get(page(LoginSession, "add"))
    assert "in your name" in asked.content.decode()
    assert not LoginSession.objects.exists()

    made = browser.post(page(LoginSession, "add"), {"confirmed": "yes"})

    key = field(made, "session-key")
    session = LoginSession.objects.get()
    assert login_with(key, now=timezone.now()) == session
    assert (session.user, field(made, "session-user-id")) == (
        admin_user,
        str(admin_user.pk),
    )
    listed = browser.get(page(LoginSession, "changelist")).content.decode()
    assert key not in listed
    assert "Staff" in listed


def test_who_may_not_interact_opens_no_session(client, staff_of, program):
    user = staff_of("Analyst")
    user.groups.clear()
    client.force_login(user)

    assert client.post(page(LoginSession, "add"), {"confirmed": "yes"}).status_code in {
        302,
        403,
    }
    assert not LoginSession.objects.exists()


def test_every_group_may_interact_until_it_is_taken_away(staff_of):
    for group in ("Marketing", "Support", "Analyst", "Finance", "Operator"):
        assert staff_of(group).has_perm("activities.interact")


def test_a_session_is_ended_after_a_question(browser, program):
    member = make_member(program)
    opened = log_in_member(member, hours=1, opened_by="test", now=timezone.now())
    answer = browser.get(page(LoginSession, "change", opened.session.pk))
    end = re.search(r'href="([^"]*log[_-]out[^"]*)"', answer.content.decode())[1]

    browser.get(end)
    assert LoginSession.objects.exists()
    browser.post(end, {"confirmed": "yes"})

    assert not LoginSession.objects.exists()


def test_staff_end_their_own_sessions_only(client, staff_of, admin_user, program):
    user = staff_of("Analyst")
    client.force_login(user)
    now = timezone.now()
    mine = log_in_staff(user, opened_by="test", now=now).session
    other = log_in_staff(admin_user, opened_by="test", now=now).session

    for session in (mine, other):
        answer = client.get(page(LoginSession, "change", session.pk))
        assert ("log_out" in answer.content.decode()) == (session == mine)


def test_a_key_is_made_that_may_only_interact(browser):
    save(
        browser,
        page(ApiKey, "add"),
        name="game",
        can_read=None,
        can_interact="on",
        business_units=None,
    )

    key = ApiKey.objects.get()
    assert (key.can_read, key.can_write, key.can_interact) == (False, False, True)


def test_an_interaction_tells_who_called_what_was_paid_and_won(browser, program):
    wallet_of(program)
    member = make_member(program, "C-7")
    coins = make_wallet(program, code="coins", name="Coins", decimals=1)
    ledger.adjust(member, coins.pk, 55, at=NOON, reason="start")
    card = make_campaign(
        program,
        name="Scratch and win",
        context="interaction",
        reward_method="methods",
        points=0,
        point_cost="5.5",
        point_cost_wallet=coins,
    )
    make_method(card, points=7)
    command = Interact(card.pk, member.pk, "spaaza", actor="ann", mode="admin")
    number = interact(program.pk, command, now=NOON).interaction_id

    listed = browser.get(page(Interaction, "changelist")).content.decode()
    for text in ("C-7", "Scratch and win", "7 loyalty", "5.5 coins", "Staff", "ann"):
        assert text in listed
    shown = browser.get(page(Interaction, "change", number)).content.decode()
    assert f"activity_id__exact={number}" in shown


def test_what_points_of_an_interaction_name_leads_to_it(browser, program):
    member = make_member(program)
    card = make_campaign(program, context="interaction")
    command = Interact(card.pk, member.pk, "api")
    number = interact(program.pk, command, now=NOON).interaction_id

    answer = browser.get(page(Activity, "change", number))

    assert answer["Location"] == page(Interaction, "change", number)
