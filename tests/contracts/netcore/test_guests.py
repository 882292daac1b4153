"""A guest's event that comes again with who it was counts once."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account, Identity, Member, Program
from tests.builders import make_channel, make_member, make_program, make_type
from tests.contracts.netcore.client import NetcoreClient, accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def retro(program):
    Program.objects.update(retro_points="all")
    return program


def balance(member):
    account = Account.objects.filter(member=member).first()
    return 0 if account is None else account.balance


@pytest.fixture
def events(item):
    """The guest's event, the same known, and the one that tells who the guest is."""
    return {
        "guest": item(identity=..., annonid="d1"),
        "known": item(identity="C-1"),
        "both": item(identity="C-1", annonid="d1"),
        "log-in": item(identity="C-1", annonid="d1", activity_name="Login"),
    }


ORDERS = [
    order
    for size in (3, 4)
    for order in itertools.permutations(("guest", "known", "both", "log-in"), size)
    if {"guest", "log-in"} <= set(order)
]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_one_by_one_in_any_order(retro, client, member, events, order):
    make_type(retro, "Login", reward_method="nothing", points=0)

    for name in order:
        accepted(client.upload(events[name]))

    assert balance(member) == 5
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_in_one_batch_in_any_order(retro, client, member, events, order):
    make_type(retro, "Login", reward_method="nothing", points=0)

    accepted(client.upload([events[name] for name in order]))
    accepted(client.upload([events[name] for name in reversed(order)]))

    assert balance(member) == 5
    assert list(ledger_mismatches()) == []


def test_an_event_that_comes_again_with_a_new_person_enrols_and_pays_once(
    retro, client, item
):
    accepted(client.upload(item(identity=..., annonid="d1")))

    accepted(client.upload(item(identity="new", annonid="d1")))
    accepted(client.upload(item(identity="new")))

    member = Identity.objects.get(value="new").member
    assert balance(member) == 5
    assert Activity.objects.count() == 1


def test_without_points_for_guests_the_event_stays_the_guests(client, member, item):
    accepted(client.upload(item(identity=..., annonid="d1")))
    accepted(client.upload(item(annonid="d1")))
    accepted(client.upload(item()))

    assert balance(member) == 0
    assert Activity.objects.get().member == member


def test_another_event_of_the_guest_still_counts(retro, client, member, item):
    accepted(client.upload(item(identity=..., annonid="d1")))
    accepted(client.upload(item(annonid="d1")))

    accepted(client.upload(item(asset_id="another")))
    accepted(client.upload(item(activity_params={"total_amount": 41})))

    assert balance(member) == 15


def test_the_same_words_of_another_guest_are_another_event(
    retro, client, program, member, item
):
    other = make_member(program, "C-2")
    accepted(client.upload(item(identity=..., annonid="d1")))
    accepted(client.upload(item(identity=..., annonid="d2")))
    accepted(client.upload(item(annonid="d1")))
    accepted(client.upload(item(identity="C-2", annonid="d2")))

    assert (balance(member), balance(other)) == (5, 5)


def test_an_identity_in_another_spelling_is_the_same_contact(client, program, item):
    Program.objects.update(primary_identity="phone", phone_region="DE")

    accepted(client.upload(item(identity="+49 170 1234567")))
    accepted(client.upload([item(identity="0170 1234567")] * 2))

    assert Activity.objects.count() == 1
    assert balance(Member.objects.get()) == 5


@pytest.mark.django_db(transaction=True)
def test_all_at_once_it_is_paid_once():
    program = make_program(retro_points="all")
    make_type(program, "Purchase", reward_method="fixed", points=5)
    make_type(program, "Login", reward_method="nothing", points=0)
    make_channel(program, "WEBSITE")
    member = make_member(program, "C-1")
    client = NetcoreClient(program)
    event = {
        "asset_id": "shop-1",
        "activity_name": "Purchase",
        "timestamp": "2026-03-04T12:00:00Z",
        "activity_source": "web",
        "activity_params": {"total_amount": 40},
    }
    sent = [
        {**event, "annonid": "d1"},
        {**event, "identity": "C-1"},
        {**event, "identity": "C-1", "annonid": "d1"},
        {**event, "identity": "C-1", "annonid": "d1", "activity_name": "Login"},
    ] * 4

    def upload(body):
        try:
            return client.upload(body).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(sent)) as pool:
        statuses = set(pool.map(upload, sent))
    assert {client.upload(one).status_code for one in sent} == {200}

    assert statuses == {200}
    assert balance(member) == 5
    assert list(ledger_mismatches()) == []
