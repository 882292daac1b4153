"""Laws of the ledger that hold after any sequence of movements."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from loyalty import ledger
from loyalty.models import Account, Entry
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_tier,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db

few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

values = st.integers(0, 200).map(str)
steps = st.one_of(
    st.tuples(st.just("earn"), values),
    st.tuples(st.just("spend"), st.integers(1, 150)),
    st.tuples(st.just("reverse"), st.integers(0, 10)),
    st.tuples(st.just("expire"), st.integers(0, 60)),
    st.tuples(st.just("release"), st.integers(0, 60)),
    st.tuples(st.just("adjust"), st.integers(1, 50)),
)
wallets = st.fixed_dictionaries(
    {
        "allows_negative": st.booleans(),
        "pending_days": st.sampled_from([0, 5]),
    },
    optional={"expiry_model": st.just("days"), "expiry_count": st.just(20)},
).filter(lambda one: ("expiry_model" in one) == ("expiry_count" in one))


def take(step, member, wallet, day):
    """Do one step; whatever it refuses, it must move nothing."""
    kind, argument = step
    at = NOON + timedelta(days=day)
    if kind == "earn":
        command = purchase(member, argument, occurred_at=at)
        record_activities(member.program_id, [command], now=at)
    elif kind == "spend":
        try:
            ledger.spend(member, wallet.pk, argument, at=at, reason="gift")
        except ledger.InsufficientPoints:
            pass
    elif kind == "reverse":
        activities = Activity.objects.filter(member=member).order_by("pk")
        ids = activities.values_list("pk", flat=True)[argument : argument + 1]
        reverse_activities(member.program_id, list(ids), now=at, reason="return")
    elif kind == "expire":
        ledger.expire_due(member.program_id, at=at + timedelta(days=argument))
    elif kind == "release":
        ledger.release_due(member.program_id, at=at + timedelta(days=argument))
    else:
        ledger.adjust(member, wallet.pk, argument, at=at, reason="sorry")


@few
@given(wallet_fields=wallets, sequence=st.lists(steps, max_size=12))
def test_the_ledger_adds_up_after_any_sequence(wallet_fields, sequence):
    program = make_program()
    wallet = make_wallet(program, **wallet_fields)
    make_type(program, wallet=wallet)
    make_campaign(program, wallet=wallet, points=7, points_budget=40)
    make_tier(program, "Gold", 100)
    member = make_member(program)

    for day, step in enumerate(sequence):
        take(step, member, wallet, day)

    assert list(ledger_mismatches()) == []
    if not wallet_fields["allows_negative"]:
        assert all(one.balance >= 0 for one in Account.objects.filter(member=member))


@few
@given(amounts=st.lists(values, min_size=1, max_size=8), seed=st.randoms())
def test_a_batch_in_any_order_posts_the_same_where_no_cap_applies(amounts, seed):
    program = make_program()
    make_type(program)
    shuffled = list(amounts)
    seed.shuffle(shuffled)
    one, other = make_member(program), make_member(program)

    for member, batch in ((one, amounts), (other, shuffled)):
        record_activities(
            program.pk, [purchase(member, value) for value in batch], now=NOON
        )

    balances = [
        sum(Account.objects.filter(member=member).values_list("balance", flat=True))
        for member in (one, other)
    ]
    assert balances[0] == balances[1] == sum(map(int, amounts))


@few
@given(amounts=st.lists(values, min_size=1, max_size=8))
def test_a_repeated_batch_posts_nothing(amounts):
    program = make_program()
    make_type(program)
    make_campaign(program, points=7)
    member = make_member(program)
    commands = [purchase(member, value) for value in amounts]
    record_activities(program.pk, commands, now=NOON)
    count = Entry.objects.count()

    outcomes = record_activities(program.pk, commands[::-1], now=NOON)

    assert all(outcome.is_replay for outcome in outcomes)
    assert Entry.objects.count() == count
