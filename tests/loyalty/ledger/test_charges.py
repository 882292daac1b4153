"""Paying for something: which points go, and how far."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.models import Account, Entry, Lot
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db


def member_with(**wallet_fields):
    program = make_program()
    make_type(program, wallet=make_wallet(program, **wallet_fields))
    return make_member(program)


def earn(member, value, at=NOON):
    record_activities(
        member.program_id, [purchase(member, value, occurred_at=at)], now=at
    )


def pay(member, *amounts, at=NOON):
    """Pay in one transaction; return what could be spent before."""
    wallet_id = member.program.wallet_set.get().pk
    with transaction.atomic():
        programme = programme_for_update(member.program_id)
        ledger.lock_members([member.pk])
        holdings = ledger.holdings_of([member.pk])
        purse = ledger.Purse(programme, member.pk, holdings, {wallet_id}, at)
        (spendable,) = purse.spendable().values()
        journal = ledger.Journal(member.program_id, at)
        offer_id = make_campaign(member.program, context="internal").pk
        charges = [ledger.Charge(wallet_id, one, offer_id, 1) for one in amounts]
        purse.pay(charges, journal)
        ledger.post_awards(programme, [], holdings, at, journal)
    return spendable


def balance(member):
    return Account.objects.get(member=member).balance


def left():
    return list(Lot.objects.order_by("earned_at").values_list("remaining", flat=True))


def test_the_lot_that_expires_first_pays_first():
    member = member_with(expiry_model="days", expiry_count=30)
    earn(member, "10")
    earn(member, "10", at=NOON - timedelta(days=5))

    assert pay(member, 4, 9) == 20

    assert left() == [0, 7]
    assert balance(member) == 7
    amounts = Entry.objects.filter(kind="spend").values_list("amount", flat=True)
    assert sorted(amounts) == [4, 9]
    assert list(ledger.mismatches()) == []


def test_pending_points_do_not_pay():
    member = member_with(pending_days=5)
    earn(member, "10")

    with pytest.raises(ledger.InsufficientPoints, match="0 can be spent"):
        pay(member, 1)

    assert balance(member) == 10
    assert not Entry.objects.filter(kind="spend").exists()


def test_expired_points_do_not_pay_even_before_their_expiry_is_posted():
    member = member_with(expiry_model="days", expiry_count=5)
    earn(member, "10")
    at = NOON + timedelta(days=5)
    earn(member, "3", at=at)

    with pytest.raises(ledger.InsufficientPoints, match="3 can be spent"):
        pay(member, 4, at=at)
    assert pay(member, 3, at=at) == 3

    assert left() == [10, 0]
    assert list(ledger.mismatches()) == []


def test_of_two_prices_that_only_one_can_be_paid_none_is():
    member = member_with()
    earn(member, "10")

    with pytest.raises(ledger.InsufficientPoints):
        pay(member, 6, 6)

    assert balance(member) == 10
    assert not Entry.objects.filter(kind="spend").exists()


def test_a_wallet_that_was_never_used_is_empty():
    with pytest.raises(ledger.InsufficientPoints, match="0 can be spent"):
        pay(member_with(), 1)


def test_overdraft_takes_what_is_free_then_pending_then_nothing():
    member = member_with(allows_negative=True, pending_days=5)
    earn(member, "10")
    earn(member, "5", at=NOON - timedelta(days=5))
    ledger.release_due(member.program_id, at=NOON)

    assert pay(member, 7) is None
    assert (left(), balance(member)) == ([0, 8], 8)
    pay(member, 20)

    account = Account.objects.get(member=member)
    assert (left(), account.balance, account.pending) == ([0, 0], -12, 0)
    assert list(ledger.mismatches()) == []


def test_overdraft_posts_what_has_expired_first():
    member = member_with(allows_negative=True, expiry_model="days", expiry_count=5)
    earn(member, "10")

    pay(member, 4, at=NOON + timedelta(days=6))

    assert balance(member) == -4
    expiry = Entry.objects.get(kind="expiry")
    assert (expiry.amount, expiry.occurred_at) == (10, NOON + timedelta(days=5))
    assert list(ledger.mismatches()) == []


def test_overdraft_of_a_wallet_that_was_never_used_opens_it():
    member = member_with(allows_negative=True)

    pay(member, 4)
    earn(member, "10")

    assert (left(), balance(member)) == ([6], 6)
    assert list(ledger.mismatches()) == []


steps = st.one_of(
    st.tuples(st.just("earn"), st.integers(0, 200)),
    st.tuples(st.just("pay"), st.integers(1, 150)),
    st.tuples(st.just("reverse"), st.integers(0, 6)),
    st.tuples(st.just("expire"), st.integers(0, 40)),
    st.tuples(st.just("release"), st.integers(0, 40)),
)


def take(step, member, day):
    kind, argument = step
    at = NOON + timedelta(days=day)
    if kind == "earn":
        earn(member, str(argument), at=at)
    elif kind == "pay":
        before = Entry.objects.count()
        try:
            spendable = pay(member, argument, at=at)
        except ledger.InsufficientPoints:
            assert Entry.objects.count() == before
        else:
            assert spendable is None or spendable >= argument
    elif kind == "reverse":
        activities = Activity.objects.filter(member=member).order_by("pk")
        ids = activities.values_list("pk", flat=True)[argument : argument + 1]
        reverse_activities(member.program_id, list(ids), now=at, reason="return")
    elif kind == "expire":
        ledger.expire_due(member.program_id, at=at + timedelta(days=argument))
    else:
        ledger.release_due(member.program_id, at=at + timedelta(days=argument))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    may_overdraw=st.booleans(),
    pending_days=st.sampled_from([0, 5]),
    expires=st.booleans(),
    sequence=st.lists(steps, max_size=12),
)
def test_the_ledger_adds_up_after_any_payments(
    may_overdraw, pending_days, expires, sequence
):
    expiry = {"expiry_model": "days", "expiry_count": 20} if expires else {}
    member = member_with(
        allows_negative=may_overdraw, pending_days=pending_days, **expiry
    )

    for day, step in enumerate(sequence):
        take(step, member, day)

    # The payments here are for nothing that any record tells.
    assert [one for one in ledger_mismatches() if "price" not in one.law] == []
    account = Account.objects.filter(member=member).first()
    assert account is None or account.balance >= 0 or may_overdraw
