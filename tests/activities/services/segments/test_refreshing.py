"""Members enter and leave the segments that rules keep."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from activities.services import record_activities
from activities.services.segments import (
    refresh_members,
    refresh_segment,
    refresh_segments,
)
from loyalty.models import (
    Program,
    Segment,
    SegmentMembership,
    SegmentRule,
    SegmentState,
)
from loyalty.services.memberships import (
    SegmentKeptByRules,
    add_members,
    remove_members,
)
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_segment,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


def bought_at_least(program, count, **fields) -> Segment:
    segment = make_segment(program, kind="rules")
    SegmentRule.objects.create(
        segment=segment, fact="activity_count", number=Decimal(count), **fields
    )
    return segment


def buys(program, member, at=NOON):
    record_activities(program.pk, [purchase(member, "1", occurred_at=at)], now=at)


def stays(segment, member):
    rows = SegmentMembership.objects.filter(segment=segment, member=member)
    return list(rows.order_by("entered_at").values_list("entered_at", "left_at"))


def test_whoever_meets_the_rules_enters_when_they_are_looked_at(program):
    segment, member = bought_at_least(program, 1), make_member(program)
    buys(program, member)

    found = refresh_segment(segment, now=NOON + HOUR)

    assert found == (1, 1, 0)
    assert stays(segment, member) == [(NOON + HOUR, None)]


def test_a_second_look_changes_nothing(program):
    segment, member = bought_at_least(program, 1), make_member(program)
    buys(program, member)
    refresh_segment(segment, now=NOON + HOUR)

    found = refresh_segment(segment, now=NOON + 2 * HOUR)

    assert found == (1, 0, 0)
    assert stays(segment, member) == [(NOON + HOUR, None)]


def test_whoever_stops_to_meet_them_leaves_and_may_come_again(program):
    segment, member = bought_at_least(program, 1, days=1), make_member(program)
    buys(program, member)
    first, second = NOON + HOUR, NOON + timedelta(days=2)
    refresh_segment(segment, now=first)

    gone = refresh_segment(segment, now=second)
    buys(program, member, second)
    again = refresh_segment(segment, now=second + HOUR)

    assert (gone, again) == ((0, 0, 1), (1, 1, 0))
    assert stays(segment, member) == [(first, second), (second + HOUR, None)]


def test_a_stay_that_would_end_when_it_began_never_was(program):
    segment, member = bought_at_least(program, 1), make_member(program)
    buys(program, member)
    refresh_segment(segment, now=NOON)
    segment.rules.update(number=5)

    refresh_segment(segment, now=NOON)

    assert stays(segment, member) == []


def test_the_last_look_is_remembered(program):
    segment, member = bought_at_least(program, 1), make_member(program)
    buys(program, member)

    refresh_segment(segment, now=NOON)
    refresh_segment(segment, now=NOON + HOUR)

    state = SegmentState.objects.get()
    assert (state.refreshed_at, state.member_count) == (NOON + HOUR, 1)
    assert (state.entered_count, state.left_count) == (0, 0)


def test_a_look_is_no_change_of_the_configuration(program):
    segment = bought_at_least(program, 1)
    buys(program, make_member(program))
    before = Program.objects.get(pk=program.pk).configuration_revision

    refresh_segment(segment, now=NOON)

    assert Program.objects.get(pk=program.pk).configuration_revision == before


def test_a_rule_is_a_change_of_the_configuration(program):
    segment = bought_at_least(program, 1)
    before = Program.objects.get(pk=program.pk).configuration_revision

    segment.rules.update(number=2)

    assert Program.objects.get(pk=program.pk).configuration_revision > before


def test_segments_that_others_are_about_come_first(program):
    loyal = make_segment(program, kind="rules")
    bought = bought_at_least(program, 1)
    SegmentRule.objects.create(
        segment=loyal, fact="segment", comparison="equals", other_segment=bought
    )
    member = make_member(program)
    buys(program, member)

    refresh_segments(now=NOON)

    assert stays(loyal, member) == [(NOON, None)]


def test_fixed_segments_are_left_alone(program):
    member = make_member(program)
    fixed = make_segment(program, [member])

    refresh_segments(now=NOON)

    assert stays(fixed, member) == [(None, None)]


def test_a_single_member_is_brought_up_to_date_and_nobody_else(program):
    segment = bought_at_least(program, 1)
    one, other = make_member(program), make_member(program)
    buys(program, one)
    buys(program, other)

    refresh_members(program.pk, [one.pk], now=NOON)

    assert stays(segment, one) == [(NOON, None)]
    assert stays(segment, other) == []


def test_a_single_member_leaves_without_a_look_at_the_others(program):
    segment = bought_at_least(program, 1, days=1)
    one, other = make_member(program), make_member(program)
    buys(program, one)
    buys(program, other)
    refresh_segments(now=NOON)
    later = NOON + timedelta(days=3)

    refresh_members(program.pk, [one.pk], now=later)

    assert stays(segment, one) == [(NOON, later)]
    assert stays(segment, other) == [(NOON, None)]


def test_a_refresh_takes_as_many_queries_for_many_members_as_for_few(
    program, django_assert_num_queries
):
    segment = bought_at_least(program, 0)
    make_member(program)
    refresh_segment(segment, now=NOON)
    with CaptureQueriesContext(connection) as few:
        refresh_segment(segment, now=NOON)
    for _ in range(30):
        make_member(program)

    with django_assert_num_queries(len(few)):
        refresh_segment(segment, now=NOON + HOUR)


def test_people_cannot_put_members_where_rules_do(program):
    segment, member = bought_at_least(program, 1), make_member(program)

    with pytest.raises(SegmentKeptByRules, match="change the rules instead"):
        add_members(segment, [member.pk], NOON)
    with pytest.raises(SegmentKeptByRules):
        remove_members(segment, [member.pk], NOON)

    assert stays(segment, member) == []


def test_by_whom_a_segment_is_kept_cannot_change(program):
    segment = bought_at_least(program, 1)

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Segment.objects.filter(pk=segment.pk).update(kind="fixed")


def test_a_rule_cannot_reach_into_another_program(program):
    segment = bought_at_least(program, 1)
    foreign = make_segment(make_program())

    with pytest.raises(IntegrityError, match="another program"), transaction.atomic():
        SegmentRule.objects.create(
            segment=segment, fact="segment", comparison="equals", other_segment=foreign
        )
