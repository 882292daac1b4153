"""Quests over the native API: reading them, opting in, progress."""

import pytest

from activities.services import record_activities
from tests.builders import NOON, make_member, make_program, make_quest, make_type
from tests.builders import purchase as bought
from tests.callers import caller_for, pointers_in, problem_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def caller(program):
    return caller_for(program)


def test_a_quest_reads_with_its_requirements(caller, program):
    quest = make_quest(program, {"restricted_to_ids": ["tea"]}, name="Tea week")

    found = caller.get(f"quests/{quest.pk}").json()

    assert (found["name"], found["status"], found["points"]) == (
        "Tea week",
        "published",
        "100",
    )
    (requirement,) = found["requirements"]
    assert requirement["description"] == "Three purchases"
    assert requirement["restricted_to_ids"] == ["tea"]
    assert [one["id"] for one in caller.get("quests").json()["results"]] == [quest.pk]


def test_a_quest_of_another_program_is_not_found(caller):
    elsewhere = make_program()
    make_type(elsewhere)

    problem_in(caller.get(f"quests/{make_quest(elsewhere).pk}"), 404, "not_found")


def test_an_opt_in_and_its_progress(caller, program):
    member = make_member(program)
    quest = make_quest(program, opt_in_mode="by_call")

    taken = caller.post(f"quests/{quest.pk}/opt-in", {"member": member.pk})
    again = caller.post(f"quests/{quest.pk}/opt-in", {"member": member.pk})

    assert taken.status_code == 200, taken.content
    assert again.json() == taken.json()
    (found,) = caller.get(f"quests/progress?member={member.pk}").json()["results"]
    assert found == taken.json()
    assert (found["quest"], found["is_completed"], found["prize_at"]) == (
        quest.pk,
        False,
        None,
    )


def test_progress_tells_values_and_the_prize(caller, program):
    member = make_member(program)
    quest = make_quest(program, {"value_threshold": 2})
    record_activities(program.pk, [bought(member, "1"), bought(member, "1")], now=NOON)

    (found,) = caller.get(f"quests/progress?member={member.pk}").json()["results"]

    assert (found["is_completed"], found["prize_at"]) == (True, "2026-03-04T12:00:00Z")
    (step,) = found["progress"]
    assert step == {
        "requirement": quest.requirements.get().pk,
        "description": "Three purchases",
        "value": "2",
        "needed": "2",
        "fulfilled_at": "2026-03-04T12:00:00Z",
    }


@pytest.mark.parametrize(
    "body", [{}, [], {"member": "1"}, {"member": True}, {"member": 1, "x": 2}]
)
def test_an_opt_in_names_a_member_and_nothing_else(caller, program, body):
    response = caller.post(f"quests/{make_quest(program).pk}/opt-in", body)

    assert response.status_code == 400


def test_a_closed_quest_is_409_and_points_at_the_quest(caller, program):
    member = make_member(program)
    quest = make_quest(program, ends_at=NOON)

    problem = problem_in(
        caller.post(f"quests/{quest.pk}/opt-in", {"member": member.pk}),
        409,
        "quest_not_open",
    )

    assert problem["reason"] == "ended"
    assert pointers_in(problem) == [("/quest", "quest_not_open")]


def test_an_unknown_quest_is_404(caller, program):
    member = make_member(program)

    for number in (0, 10**17):
        problem_in(
            caller.post(f"quests/{number}/opt-in", {"member": member.pk}),
            404,
            "unknown_quest",
        )


@pytest.mark.parametrize("query", ["", "?member=", "?member=x", "?member=-1"])
def test_progress_needs_a_member_s_number(caller, query):
    assert caller.get(f"quests/progress{query}").status_code == 400


def test_progress_of_nobody_is_404(caller):
    problem_in(caller.get("quests/progress?member=1"), 404, "unknown_identity")


def test_a_list_costs_the_same_for_few_and_for_many(
    caller, program, django_assert_max_num_queries
):
    for _ in range(2):
        make_quest(program)
    with django_assert_max_num_queries(6):
        caller.get("quests")
    for _ in range(18):
        make_quest(program)
    with django_assert_max_num_queries(6):
        caller.get("quests")
