"""Races between real threads on real connections."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from loyalty.models import Account, Entry, FrequencyPeriod, Identity
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_type,
    purchase,
    usage_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 16


def at_once(jobs):
    """Run the jobs in threads that start together; return their results."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture
def program(transactional_db):
    """A program in which a purchase pays 1 point per whole unit.

    The vocabulary that migrations ship is gone after another test's flush.
    """
    FrequencyPeriod.objects.get_or_create(
        pk=2, defaults={"name": "One Calendar Day", "unit": "calendar_day"}
    )
    program = make_program()
    make_type(program)
    return program


def test_the_same_key_from_many_writers_is_recorded_once(program):
    member = make_member(program)
    command = purchase(member, "5")

    outcomes = at_once(
        [lambda: record_activities(program.pk, [command], now=NOON)] * WRITERS
    )

    assert len({outcome[0].activity_id for outcome in outcomes}) == 1
    assert sum(not outcome[0].is_replay for outcome in outcomes) == 1
    assert Account.objects.get(member=member).balance == 5


def test_a_new_member_met_by_many_writers_is_enrolled_once(program):
    commands = [purchase("new", "5") for _ in range(WRITERS)]

    at_once(
        [
            lambda one=one: record_activities(
                program.pk, [one], now=NOON, may_enrol=True
            )
            for one in commands
        ]
    )

    member = Identity.objects.get(value="new").member
    assert Account.objects.get(member=member).balance == 5 * WRITERS


def test_a_cap_of_one_holds_under_many_writers(program):
    period = FrequencyPeriod.objects.get(pk=2)
    campaign = make_campaign(program, cap_count=1, frequency_period=period)
    member = make_member(program)
    commands = [purchase(member, "1") for _ in range(WRITERS)]

    at_once(
        [
            lambda one=one: record_activities(program.pk, [one], now=NOON)
            for one in commands
        ]
    )

    assert Entry.objects.filter(offer_id=campaign.pk).count() == 1
    assert Activity.objects.count() == WRITERS


def test_a_budget_is_given_to_the_last_point_and_no_further(program):
    campaign = make_campaign(program, points=7, points_budget=100)
    members = [make_member(program) for _ in range(WRITERS)]

    at_once(
        [
            lambda one=one: record_activities(
                program.pk, [purchase(one), purchase(one)], now=NOON
            )
            for one in members
        ]
    )

    paid = sum(
        Entry.objects.filter(offer_id=campaign.pk).values_list("amount", flat=True)
    )
    assert paid == 100
    assert usage_of(campaign)[0] == 100
    assert list(ledger_mismatches()) == []


def test_batches_over_the_same_members_in_any_order_never_deadlock(program):
    members = [make_member(program) for _ in range(20)]
    batches = [
        [purchase(one, "1") for one in (members if n % 2 else members[::-1])]
        for n in range(WRITERS)
    ]

    at_once(
        [
            lambda one=one: record_activities(program.pk, one, now=NOON)
            for one in batches
        ]
    )

    balances = set(Account.objects.filter(member__isnull=False).values_list("balance"))
    assert balances == {(WRITERS,)}
    assert list(ledger_mismatches()) == []


def test_an_activity_reversed_by_many_at_once_is_reversed_once(program):
    member = make_member(program)
    [outcome] = record_activities(program.pk, [purchase(member, "5")], now=NOON)

    undone = at_once(
        [
            lambda: reverse_activities(
                program.pk, [outcome.activity_id], now=NOON, reason="race"
            )
        ]
        * WRITERS
    )

    assert sum(map(len, undone)) == 1
    assert Account.objects.get(member=member).balance == 0


def test_a_campaign_switched_off_while_others_record_pays_nobody_afterwards(program):
    campaign = make_campaign(program)
    member = make_member(program)
    commands = [purchase(member, "1") for _ in range(WRITERS - 1)]

    def switch_off():
        campaign.is_enabled = False
        campaign.save()

    jobs = [
        lambda one=one: record_activities(program.pk, [one], now=NOON)
        for one in commands
    ]
    at_once([*jobs, switch_off])

    program.refresh_from_db()
    for activity in Activity.objects.all():
        paid = Entry.objects.filter(
            activity_id=activity.pk, offer_id=campaign.pk
        ).exists()
        is_newest = activity.decision["revision"] == program.configuration_revision
        assert paid is not is_newest
