"""Points moved by hand: asked for twice, posted once, explained in the ledger."""

import uuid

import pytest
from django.contrib.admin.models import LogEntry

from loyalty.ledger import mismatches
from loyalty.models import Account, Entry, Member, MemberTier
from tests.admin.forms import page
from tests.builders import make_member, make_program, make_wallet


@pytest.fixture
def member(db):
    program = make_program()
    make_wallet(program, name="Miles", decimals=2)
    return make_member(program, "ann")


@pytest.fixture
def finance(client, staff_of):
    client.force_login(staff_of("Finance"))
    return client


def send(client, member, **answers):
    wallet = member.program.wallet_set.get()
    defaults = {
        "confirmed": "yes",
        "wallet": wallet.pk,
        "direction": "give",
        "reason": "Goodwill, complaint 4711",
        "token": str(uuid.uuid4()),
    }
    return client.post(
        page(Member, "adjust_points", member.pk), {**defaults, **answers}
    )


def test_the_first_answer_asks_back_and_moves_nothing(finance, member):
    answer = send(finance, member, points="12.50")

    text = answer.content.decode()
    assert "Give 12.50 Miles to ann?" in text
    assert "Afterwards: 12.50" in text
    assert not Entry.objects.exists()


def test_a_confirmed_gift_is_in_the_ledger_with_its_reason_and_giver(finance, member):
    send(finance, member, points="12.50", is_sure="yes")

    entry = Entry.objects.get()
    assert (entry.kind, entry.amount) == ("adjustment", 1250)
    assert entry.reason == "Goodwill, complaint 4711 (by finance)"
    account = Account.objects.get(member=member)
    assert (account.balance, account.lifetime_earned) == (1250, 0)
    assert not MemberTier.objects.exists()
    assert LogEntry.objects.filter(object_id=member.pk).count() == 1
    assert list(mismatches()) == []


def test_sending_the_same_decision_twice_moves_points_once(finance, member):
    token = str(uuid.uuid4())

    for _ in range(2):
        send(finance, member, points="5", is_sure="yes", token=token)

    assert Entry.objects.count() == 1


def test_taken_points_leave_the_member_and_the_books_add_up(finance, member):
    send(finance, member, points="10", is_sure="yes")

    send(finance, member, points="4", direction="take", is_sure="yes")

    assert Account.objects.get(member=member).balance == 600
    assert [one.kind for one in Entry.objects.order_by("pk")] == ["adjustment"] * 2
    assert list(mismatches()) == []


def test_more_than_the_member_has_is_not_taken(finance, member):
    token = str(uuid.uuid4())
    send(finance, member, points="3", is_sure="yes")

    answer = send(
        finance, member, points="4", direction="take", is_sure="yes", token=token
    )
    again = send(
        finance, member, points="3", direction="take", is_sure="yes", token=token
    )

    assert (answer.status_code, again.status_code) == (302, 302)
    assert Account.objects.get(member=member).balance == 0


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"points": "0"}, id="nothing"),
        pytest.param({"points": "-5"}, id="below zero"),
        pytest.param({"points": "0.001"}, id="finer than the wallet counts"),
        pytest.param({"points": "NaN"}, id="no number"),
        pytest.param({"points": "1e15"}, id="too many"),
        pytest.param({"points": "5", "reason": " "}, id="no reason"),
        pytest.param({"points": "5", "wallet": "0"}, id="no wallet"),
        pytest.param({"points": "5", "token": "x"}, id="no token"),
        pytest.param({"points": "5", "direction": "both"}, id="no direction"),
    ],
)
def test_a_wrong_answer_is_asked_again(finance, member, answers):
    answer = send(finance, member, is_sure="yes", **answers)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Entry.objects.exists()


@pytest.mark.parametrize("group", ["Marketing", "Analyst", "Operator"])
def test_other_groups_cannot_move_points(client, staff_of, member, group):
    client.force_login(staff_of(group))

    answer = send(client, member, points="5", is_sure="yes")

    assert answer.status_code == 403
    assert not Entry.objects.exists()


def test_a_wallet_of_another_program_is_refused(finance, member):
    foreign = make_wallet(make_program())

    answer = send(finance, member, points="5", is_sure="yes", wallet=foreign.pk)

    assert "wallet" in answer.context["form"].errors
    assert not Entry.objects.exists()
