"""Scores and thresholds are points, whatever the decimals of a wallet."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection

from activities.models import Activity
from activities.services import (
    record_activities,
    reverse_activities,
    simulate_activities,
)
from loyalty.models import Member, MemberTier, Tier
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_tier,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    """A purchase pays 1 point with one decimal, and a campaign 10 with two."""
    program = make_program()
    make_type(program, wallet=make_wallet(program, code="tenths", decimals=1))
    cents = make_wallet(program, code="hundredths", decimals=2)
    make_campaign(program, name="Ten", wallet=cents, points=10)
    return program


def earn(member, value):
    (outcome,) = record_activities(
        member.program_id, [purchase(member, value)], now=NOON
    )
    return outcome


def tier_of(member):
    tier = Member.objects.get(pk=member.pk).tier
    return None if tier is None else tier.name


def test_points_of_wallets_with_different_decimals_add_up(program):
    make_tier(program, "Silver", 100)
    member = make_member(program)

    earn(member, "89.9")
    before = tier_of(member)
    earn(member, "0.1")

    # 89.9 + 10 and then 0.1 + 10.
    assert (before, tier_of(member)) == (None, "Silver")
    step = MemberTier.objects.get(member=member)
    assert step.score == Decimal(110)


def test_ten_points_of_a_wallet_with_one_decimal_do_not_reach_a_hundred(program):
    make_tier(program, "Silver", 100)
    member = make_member(program)

    earn(member, "10.0")

    assert tier_of(member) is None


def test_a_reversal_lowers_the_score_by_points(program):
    make_tier(program, "Silver", 15)
    member = make_member(program)
    first = earn(member, "0.5")
    earn(member, "0.5")

    reverse_activities(program.pk, [first.activity_id], now=NOON, reason="return")

    assert tier_of(member) is None
    assert MemberTier.objects.order_by("-pk")[0].score == Decimal("10.5")


def test_the_record_tells_scores_in_points(program):
    make_tier(program, "Silver", 20)
    make_campaign(
        program, name="Gold only", minimum_tier=make_tier(program, "Gold", 50)
    )
    member = make_member(program)
    earn(member, "0.5")

    outcome = earn(member, "0.5")

    record = Activity.objects.get(pk=outcome.activity_id).decision
    assert (record["score"], record["tier_change"]["score"]) == ("10.5", 21)
    (rejection,) = [one for one in record["rejections"] if one["reason"] != "ok"]
    assert rejection["minimum_threshold"] == 50


def test_simulation_counts_scores_alike(program):
    tier = make_tier(program, "Silver", 20)
    member = make_member(program)
    earn(member, "0.5")

    (outcome,) = simulate_activities(program.pk, [purchase(member, "0.5")], now=NOON)

    assert outcome.decision.tier_change.tier_id == tier.pk


@pytest.mark.parametrize(
    ("decimals", "threshold"),
    [((0,), "105"), ((1,), "10.5"), ((2, 2), "1.05"), ((4,), "0.0105")],
)
def test_the_migration_keeps_who_reaches_a_threshold(decimals, threshold):
    program = make_program()
    for place, one in enumerate(decimals):
        make_wallet(program, code=f"wallet-{place}", decimals=one)
    make_wallet(program, code="other", decimals=3, counts_for_tier=False)
    tier = make_tier(program, "Silver", 105)
    member = make_member(program)
    step = MemberTier.objects.create(
        member=member, tier=tier, since=NOON, cause="threshold", score=105
    )
    migration = import_module("loyalty.migrations.0028_keep_what_thresholds_mean")

    with connection.cursor() as cursor:
        for statement in migration._statements("/"):
            cursor.execute(statement)

    step.refresh_from_db()
    assert Tier.objects.get(pk=tier.pk).threshold == Decimal(threshold)
    assert step.score == Decimal(threshold)
