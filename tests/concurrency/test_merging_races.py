"""Anonymous people who become known while they act."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from activities.models import Activity, ProfileMerge
from activities.reports import ledger_mismatches
from activities.services import record_activities
from activities.services.merging import merge_profile
from loyalty.models import Account, AnonymousProfile, Member
from tests.builders import NOON, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOON + timedelta(hours=2)
THREADS = 12


def at_once(call, count=THREADS):
    """Let every thread make the call, all starting together; return the results."""
    barrier = Barrier(count)

    def run(place):
        barrier.wait()
        try:
            return call(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def program(transactional_db):
    program = make_program(retro_points="all")
    make_type(program)
    return program


def record(program, *commands, may_enrol=False):
    return record_activities(program.pk, list(commands), now=LATER, may_enrol=may_enrol)


def seen(value, name="cookie-1"):
    return purchase(None, value, anonymous_id=name)


def test_many_merges_of_one_profile_pay_once_and_agree(program):
    members = [make_member(program) for _ in range(THREADS)]
    record(program, *[seen("5") for _ in range(10)])

    logs = at_once(
        lambda place: merge_profile(
            program.pk, "cookie-1", members[place].pk, now=LATER, source="test"
        )
    )

    assert len({one.member_id for one in logs}) == 1
    assert sum(one.balance for one in Account.objects.filter(kind="member")) == 50
    assert not Activity.objects.filter(member=None).exists()
    assert not list(ledger_mismatches())


def test_many_members_that_claim_one_profile_while_recording_pay_for_it_once(program):
    members = [make_member(program) for _ in range(THREADS)]
    record(program, *[seen("5") for _ in range(10)])

    at_once(
        lambda place: record(
            program, purchase(members[place], "1", anonymous_id="cookie-1")
        )
    )

    assert ProfileMerge.objects.get().activity_count == 10
    accounts = Account.objects.filter(kind="member")
    assert sorted(one.balance for one in accounts) == [*[1] * (THREADS - 1), 51]


def test_nothing_is_left_behind_by_who_acts_while_being_merged(program):
    member = make_member(program, "jo")
    record(program, seen("1"))

    def act(place):
        if place == THREADS // 2:
            return record(program, purchase("jo", "1", anonymous_id="cookie-1"))
        return record(program, seen("1"))

    at_once(act)

    assert not Activity.objects.filter(member=None).exists()
    assert Account.objects.get(member=member).balance == THREADS + 1
    assert not list(ledger_mismatches())


def test_new_identities_that_share_a_new_profile_are_enrolled_once_each(program):
    at_once(
        lambda place: record(
            program,
            purchase(f"new-{place % 3}", "1", anonymous_id=f"cookie-{place % 2}"),
            may_enrol=True,
        )
    )

    assert Member.objects.count() == 3
    assert AnonymousProfile.objects.exclude(merged_into=None).count() == 2
    assert ProfileMerge.objects.count() == 2
    assert Activity.objects.count() == THREADS


def test_batches_that_name_members_and_profiles_crosswise_do_not_block(program):
    for name in ("a", "b", "c"):
        make_member(program, name)

    def act(place):
        names = ["a", "b", "c"] if place % 2 else ["c", "b", "a"]
        return record(
            program,
            *[seen("1", f"cookie-{name}") for name in names],
            *[purchase(name, "1", anonymous_id=f"cookie-{name}") for name in names],
        )

    at_once(act)

    accounts = Account.objects.filter(kind="member")
    assert [one.balance for one in accounts] == [2 * THREADS] * 3
    assert not list(ledger_mismatches())
