"""The end never depends on when the regular work, expiry and release, has run."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from loyalty import ledger
from loyalty.models import Account, Lot, Member
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_tier,
    make_type,
    make_wallet,
    purchase,
    wallet_of,
)

pytestmark = pytest.mark.django_db


def a_member(**wallet_fields):
    program = make_program()
    make_type(program, wallet=make_wallet(program, code="own", **wallet_fields))
    make_tier(program, "Gold", 100)
    return make_member(program)


def day(number):
    return NOON + timedelta(days=number)


def earn(member, value, on, arrives=None):
    """Record what happened on a day; return its number."""
    command = purchase(member, str(value), occurred_at=day(on))
    at = day(on if arrives is None else arrives)
    (outcome,) = record_activities(member.program_id, [command], now=at)
    return outcome.activity_id


def reverse(member, activity_id, on):
    reverse_activities(member.program_id, [activity_id], now=day(on), reason="return")


def work(member, on):
    """Do what the regular work does."""
    while ledger.expire_due(member.program_id, at=day(on)):
        pass
    while ledger.release_due(member.program_id, at=day(on)):
        pass


def sums(member):
    account = Account.objects.get(member=member)
    return account.balance, account.owed, account.lifetime_earned


@pytest.mark.parametrize("works", [True, False], ids=["work ran", "work did not run"])
def test_what_had_expired_of_an_award_is_not_taken_again_from_others(works):
    member = a_member(expiry_model="days", expiry_count=5)
    first = earn(member, 100, on=0)
    earn(member, 100, on=4)
    if works:
        work(member, on=6)

    reverse(member, first, on=6)

    assert sums(member) == (100, 0, 100)
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("works", [True, False], ids=["work ran", "work did not run"])
def test_what_had_expired_of_an_award_is_not_owed(works):
    member = a_member(expiry_model="days", expiry_count=5)
    first = earn(member, 100, on=0)
    ledger.spend(member, Lot.objects.get().account.wallet_id, 60, at=day(1), reason="")
    if works:
        work(member, on=6)

    reverse(member, first, on=6)
    owed = sums(member)
    earn(member, 100, on=7)

    assert owed == (0, 60, 0)
    assert sums(member) == (40, 0, 100)
    assert list(ledger_mismatches()) == []


def test_a_late_activity_brings_back_what_had_expired_only_without_it():
    member = a_member(expiry_model="inactivity", expiry_count=1)
    earn(member, 100, on=0)
    earn(member, 100, on=50)
    work(member, on=50)
    before = sums(member)

    earn(member, 100, on=25, arrives=51)

    assert (before[0], sums(member)[0]) == (100, 300)
    assert set(Lot.objects.values_list("remaining", flat=True)) == {100}
    assert len(set(Lot.objects.values_list("expires_at", flat=True))) == 1
    assert list(ledger_mismatches()) == []


wallets = st.fixed_dictionaries(
    {
        "allows_negative": st.booleans(),
        "pending_days": st.sampled_from([0, 3]),
        "expiry_model": st.sampled_from(["days", "inactivity"]),
        "expiry_count": st.just(1),
    }
).map(lambda one: {**one, "expiry_count": 6 if one["expiry_model"] == "days" else 1})
points = st.integers(1, 120)
steps = st.one_of(
    st.tuples(st.just("earn"), points, st.sampled_from([0, 0, 0, 4, 20, 45])),
    st.tuples(st.just("spend"), points, st.just(0)),
    st.tuples(st.just("withdraw"), points, st.just(0)),
    st.tuples(st.just("adjust"), points, st.just(0)),
    st.tuples(st.just("reverse"), st.integers(0, 6), st.just(0)),
)
lives = st.lists(st.tuples(st.sampled_from([0, 1, 3, 7, 20]), steps), max_size=12)


def live(member, life, *, works):
    """Live a life of (days until, step); return what it comes to."""
    wallet_id = wallet_of(member.program).pk
    earned, today = [], 0
    for days, (kind, argument, late_by) in life:
        today += days
        if works:
            work(member, today)
        if kind == "earn":
            earned.append(earn(member, argument, today - late_by, arrives=today))
        elif kind == "reverse":
            reverse(member, earned[argument] if argument < len(earned) else 0, today)
        else:
            try:
                move = getattr(ledger.movements, kind)
                move(member, wallet_id, argument, at=day(today), reason="why")
            except ledger.InsufficientPoints:
                pass
        if works:
            work(member, today)
    work(member, today)
    return state_of(member)


def state_of(member):
    sums = ("balance", "pending", "lifetime_earned", "owed")
    lot = ("amount", "remaining", "earned_at", "available_at", "expires_at")
    accounts = {row["pk"]: row for row in member.accounts.values("pk", *sums)}
    lots = Lot.objects.filter(account__in=list(accounts)).values(
        "pk", *lot, "is_pending"
    )
    in_order = sorted(lots, key=lambda row: row["pk"])
    return {
        "accounts": [[row[one] for one in sums] for row in accounts.values()],
        "lots": [[row[one] for one in (*lot, "is_pending")] for row in in_order],
        "tier": Member.objects.get(pk=member.pk).tier_id is not None,
        "activities": Activity.objects.filter(member=member).count(),
    }


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wallet_fields=wallets, life=lives)
@example(
    wallet_fields={"expiry_model": "inactivity", "expiry_count": 1},
    life=[
        (0, ("earn", 100, 0)),
        (45, ("earn", 100, 0)),
        (1, ("earn", 100, 20)),
        (1, ("reverse", 0, 0)),
        (0, ("spend", 150, 0)),
    ],
)
def test_work_at_every_step_and_work_at_the_end_come_to_the_same(wallet_fields, life):
    always, once = a_member(**wallet_fields), a_member(**wallet_fields)

    states = [live(always, life, works=True), live(once, life, works=False)]

    assert states[0] == states[1]
    assert list(ledger_mismatches()) == []
