"""Spending, expiry, release and adjustment."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from activities.services import record_activities
from loyalty import ledger
from loyalty.models import Account, Entry, Lot, LotConsumption
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db


def earn(member, value: str, **fields) -> None:
    record_activities(member.program_id, [purchase(member, value, **fields)], now=NOON)


def member_with(wallet_fields: dict):
    program = make_program()
    make_type(program, wallet=make_wallet(program, **wallet_fields))
    return make_member(program)


def account(member) -> Account:
    return Account.objects.get(member=member)


def test_spending_takes_the_lot_that_expires_first_then_the_oldest():
    member = member_with({"expiry_model": "days", "expiry_count": 30})
    earn(member, "10", occurred_at=NOON)
    earn(member, "10", occurred_at=NOON - timedelta(days=5))

    ledger.spend(member, account(member).wallet_id, 15, at=NOON, reason="gift")

    remaining = Lot.objects.order_by("earned_at").values_list("remaining", flat=True)
    assert list(remaining) == [0, 5]
    assert account(member).balance == 5


def test_more_than_can_be_spent_is_refused_and_moves_nothing():
    member = member_with({})
    earn(member, "10")

    with pytest.raises(ledger.InsufficientPoints, match="10 can be spent"):
        ledger.spend(member, account(member).wallet_id, 11, at=NOON, reason="gift")

    assert account(member).balance == 10
    assert not LotConsumption.objects.exists()


def test_a_lot_is_gone_at_the_instant_it_expires_even_before_the_job_ran():
    member = member_with({"expiry_model": "days", "expiry_count": 30})
    earn(member, "10")
    expires_at = NOON + timedelta(days=30)

    with pytest.raises(ledger.InsufficientPoints):
        ledger.spend(member, account(member).wallet_id, 1, at=expires_at, reason="")

    just_before = expires_at - timedelta(microseconds=1)
    ledger.spend(member, account(member).wallet_id, 1, at=just_before, reason="")


def test_expiry_posts_what_is_left_once_at_its_own_instant():
    member = member_with({"expiry_model": "days", "expiry_count": 30})
    earn(member, "10")
    ledger.spend(member, account(member).wallet_id, 4, at=NOON, reason="gift")
    at = NOON + timedelta(days=40)

    counts = [ledger.expire_due(member.program_id, at=at) for _ in range(2)]

    entry = Entry.objects.get(kind="expiry")
    assert counts == [1, 0]
    assert (entry.amount, entry.occurred_at) == (6, NOON + timedelta(days=30))
    assert account(member).balance == 0
    assert list(ledger.mismatches()) == []


def test_pending_points_cannot_be_spent_until_they_are_released():
    member = member_with({"pending_days": 14})
    earn(member, "10")
    wallet_id = account(member).wallet_id
    assert (account(member).balance, account(member).pending) == (10, 10)

    with pytest.raises(ledger.InsufficientPoints):
        ledger.spend(member, wallet_id, 1, at=NOON, reason="gift")

    at = NOON + timedelta(days=14)
    assert ledger.release_due(member.program_id, at=at) == 1
    assert account(member).pending == 0
    ledger.spend(member, wallet_id, 10, at=at, reason="gift")
    assert list(ledger.mismatches()) == []


def test_activity_puts_the_expiry_by_inactivity_off():
    member = member_with({"expiry_model": "inactivity", "expiry_count": 3})
    earn(member, "10", occurred_at=NOON - timedelta(days=60))

    earn(member, "10", occurred_at=NOON)

    expiries = set(Lot.objects.values_list("expires_at", flat=True))
    assert expiries == {NOON.replace(month=6)}


def test_activity_does_not_revive_what_had_expired_by_then():
    member = member_with({"expiry_model": "inactivity", "expiry_count": 1})
    earn(member, "10", occurred_at=NOON - timedelta(days=60))

    earn(member, "10", occurred_at=NOON)

    assert Lot.objects.filter(expires_at__lt=NOON).count() == 1


@pytest.mark.parametrize("arrival", [(0, 1, 2), (0, 2, 1), (2, 1, 0), "at once"])
def test_expiry_by_inactivity_does_not_depend_on_the_order_of_arrival(arrival):
    member = member_with({"expiry_model": "inactivity", "expiry_count": 1})
    days = [NOON - timedelta(days=ago) for ago in (46, 23, 0)]

    if arrival == "at once":
        commands = [purchase(member, "1", occurred_at=day) for day in days]
        record_activities(member.program_id, commands, now=NOON)
    else:
        for place in arrival:
            earn(member, "1", occurred_at=days[place])

    expiries = set(Lot.objects.values_list("expires_at", flat=True))
    assert expiries == {NOON.replace(month=4)}


def test_goodwill_can_be_spent_but_earns_no_tier_score():
    member = member_with({})
    earn(member, "10")

    ledger.adjust(member, account(member).wallet_id, 5, at=NOON, reason="sorry")

    assert (account(member).balance, account(member).lifetime_earned) == (15, 10)
    assert list(ledger.mismatches()) == []


def test_a_mismatch_is_named():
    member = member_with({})
    earn(member, "10")
    Account.objects.filter(member=member).update(balance=11)

    found = list(ledger.mismatches())

    assert {one.where for one in found} == {f"account {account(member).pk}"}
    assert {(one.stored, one.expected) for one in found} == {(11, 10)}


@pytest.mark.parametrize("model", [Entry, LotConsumption])
def test_the_database_refuses_to_change_or_delete_what_was_posted(model):
    member = member_with({})
    earn(member, "10")
    ledger.spend(member, account(member).wallet_id, 4, at=NOON, reason="gift")
    table = model._meta.db_table

    for change in (f"UPDATE {table} SET amount = 1", f"DELETE FROM {table}"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)
