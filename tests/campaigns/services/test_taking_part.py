"""Opting in to quests, and how far a member is told to be."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.services import record_activities, reverse_activities
from campaigns.models import Quest, QuestOptIn
from campaigns.services.taking_part import (
    BlockedParticipant,
    QuestCompleted,
    QuestNotOpen,
    QuestPrizesGone,
    UnknownParticipant,
    UnknownQuest,
    opt_in,
    participations_of,
)
from loyalty.models import Program
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_quest,
    make_segment,
    make_tier,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def program() -> Program:
    """A program in which a purchase pays nothing by itself."""
    program = make_program()
    make_type(program, points=0)
    return program


def by_call(program: Program, *requirements, **fields) -> Quest:
    return make_quest(program, *requirements, opt_in_mode="by_call", **fields)


def shop(program: Program, member, *hours: float) -> list[int]:
    outcomes = record_activities(
        program.pk,
        [
            purchase(
                member,
                "1",
                occurred_at=NOON + hour * HOUR,
                received_at=NOON + 99 * HOUR,
            )
            for hour in hours
        ],
        now=NOON,
    )
    return [one.activity_id for one in outcomes]


def test_from_the_call_on_activities_count(program):
    member, quest = make_member(program), by_call(program)

    taken = opt_in(program.pk, member.pk, quest.pk, now=NOON)
    shop(program, member, -1, 1, 2)

    (told,) = participations_of(program.pk, member.pk)
    assert (told.id, told.quest.id, told.opted_in_at) == (taken.id, quest.pk, NOON)
    assert [one.value for one in told.progress] == [20_000]
    assert (told.updated_at, told.ends_at) == (NOON + 2 * HOUR, None)
    assert not told.is_completed


def test_a_second_call_goes_on_with_the_first(program):
    member, quest = make_member(program), by_call(program)
    first = opt_in(program.pk, member.pk, quest.pk, now=NOON)

    second = opt_in(program.pk, member.pk, quest.pk, now=NOON + HOUR)

    assert second.id == first.id
    assert QuestOptIn.objects.count() == 1


def test_the_opt_in_ends_with_its_time_or_with_the_quest(program):
    member = make_member(program)
    fields = {"time_to_complete_minutes": 60}
    timed = by_call(program, **fields)
    cut = by_call(program, ends_at=NOON + 5 * MINUTE, **fields)

    ends = [
        opt_in(program.pk, member.pk, quest.pk, now=NOON).ends_at
        for quest in (timed, cut)
    ]

    assert ends == [NOON + HOUR, NOON + 5 * MINUTE]


def test_when_the_time_is_over_a_call_starts_anew(program):
    member = make_member(program)
    quest = by_call(program, time_to_complete_minutes=60)
    first = opt_in(program.pk, member.pk, quest.pk, now=NOON)
    shop(program, member, 0.5)

    second = opt_in(program.pk, member.pk, quest.pk, now=NOON + HOUR)

    assert second.id != first.id
    assert [one.value for one in second.progress] == [0]
    old, _ = participations_of(program.pk, member.pk)
    assert not old.is_open_at(NOON + HOUR)


def test_a_completed_quest_can_be_joined_again_as_often_as_allowed(program):
    member = make_member(program)
    quest = by_call(program, {"value_threshold": 1}, completions_per_member=2)
    for hour in (0, 2):
        opt_in(program.pk, member.pk, quest.pk, now=NOON + hour * HOUR)
        shop(program, member, hour + 1)

    with pytest.raises(QuestCompleted):
        opt_in(program.pk, member.pk, quest.pk, now=NOON + 4 * HOUR)

    told = participations_of(program.pk, member.pk)
    assert [one.prize_at for one in told] == [NOON + HOUR, NOON + 3 * HOUR]


def test_the_next_opt_in_starts_after_the_activity_that_completed_the_last(program):
    member = make_member(program)
    quest = by_call(program, {"value_threshold": 1}, completions_per_member=None)
    opt_in(program.pk, member.pk, quest.pk, now=NOON)
    shop(program, member, 0.5)

    second = opt_in(program.pk, member.pk, quest.pk, now=NOON + MINUTE)
    again = opt_in(program.pk, member.pk, quest.pk, now=NOON + 2 * MINUTE)

    assert second.opted_in_at > NOON + HOUR / 2
    assert again.id == second.id


def test_an_automatic_quest_says_how_far_the_run_under_way_is(program):
    member = make_member(program)
    make_quest(program, completions_per_member=None)
    shop(program, member, -5, -4, -3, -2)

    (told,) = participations_of(program.pk, member.pk)

    assert [one.value for one in told.progress] == [10_000]
    assert (told.is_completed, told.prize_at) == (False, None)


def test_an_automatic_quest_can_be_joined_by_call_before_anything_counts(program):
    member, quest = make_member(program), make_quest(program)

    taken = opt_in(program.pk, member.pk, quest.pk, now=NOON)
    shop(program, member, -1)

    (told,) = participations_of(program.pk, member.pk)
    assert told.id == taken.id
    assert [one.value for one in told.progress] == [10_000]


def test_without_a_prize_left_a_completed_run_has_none(program):
    quest = make_quest(program, {"value_threshold": 1}, completions_total=1)
    first, second = make_member(program), make_member(program)
    shop(program, first, -2)
    shop(program, second, -1)

    (told,) = participations_of(program.pk, second.pk)

    assert (told.is_completed, told.prize_at) == (True, None)
    assert quest.pk == told.quest.id


def test_a_reversed_activity_gives_its_progress_back(program):
    member = make_member(program)
    make_quest(program)
    first, _, _ = shop(program, member, -3, -2, -1)

    reverse_activities(program.pk, [first], now=NOON, reason="returned")

    (told,) = participations_of(program.pk, member.pk)
    assert [one.value for one in told.progress] == [20_000]
    assert told.prize_at is None


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_a_published_quest_can_be_joined(program, status):
    quest = by_call(program, status=status)

    with pytest.raises(UnknownQuest):
        opt_in(program.pk, make_member(program).pk, quest.pk, now=NOON)


def test_a_quest_of_another_program_is_unknown(program):
    elsewhere = make_program()
    make_type(elsewhere)

    with pytest.raises(UnknownQuest):
        opt_in(program.pk, make_member(program).pk, by_call(elsewhere).pk, now=NOON)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"starts_at": NOON + MINUTE}, "not_started"),
        pytest.param({"ends_at": NOON}, "ended"),
    ],
)
def test_a_quest_is_joined_within_its_dates(program, fields, reason):
    quest = by_call(program, **fields)

    with pytest.raises(QuestNotOpen) as refused:
        opt_in(program.pk, make_member(program).pk, quest.pk, now=NOON)

    assert refused.value.facts == {"reason": reason}


def test_a_quest_is_joined_by_its_audience(program):
    inside, outside = make_member(program), make_member(program)
    quest = by_call(program, included_segments=[make_segment(program, [inside])])
    high = by_call(program, minimum_tier=make_tier(program, "Gold", 100))

    assert opt_in(program.pk, inside.pk, quest.pk, now=NOON).id
    with pytest.raises(QuestNotOpen, match="in none of its segments"):
        opt_in(program.pk, outside.pk, quest.pk, now=NOON)
    with pytest.raises(QuestNotOpen, match="below a score of 100"):
        opt_in(program.pk, inside.pk, high.pk, now=NOON)


def test_a_quest_without_prizes_left_is_not_joined(program):
    quest = by_call(program, {"value_threshold": 1}, completions_total=1)
    first, second = make_member(program), make_member(program)
    opt_in(program.pk, first.pk, quest.pk, now=NOON)
    shop(program, first, 1)

    with pytest.raises(QuestPrizesGone):
        opt_in(program.pk, second.pk, quest.pk, now=NOON + 2 * HOUR)


def test_strangers_and_blocked_members_do_not_take_part(program):
    quest = by_call(program)
    stranger = make_member(make_program())
    blocked = make_member(program, is_blocked=True)

    with pytest.raises(UnknownParticipant):
        opt_in(program.pk, stranger.pk, quest.pk, now=NOON)
    with pytest.raises(BlockedParticipant):
        opt_in(program.pk, blocked.pk, quest.pk, now=NOON)


def test_reading_costs_the_same_for_few_and_for_many(program):
    member = make_member(program)
    make_quest(program)

    def cost() -> int:
        shop(program, member, -1)
        participations_of(program.pk, member.pk)
        with CaptureQueriesContext(connection) as captured:
            participations_of(program.pk, member.pk)
        return len(captured)

    few = cost()
    for _ in range(9):
        make_quest(program)

    assert cost() == few


def test_a_number_of_prizes_set_after_the_last_was_given_lets_nobody_in(program):
    winner, late = make_member(program), make_member(program)
    quest = make_quest(program)
    commands = [purchase(winner, "1") for _ in range(3)]
    record_activities(program.pk, commands, now=NOON)
    Quest.objects.filter(pk=quest.pk).update(completions_total=1)

    with pytest.raises(QuestPrizesGone):
        opt_in(program.pk, late.pk, quest.pk, now=NOON)
