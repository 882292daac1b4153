"""An activity moves its member between segments of rules without a full look."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import Activity, SegmentRecheck
from activities.services import record_activities, reverse_activities
from activities.services.segments import recheck_members
from loyalty.models import SegmentMembership, SegmentRule
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_segment,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def buyers(program):
    segment = make_segment(program, kind="rules")
    SegmentRule.objects.create(
        segment=segment, fact="activity_count", number=Decimal(1)
    )
    return segment


def inside(segment):
    stays = SegmentMembership.objects.filter(segment=segment, left_at=None)
    return set(stays.values_list("member_id", flat=True))


def test_whoever_acts_is_looked_at(program, buyers):
    member, idle = make_member(program), make_member(program)
    record_activities(program.pk, [purchase(member, "1")], now=NOON)

    assert recheck_members(now=NOON) == 1

    assert inside(buyers) == {member.pk}
    assert idle.pk not in inside(buyers)


def test_nobody_is_looked_at_twice_for_one_activity(program, buyers):
    record_activities(program.pk, [purchase(make_member(program), "1")], now=NOON)
    recheck_members(now=NOON)

    assert recheck_members(now=NOON) == 0


def test_undoing_an_activity_moves_its_member_back(program, buyers):
    member = make_member(program)
    record_activities(program.pk, [purchase(member, "1")], now=NOON)
    recheck_members(now=NOON)
    reverse_activities(program.pk, [Activity.objects.get().pk], now=NOON, reason="x")

    recheck_members(now=NOON)

    assert inside(buyers) == set()


def test_a_refused_activity_leaves_nobody_waiting(program, buyers):
    record_activities(program.pk, [purchase("nobody", "1")], now=NOON)

    assert not SegmentRecheck.objects.exists()


def test_without_segments_of_rules_nobody_waits(program):
    record_activities(program.pk, [purchase(make_member(program), "1")], now=NOON)

    assert not SegmentRecheck.objects.exists()


def test_every_member_of_a_batch_waits(program, buyers):
    members = [make_member(program) for _ in range(5)]

    record_activities(program.pk, [purchase(one, "1") for one in members], now=NOON)

    waiting = SegmentRecheck.objects.values_list("member_id", flat=True)
    assert set(waiting) == {member.pk for member in members}


def test_programs_are_looked_at_in_one_order_so_that_nobody_waits_crosswise(buyers):
    other = make_program()
    make_type(other)
    rest = make_segment(other, kind="rules")
    # Somebody of the second program waits first.
    for segment in (rest, buyers):
        member = make_member(segment.program)
        command = purchase(member, "1")
        record_activities(segment.program_id, [command], now=NOON)

    with CaptureQueriesContext(connection) as queries:
        assert recheck_members(now=NOON) == 2

    locks = [one["sql"] for one in queries if "pg_advisory_xact_lock" in one["sql"]]
    assert locks[0].endswith(f", {buyers.pk})")
    assert locks[1].endswith(f", {rest.pk})")
