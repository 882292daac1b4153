"""Draws are kept so that anybody can draw them again, and a forged one is named."""

from datetime import timedelta
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from activities.models import Draw
from activities.services import (
    record_activities,
    reverse_activities,
    simulate_activities,
)
from loyalty.models import Completion, Entry
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_voucher_type,
    purchase,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def campaign(program):
    """A draw among points, a voucher and a blank."""
    campaign = make_campaign(
        program, reward_method="methods", handling="random_draw", points=0
    )
    make_method(campaign, points=50, weight=3_000_000)
    make_method(
        campaign,
        reward_method="voucher",
        voucher_type=make_voucher_type(program),
        points=0,
        weight=2_000_000,
    )
    make_method(campaign, reward_method="nothing", points=0, weight=5_000_000)
    return campaign


def record(program, times, *, first_seed=1):
    member = make_member(program)
    seeds = count(first_seed)
    commands = [
        purchase(member, "10", occurred_at=NOON + timedelta(minutes=place))
        for place in range(times)
    ]
    return record_activities(
        program.pk, commands, now=NOON, random_source=lambda: next(seeds)
    )


def verified(capsys, *arguments) -> str:
    call_command("verify_draws", *arguments)
    return str(capsys.readouterr().out.strip())


def forge(statement, *values, table="activities_draw"):
    """Change what nothing in the product can change."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement.format(table), list(values))
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_recording_keeps_each_draw_as_it_was_decided(program, campaign):
    record(program, 60)

    draws = list(Draw.objects.order_by("pk"))
    methods = list(campaign.methods.order_by("pk"))
    assert [int(draw.seed, 16) for draw in draws] == list(range(1, 61))
    weights = [[one.pk, one.weight] for one in methods]
    assert all(draw.candidates == weights for draw in draws)
    won = {one.pk: sum(draw.winner_id == one.pk for draw in draws) for one in methods}
    assert min(won.values()) > 0
    assert Completion.objects.filter(offer__in=methods).count() == 60
    points = Entry.objects.filter(kind="award", offer=methods[0])
    assert points.count() == won[methods[0].pk]


def test_honest_draws_come_out_as_they_were_kept(program, campaign, capsys):
    outcomes = record(program, 12)
    undone = [outcome.activity_id for outcome in outcomes[:4]]
    reverse_activities(program.pk, undone, now=NOON, reason="returned")

    assert verified(capsys) == "12 draws come out as they were kept."
    assert verified(capsys, "--program", str(program.pk)).startswith("12 ")
    assert verified(capsys, "--program", "999999").startswith("0 ")


def test_a_reversal_gives_the_stock_back_and_keeps_the_draw(program, campaign, capsys):
    campaign.methods.exclude(reward_method="fixed").update(is_enabled=False)
    campaign.methods.filter(reward_method="fixed").update(usage_limit=1)

    (first,) = record(program, 1)
    record(program, 1)
    reverse_activities(program.pk, [first.activity_id], now=NOON, reason="returned")
    record(program, 1)

    assert Draw.objects.count() == 2
    assert Completion.objects.filter(offer__rewardmethod__parent=campaign).count() == 1
    assert verified(capsys) == "2 draws come out as they were kept."


def test_draws_cannot_be_changed_or_deleted(program, campaign):
    record(program, 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Draw.objects.update(ticket=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Draw.objects.all().delete()


FORGERIES = [
    pytest.param("ticket = ticket + 1", "the ticket is ", id="ticket"),
    pytest.param("seed = repeat('0', 32)", "the ticket is ", id="random number"),
    pytest.param("seed = repeat('z', 32)", "cannot be read", id="no number"),
    pytest.param(
        "candidates = jsonb_build_array(candidates->1, candidates->0, candidates->2)",
        "the candidates are out of order",
        id="order of candidates",
    ),
    pytest.param("candidates = '[]'", "nobody could have won", id="no candidates"),
    pytest.param("candidates = '[1, 2]'", "cannot be read", id="no pairs"),
    pytest.param(
        "candidates = jsonb_set(candidates, ARRAY['0', '1'], '-1')",
        "nobody could have won",
        id="weight below zero",
    ),
    pytest.param(
        "candidates = jsonb_set(candidates, ARRAY['2', '1'], '70000000')",
        "the ticket is ",
        id="weight",
    ),
    pytest.param(
        "winner_id = (SELECT max((pair->>0)::bigint)"
        " FROM jsonb_array_elements(candidates) AS pair"
        " WHERE (pair->>0)::bigint <> winner_id)",
        "the winner is ",
        id="winner",
    ),
]


@pytest.mark.parametrize(("change", "problem"), FORGERIES)
def test_a_forged_draw_is_named(program, campaign, capsys, change, problem):
    record(program, 3)
    forged = Draw.objects.order_by("pk")[1]
    forge(f"UPDATE {{0}} SET {change} WHERE id = %s", forged.pk)

    with pytest.raises(CommandError, match="draws do not come out"):
        call_command("verify_draws")

    told = capsys.readouterr().err.strip().splitlines()
    assert all(
        f"Draw {forged.pk} of activity {forged.activity_id}: " in one for one in told
    )
    assert problem in told[0]


def test_a_draw_made_up_consistently_differs_from_what_was_decided(
    program, campaign, capsys
):
    """All of its numbers fit together, and its winner was given: for another draw."""
    record(program, 2, first_seed=5)
    second = Draw.objects.order_by("pk")[1]
    forge(
        "UPDATE {0} SET ticket = 0,"
        " candidates = jsonb_build_array(jsonb_build_array(winner_id, 1))"
        " WHERE id = %s",
        second.pk,
    )

    with pytest.raises(CommandError):
        call_command("verify_draws")

    assert capsys.readouterr().err.strip() == (
        f"Draw {second.pk} of activity {second.activity_id}: the decision record "
        "tells another draw."
    )


def test_a_winner_that_was_not_given_is_named(program, campaign, capsys):
    record(program, 2)
    draw = Draw.objects.order_by("pk")[0]
    forge(
        "DELETE FROM {0} WHERE activity_id = %s",
        draw.activity_id,
        table="loyalty_completion",
    )

    with pytest.raises(CommandError, match="1 draws"):
        call_command("verify_draws")

    assert "the winner was not given" in capsys.readouterr().err


def test_a_draw_moved_to_another_member_is_named(program, campaign, capsys):
    record(program, 1)
    other = make_member(program)
    forge("UPDATE {0} SET member_id = %s", other.pk)

    with pytest.raises(CommandError, match="2 draws"):
        call_command("verify_draws")

    told = capsys.readouterr().err
    assert "the winner was not given" in told
    assert "the decision record tells another draw" in told


def test_a_simulated_activity_draws_nothing_that_is_kept(program, campaign):
    member = make_member(program)
    simulate_activities(program.pk, [purchase(member, "10")], now=NOON)

    assert not Draw.objects.exists()
