"""Amounts beyond what a program takes for plausible are refused with the figure."""

from decimal import Decimal

import pytest

from activities.models import Activity
from activities.services import Line, record_activities, simulate_activities
from loyalty.models import Program
from tests.activities.uploads.files import checked, refusals
from tests.builders import NOON, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program(
        line_value_max=100,
        activity_value_max=500,
        line_quantity_max=50,
        activity_points_max=400,
    )
    make_type(program)
    make_type(program, "BIG", reward_method="fixed", points=401)
    return program


@pytest.mark.parametrize(
    ("value", "lines", "fields", "figures"),
    [
        pytest.param("500.01", (), {}, ("500.01", "500"), id="value"),
        pytest.param("-501", (), {}, ("-501", "500"), id="a return"),
        pytest.param(
            "9", (Line("pen", 1_000_001),), {}, ("100.0001", "100"), id="line"
        ),
        pytest.param("9", (Line("pen", 1, "51"),), {}, ("51", "50"), id="quantity"),
        pytest.param("9", (Line("pen", 1, "-51"),), {}, ("-51", "50"), id="back"),
        pytest.param("450", (), {}, ("450", "400"), id="points by value"),
        pytest.param("1", (), {"activity_type": "BIG"}, ("401", "400"), id="points"),
    ],
)
def test_beyond_the_bounds_is_refused_with_the_figure(
    program, value, lines, fields, figures
):
    command = purchase(make_member(program), value, lines=lines, **fields)

    [refused] = record_activities(program.pk, [command], now=NOON)
    [tried] = simulate_activities(program.pk, [command], now=NOON)

    assert refused.error.code == tried.error.code == "implausible"
    assert all(figure in refused.error.message for figure in figures)
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        pytest.param("400", (), id="value and points"),
        pytest.param("9", (Line("pen", 1_000_000, "50"),), id="line"),
    ],
)
def test_the_bounds_themselves_are_plausible(program, value, lines):
    command = purchase(make_member(program), value, lines=lines)

    [outcome] = record_activities(program.pk, [command], now=NOON)

    assert outcome.decision.awards


def test_others_of_the_batch_stand(program):
    member = make_member(program)

    outcomes = record_activities(
        program.pk, [purchase(member, "9999"), purchase(member, "5")], now=NOON
    )

    assert hasattr(outcomes[0], "error")
    assert Activity.objects.get().value == 5


def test_a_replay_is_answered_though_the_bounds_are_closer_now(program):
    command = purchase(make_member(program), "300")
    [first] = record_activities(program.pk, [command], now=NOON)
    Program.objects.filter(pk=program.pk).update(activity_value_max=10)

    [again] = record_activities(program.pk, [command], now=NOON)

    assert (again.is_replay, again.activity_id) == (True, first.activity_id)


def test_a_file_refuses_the_row(program):
    make_member(program, "ann")
    upload = checked(
        program,
        "key,member,occurred_at,type,value\n"
        "a,ann,2026-03-04T12:00:00Z,PURCHASE,5\n"
        "b,ann,2026-03-04T12:00:00Z,PURCHASE,5000\n",
    )

    assert refusals(upload) == [(3, "value", "implausible")]


def test_a_new_program_has_bounds():
    program = Program.objects.create(code="new", name="New")

    assert program.line_value_max == Decimal(1_000_000)
    assert program.activity_points_max == 1_000_000
