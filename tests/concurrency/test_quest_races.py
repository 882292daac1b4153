"""Races for the prizes of quests, on real connections."""

import pytest

from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from campaigns.models import QuestContribution, QuestOptIn
from campaigns.services.taking_part import opt_in
from loyalty.models import Account, Completion
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_quest,
    make_type,
    usage_of,
)
from tests.builders import purchase as bought
from tests.concurrency.test_recording_races import WRITERS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def program(transactional_db):
    """A program in which a purchase pays nothing by itself."""
    program = make_program()
    make_type(program, points=0)
    return program


def record(program, member):
    command = bought(member, "1")
    return lambda: record_activities(program.pk, [command], now=NOON)[0].activity_id


def test_one_prize_for_many_activities_at_once(program):
    member = make_member(program)
    make_quest(program)

    at_once([record(program, member) for _ in range(WRITERS)])

    assert Account.objects.get(member=member).balance == 100
    assert QuestContribution.objects.count() == WRITERS
    assert QuestOptIn.objects.count() == 1
    assert list(ledger_mismatches()) == []


def test_the_last_prize_is_given_once(program):
    quest = make_quest(program, {"value_threshold": 1}, completions_total=3)
    members = [make_member(program) for _ in range(WRITERS)]

    at_once([record(program, member) for member in members])

    assert Completion.objects.filter(offer=quest.pk).count() == 3
    assert usage_of(quest) == (300, 3)
    assert list(ledger_mismatches()) == []


def test_recording_and_reversing_at_once_leaves_what_the_rest_holds(program):
    member = make_member(program)
    make_quest(program, completions_per_member=None)
    ids = [record(program, member)() for _ in range(9)]

    def undo(activity_id):
        return lambda: reverse_activities(
            program.pk, [activity_id], now=NOON, reason="returned"
        )

    at_once(
        [undo(one) for one in ids[:6]] + [record(program, member) for _ in range(6)]
    )

    assert Account.objects.get(member=member).balance == 300
    assert list(ledger_mismatches()) == []


def test_opting_in_many_times_at_once_opts_in_once(program):
    member = make_member(program)
    quest = make_quest(program, opt_in_mode="by_call")

    found = at_once(
        [lambda: opt_in(program.pk, member.pk, quest.pk, now=NOON)] * WRITERS
    )

    assert len({one.id for one in found}) == 1
    assert QuestOptIn.objects.count() == 1
