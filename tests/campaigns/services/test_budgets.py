"""What budgets have counted: methods, vouchers, budgets set later, queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.reports import ledger_mismatches
from activities.services import (
    record_activities,
    reverse_activities,
    simulate_activities,
)
from campaigns.models import Campaign, CampaignUsage, RewardMethod
from campaigns.services import budgets
from campaigns.services.programme import current_programme
from loyalty.engine.decisions import Award
from loyalty.models import Account, Voucher
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_voucher_type,
    purchase,
    usage_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program, points=0)
    return program


def shop(program, count=1):
    """Let one member shop so often; return the numbers of the activities."""
    member = make_member(program)
    outcomes = [
        record_activities(program.pk, [purchase(member)], now=NOON)[0]
        for _ in range(count)
    ]
    return [one.activity_id for one in outcomes]


def undo(program, *activity_ids):
    reverse_activities(program.pk, activity_ids, now=NOON, reason="returned")


def with_methods(program, **fields):
    return make_campaign(program, reward_method="methods", points=0, **fields)


def paid(program):
    rows = Account.objects.filter(program=program, member__isnull=False)
    return sum(rows.values_list("balance", flat=True))


def test_a_budget_below_what_was_paid_pays_nothing_until_it_is_raised(program):
    campaign = make_campaign(program, points=10, points_budget=1_000)
    shop(program, 5)
    offer = Campaign.objects.filter(pk=campaign.pk)

    offer.update(points_budget=30)
    shop(program)
    assert usage_of(campaign) == (50, 5)

    offer.update(points_budget=57)
    shop(program, 2)
    assert usage_of(campaign) == (57, 6)
    assert list(ledger_mismatches()) == []


def test_a_budget_of_points_that_is_overspent_keeps_no_vouchers_back(program):
    campaign = make_campaign(program, reward_method="methods", points=0)
    make_method(campaign, points=30)
    voucher_type = make_voucher_type(program)
    make_method(campaign, reward_method="voucher", points=0, voucher_type=voucher_type)
    shop(program)
    campaign.points_budget = 20
    campaign.save()

    shop(program)

    assert usage_of(campaign) == (30, 3)
    assert Voucher.objects.count() == 2
    assert list(ledger_mismatches()) == []


def test_a_method_counts_against_its_stock_and_the_budgets_of_its_campaign(program):
    campaign = with_methods(program, points_budget=25)
    method = make_method(campaign, usage_limit=2)
    other = make_method(campaign, points=3)

    shop(program, 3)

    assert usage_of(method) == (20, 2)
    assert usage_of(campaign) == (25, 4)
    assert usage_of(other) == (0, 0)
    assert paid(program) == 25
    assert list(ledger_mismatches()) == []


def test_a_method_that_is_taken_back_is_in_stock_again(program):
    campaign = with_methods(program, awards_budget=9)
    method = make_method(campaign, usage_limit=2)
    first, _ = shop(program, 2)

    undo(program, first)
    assert (usage_of(method), usage_of(campaign)) == ((10, 1), (10, 1))
    shop(program, 2)

    assert (usage_of(method), usage_of(campaign)) == ((20, 2), (20, 2))
    assert list(ledger_mismatches()) == []


def test_a_blank_that_is_taken_back_is_in_stock_again(program):
    campaign = with_methods(program, awards_budget=9)
    blank = make_method(campaign, reward_method="nothing", points=0, usage_limit=2)
    first, _ = shop(program, 2)

    undo(program, first)
    assert (usage_of(blank), usage_of(campaign)) == ((0, 1), (0, 1))
    shop(program, 2)

    assert (usage_of(blank), usage_of(campaign)) == ((0, 2), (0, 2))
    assert list(ledger_mismatches()) == []


def test_a_stock_set_later_counts_what_stands_of_the_method(program):
    campaign = with_methods(program)
    method = make_method(campaign)
    first, *_ = shop(program, 4)
    undo(program, first)
    RewardMethod.objects.filter(pk=method.pk).update(usage_limit=4)
    Campaign.objects.filter(pk=campaign.pk).update(points_budget=45)

    shop(program, 3)

    assert (usage_of(method), usage_of(campaign)) == ((40, 4), (40, 4))
    assert list(ledger_mismatches()) == []


def test_trying_out_counts_what_was_paid_before_the_budget_was_set(program):
    campaign = make_campaign(program, points=10)
    first, *_ = shop(program, 3)
    undo(program, first)
    Campaign.objects.filter(pk=campaign.pk).update(points_budget=23)
    command = purchase(make_member(program))

    [tried] = simulate_activities(program.pk, [command], now=NOON)
    [recorded] = record_activities(program.pk, [command], now=NOON)

    assert [award.points for award in tried.decision.awards] == [3]
    assert tried.decision.awards == recorded.decision.awards


def test_more_than_is_left_is_never_taken(program):
    campaign = make_campaign(program, points=10, points_budget=25)
    shop(program, 2)
    offers = current_programme(program.pk).offers
    award = Award(offers[campaign.pk], 6, 6, None)

    with pytest.raises(budgets.Overtaken):
        budgets.take([award], offers, is_locked=False)

    assert usage_of(campaign) == (20, 2)


def test_what_is_given_back_may_come_from_any_slot(program):
    campaign = make_campaign(program, points=10, points_budget=1_000)
    activity_ids = shop(program, 4)
    rows = CampaignUsage.objects.filter(campaign=campaign)
    rows.update(points_paid=0, awards_paid=0)
    rows.filter(slot=15).update(points_paid=40, awards_paid=4)

    undo(program, *activity_ids[:3])

    assert usage_of(campaign) == (10, 1)
    assert list(ledger_mismatches()) == []


def test_usage_that_is_not_what_stands_is_named(program):
    campaign = make_campaign(program, points=10, awards_budget=100)
    shop(program)
    CampaignUsage.objects.filter(campaign=campaign).update(awards_paid=1)

    found = [one for one in ledger_mismatches() if "usage" in one.law]

    assert [(one.where, one.stored, one.expected) for one in found] == [
        (f"awards of offer {campaign.pk}", 16, 1)
    ]


def test_the_number_of_queries_depends_on_neither_budgets_nor_batch(program):
    def queries(campaign_count, member_count):
        for _ in range(campaign_count):
            make_campaign(program, points=7, points_budget=10_000)
        members = [make_member(program) for _ in range(member_count)]
        record_activities(program.pk, list(map(purchase, members)), now=NOON)
        with CaptureQueriesContext(connection) as captured:
            record_activities(program.pk, list(map(purchase, members)), now=NOON)
        return len(captured)

    assert queries(1, 1) == queries(10, 20)
