"""Limits that hold: nothing is oversold, and the last point is paid, whoever races."""

import pytest
from django.db import transaction

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from campaigns.models import Campaign
from loyalty.models import Account, FrequencyPeriod
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    purchase,
    usage_of,
)
from tests.concurrency.test_recording_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 64


@pytest.fixture
def program(transactional_db):
    """A program in which a purchase pays nothing by itself."""
    program = make_program()
    make_type(program, points=0)
    return program


def shopping(program, member, *values):
    """Return a job: a purchase for each value, of one member."""

    def shop():
        for value in values:
            command = purchase(member, str(value))
            record_activities(program.pk, [command], now=NOON)

    return shop


def everybody(program, *values, count=WRITERS):
    return [shopping(program, make_member(program), *values) for _ in range(count)]


def paid(program):
    rows = Account.objects.filter(program=program, member__isnull=False)
    return sum(rows.values_list("balance", flat=True))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({"points_budget": 500}, (500, 72), id="points, clipped"),
        pytest.param(
            {"points_budget": 500, "budget_policy": "reject"},
            (497, 71),
            id="points, rejected",
        ),
        pytest.param({"awards_budget": 50}, (350, 50), id="awards"),
        pytest.param(
            {"points_budget": 500, "awards_budget": 70}, (490, 70), id="awards first"
        ),
        pytest.param(
            {"points_budget": 500, "awards_budget": 90}, (500, 72), id="points first"
        ),
    ],
)
def test_a_budget_is_given_to_the_last_and_no_further(program, limits, expected):
    campaign = make_campaign(program, points=7, **limits)

    at_once(everybody(program, 1, 1))

    assert usage_of(campaign) == expected
    assert paid(program) == expected[0]
    assert list(ledger_mismatches()) == []


def test_amounts_of_any_size_add_up_to_the_budget(program):
    campaign = make_campaign(
        program, reward_method="per_value", points=1, points_budget=1_009
    )
    members = [make_member(program) for _ in range(WRITERS)]

    at_once(
        [
            shopping(program, member, 1 + place % 13, 31 - place % 17)
            for place, member in enumerate(members)
        ]
    )

    assert usage_of(campaign)[0] == paid(program) == 1_009
    assert list(ledger_mismatches()) == []


def test_a_cap_of_each_member_and_a_limit_of_all_hold_together(program):
    lifetime, _ = FrequencyPeriod.objects.get_or_create(
        unit="lifetime", defaults={"pk": 5, "name": "Lifetime"}
    )
    campaign = make_campaign(
        program,
        points=7,
        cap_count=1,
        frequency_period=lifetime,
        awards_budget=41,
    )

    at_once(everybody(program, 1, 1))

    balances = Account.objects.filter(member__isnull=False, balance__gt=0)
    assert set(balances.values_list("balance", flat=True)) == {7}
    assert usage_of(campaign) == (287, 41)


def test_the_stock_of_methods_and_the_budget_of_their_campaign_hold_together(program):
    campaign = make_campaign(
        program, reward_method="methods", points=0, points_budget=700
    )
    mug = make_method(campaign, points=9, usage_limit=40)
    cup = make_method(campaign, points=5, usage_limit=50)

    at_once(everybody(program, 1, 1))

    assert usage_of(mug) == (360, 40)
    assert usage_of(cup) == (250, 50)
    assert usage_of(campaign) == (610, 90)
    assert paid(program) == 610
    assert list(ledger_mismatches()) == []


def test_what_is_taken_back_is_given_again_once(program):
    campaign = make_campaign(program, points=10, points_budget=160)
    at_once(everybody(program, 1, count=16))
    activity_ids = list(Activity.objects.values_list("pk", flat=True))

    def undo(activity_id):
        return lambda: reverse_activities(
            program.pk, [activity_id], now=NOON, reason="returned"
        )

    at_once(
        [undo(one) for one in activity_ids[:8]] + everybody(program, 1, 1, count=16)
    )
    assert usage_of(campaign)[0] == paid(program) <= 160
    at_once(everybody(program, 1, count=16))

    assert usage_of(campaign) == (160, 16)
    assert paid(program) == 160
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("budgets", [(90, 400), (400, 150), (300, 40, 350)])
def test_a_budget_changed_in_the_middle_holds_from_then_on(program, budgets):
    first, *later = budgets
    campaign = make_campaign(program, points=7, points_budget=first)
    bounds = [first]

    def change():
        for budget in later:
            with transaction.atomic():
                Campaign.objects.filter(pk=campaign.pk).update(points_budget=budget)
                paid_so_far = usage_of(campaign)[0]
                assert paid_so_far <= bounds[-1]
                bounds.append(max(budget, paid_so_far))

    at_once([*everybody(program, 1, 1, count=31), change])
    assert usage_of(campaign)[0] == paid(program) <= bounds[-1]
    at_once(everybody(program, 1, 1, count=31))

    assert usage_of(campaign)[0] == paid(program) == bounds[-1]
    assert list(ledger_mismatches()) == []


def test_a_lowered_budget_holds_though_one_connection_has_paid_it_all(program):
    campaign = make_campaign(program, points=3, points_budget=1_000)
    shopping(program, make_member(program), *[1] * 16)()
    Campaign.objects.filter(pk=campaign.pk).update(points_budget=60)

    at_once(everybody(program, 1, 1, count=31))

    assert usage_of(campaign) == (60, 20)
    assert paid(program) == 60
