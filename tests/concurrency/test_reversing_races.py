"""Reversals that meet merges and budgets half-way: each waits for the other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest
from django.db import connection, transaction

from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from activities.services.merging import merge_profile
from campaigns.models import Campaign
from loyalty.models import Account
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

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def program(transactional_db):
    program = make_program(retro_points="all")
    make_type(program)
    return program


def record(program, *commands):
    outcomes = record_activities(program.pk, list(commands), now=LATER)
    return [outcome.activity_id for outcome in outcomes]


def reverse(program, *activity_ids):
    return reverse_activities(program.pk, activity_ids, now=LATER, reason="returned")


def begun_before_the_commit_of(first, second):
    """Do ``first``; start ``second`` in a thread before the commit; return both."""

    def run():
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            done = first()
            waiting = pool.submit(run)
            sleep(0.5)
        return done, waiting.result()


def test_reversing_while_the_actor_becomes_known_takes_back_what_that_pays(program):
    member = make_member(program)
    [activity_id] = record(program, purchase(None, "5", anonymous_id="cookie"))

    begun_before_the_commit_of(
        lambda: merge_profile(
            program.pk, "cookie", member.pk, now=LATER, source="test"
        ),
        lambda: reverse(program, activity_id),
    )

    assert Account.objects.get(member=member).balance == 0
    assert not list(ledger_mismatches())


def test_an_actor_who_becomes_known_while_it_is_reversed_is_paid_nothing(program):
    member = make_member(program)
    [activity_id] = record(program, purchase(None, "5", anonymous_id="cookie"))

    begun_before_the_commit_of(
        lambda: reverse(program, activity_id),
        lambda: merge_profile(
            program.pk, "cookie", member.pk, now=LATER, source="test"
        ),
    )

    assert not Account.objects.filter(member=member, balance__gt=0).exists()


def test_a_budget_opened_while_an_award_is_reversed_does_not_count_it(program):
    campaign = make_campaign(program, points=10)
    first, second = make_member(program), make_member(program)
    [activity_id] = record(program, purchase(first))
    Campaign.objects.filter(pk=campaign.pk).update(points_budget=100)

    begun_before_the_commit_of(
        lambda: reverse(program, activity_id),
        lambda: record(program, purchase(second)),
    )

    assert usage_of(campaign) == (10, 1)
