"""The law: today's configuration over a past period comes out as the ledger."""

import random
from datetime import timedelta

import pytest

from activities.models import Activity, LateDecision
from activities.services import record_activities, reverse_activities
from activities.services.backtesting import Span
from loyalty.models import FrequencyPeriod, Program
from tests.activities.backtesting.comparing import ledger_of, replayed_of
from tests.builders import (
    NOON,
    line,
    make_campaign,
    make_item_list,
    make_member,
    make_method,
    make_program,
    make_quest,
    make_segment,
    make_tier,
    make_type,
    make_voucher_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CALENDAR_DAY, CALENDAR_WEEK = 2, 4


def program_of_everything() -> Program:
    """Return a program in which one activity's outcome hangs on many others."""
    program = make_program(time_zone="Asia/Kolkata", retro_points="all")
    make_type(
        program,
        cap_count=3,
        frequency_period=FrequencyPeriod.objects.get(pk=CALENDAR_DAY),
    )
    make_wallet(program, code="cents", name="Cents", decimals=2)
    make_tier(program, "Basic", 0)
    gold = make_tier(program, "Gold", 120)
    make_campaign(program, minimum_tier=gold, points=7)
    make_campaign(
        program,
        points=5,
        required_attempts=3,
        cap_count=1,
        frequency_period=FrequencyPeriod.objects.get(pk=CALENDAR_WEEK),
    )
    make_campaign(program, points=40, points_budget=500)
    make_campaign(
        program, points=30, awards_budget=9, exclusive_group="one", priority=2
    )
    make_campaign(program, points=2, exclusive_group="one", priority=1)
    make_campaign(
        program,
        reward_method="per_item_value",
        points=2,
        item_list=make_item_list(program, ["apple", "pear"]),
    )
    draw = make_campaign(
        program, reward_method="methods", points=0, handling="random_draw"
    )
    make_method(draw, points=11, usage_limit=6)
    make_method(draw, points=3)
    make_campaign(
        program,
        reward_method="voucher",
        points=0,
        voucher_type=make_voucher_type(program),
    )
    make_quest(program, completions_per_member=None)
    return program


def live_a_little(program, seed) -> None:
    """Let members act in a random order, some late, some given, some reversed."""
    chance = random.Random(seed)
    members = [make_member(program) for _ in range(4)]
    make_segment(program, members[:2])
    now = NOON
    for turn in range(60):
        now += timedelta(hours=chance.randint(1, 9))
        late = chance.choice([0, 0, 0, 30, 80])
        fields = {
            "occurred_at": now - timedelta(hours=late),
            "received_at": now,
            "lines": (line(chance.choice(["apple", "nail"]), "4"),),
            "given_points": chance.choice([None, None, None, 21]),
        }
        # Of one member: what several share is given out in order of time, and within
        # one batch the ledger goes member by member.
        member = chance.choice(members)
        some = [
            purchase(member, str(chance.randint(1, 30)), **fields)
            for _ in range(chance.randint(1, 2))
        ]
        if turn % 9 == 0:
            some.append(
                purchase(None, "12", anonymous_id=f"phone-{turn % 2}", **fields)
            )
        if turn == 40:
            some = [purchase(member, "5", anonymous_id="phone-1", **fields)]
        record_activities(program.pk, some, now=now)
        if turn % 7 == 3:
            standing = Activity.objects.filter(program=program, reversal=None)
            ids = chance.sample(list(standing.values_list("pk", flat=True)), 2)
            reverse_activities(
                program.pk, ids, now=now + timedelta(seconds=1), reason="returned"
            )


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_replay_is_the_ledger(seed):
    program = program_of_everything()
    live_a_little(program, seed)

    assert LateDecision.objects.exists()
    assert replayed_of(program) == ledger_of(program)


def test_it_goes_on_from_where_members_stood():
    program = program_of_everything()
    live_a_little(program, 11)
    middle = NOON + 10 * DAY

    inside = replayed_of(program, Span(middle, NOON + 400 * DAY))

    days = {day for _, _, day in inside}
    assert min(days) >= middle.date()


def test_a_campaign_that_paid_before_the_period_has_its_budget_less():
    program = make_program()
    make_type(program, reward_method="nothing", points=0)
    make_campaign(program, points=10, points_budget=35)
    member = make_member(program)
    for day in range(6):
        at = NOON + day * DAY
        record_activities(program.pk, [purchase(member, occurred_at=at)], now=at)

    found = replayed_of(program, Span(NOON + 2 * DAY, NOON + 9 * DAY))

    assert sum(found.values()) == 15
