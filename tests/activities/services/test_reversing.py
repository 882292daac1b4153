"""What reversal promises: exactly what was given comes back, once, everywhere."""

from datetime import timedelta

import pytest

from activities.models import Activity, ActivityReversal
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from campaigns.models import Campaign
from loyalty import ledger
from loyalty.models import Account, Entry, FrequencyPeriod, Lot, MemberTier, Program
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_tier,
    make_type,
    make_wallet,
    purchase,
    usage_of,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    """A program in which a purchase pays 1 point per whole unit."""
    program = make_program()
    make_type(program)
    return program


def record(program, *commands):
    outcomes = record_activities(program.pk, commands, now=NOON)
    return [outcome.activity_id for outcome in outcomes]


def reverse(program, *activity_ids):
    return reverse_activities(program.pk, activity_ids, now=NOON, reason="returned")


def account(member) -> Account:
    return Account.objects.get(member=member)


def test_an_unspent_activity_leaves_nothing_behind(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "12"), purchase(member, "5"))

    reverse(program, activity_ids[0])

    holding = account(member)
    assert (holding.balance, holding.lifetime_earned, holding.owed) == (5, 5, 0)
    assert Lot.objects.get(entry__activity_id=activity_ids[0]).remaining == 0
    assert list(ledger_mismatches()) == []


def test_reversing_twice_takes_nothing_more_and_says_so(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "12"))

    first = reverse(program, *activity_ids)
    second = reverse(program, *activity_ids)

    assert (first, second) == (activity_ids, [])
    assert account(member).balance == 0
    assert Entry.objects.filter(kind="reversal").count() == 1


def test_another_programs_activities_are_passed_over(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "12"))

    undone = reverse(make_program(), *activity_ids)

    assert undone == []
    assert account(member).balance == 12


def test_spent_points_are_owed_and_repaid_by_the_next_earnings(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "100"))
    ledger.spend(member, wallet_of(program).pk, 60, at=NOON, reason="gift")

    reverse(program, *activity_ids)

    holding = account(member)
    assert (holding.balance, holding.owed, holding.lifetime_earned) == (0, 60, 0)
    record(program, purchase(member, "50"))
    holding = account(member)
    assert (holding.balance, holding.owed, holding.lifetime_earned) == (0, 10, 50)
    record(program, purchase(member, "50"))
    holding = account(member)
    assert (holding.balance, holding.owed, holding.lifetime_earned) == (40, 0, 100)
    assert list(ledger_mismatches()) == []


def test_spent_points_take_the_balance_below_zero_where_the_wallet_allows(program):
    wallet = wallet_of(program)
    wallet.allows_negative = True
    wallet.save()
    member = make_member(program)
    activity_ids = record(program, purchase(member, "100"))
    ledger.spend(member, wallet.pk, 60, at=NOON, reason="gift")

    reverse(program, *activity_ids)

    assert (account(member).balance, account(member).owed) == (-60, 0)
    record(program, purchase(member, "70"))
    assert account(member).balance == 10
    assert Lot.objects.filter(remaining__gt=0).get().remaining == 10
    assert list(ledger_mismatches()) == []


def test_points_of_other_activities_cover_what_was_spent(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "100"), purchase(member, "30"))
    ledger.spend(member, wallet_of(program).pk, 90, at=NOON, reason="gift")

    reverse(program, activity_ids[0])

    assert (account(member).balance, account(member).owed) == (0, 60)
    assert list(ledger_mismatches()) == []


def test_a_reversed_award_gives_its_cap_back_to_its_window(program):
    period = FrequencyPeriod.objects.get(unit="calendar_day")
    make_campaign(program, name="First", cap_count=1, frequency_period=period)
    member = make_member(program)
    first, _ = record(program, purchase(member), purchase(member))
    reverse(program, first)

    [third] = record(program, purchase(member))

    assert Entry.objects.get(activity_id=third, kind="award").offer.name == "First"


def test_a_reversed_award_gives_its_budget_back(program):
    campaign = make_campaign(program, points=60, points_budget=100)
    member = make_member(program)
    activity_ids = record(program, purchase(member), purchase(member))

    reverse(program, activity_ids[0])

    assert usage_of(campaign) == (40, 1)
    assert list(ledger_mismatches()) == []


def test_a_tier_reached_by_a_reversed_award_is_lost(program):
    gold = make_tier(program, "Gold", 100)
    member = make_member(program)
    activity_ids = record(program, purchase(member, "150"))
    member.refresh_from_db()
    assert member.tier == gold

    reverse(program, *activity_ids)

    member.refresh_from_db()
    assert member.tier is None
    steps = MemberTier.objects.filter(member=member).order_by("id")
    assert [step.cause for step in steps] == ["threshold", "reversal"]


def test_spending_never_lowers_the_tier(program):
    gold = make_tier(program, "Gold", 100)
    member = make_member(program)
    record(program, purchase(member, "150"))

    ledger.spend(member, wallet_of(program).pk, 150, at=NOON, reason="gift")

    member.refresh_from_db()
    assert member.tier == gold


def test_pending_points_are_taken_back_from_pending(program):
    wallet = make_wallet(program, code="slow", name="Slow", pending_days=14)
    make_campaign(program, wallet=wallet, points=10)
    member = make_member(program)
    activity_ids = record(program, purchase(member))

    reverse(program, *activity_ids)

    holding = Account.objects.get(member=member, wallet=wallet)
    assert (holding.balance, holding.pending) == (0, 0)
    assert list(ledger_mismatches()) == []


def test_who_reversed_and_why_is_kept(program):
    member = make_member(program)
    activity_ids = record(program, purchase(member, "5"))

    reverse_activities(
        program.pk, activity_ids, now=NOON, reason="returned", actor="anna"
    )

    reversal = ActivityReversal.objects.get()
    assert (reversal.reason, reversal.actor) == ("returned", "anna")
    assert Activity.objects.get().reversal == reversal


def test_a_budget_set_later_does_not_count_what_is_owed_back(program):
    campaign = make_campaign(program, points=60)
    member = make_member(program)
    [first] = record(program, purchase(member))
    ledger.spend(member, wallet_of(program).pk, 60, at=NOON, reason="gift")
    reverse(program, first)
    Campaign.objects.filter(pk=campaign.pk).update(points_budget=100)

    record(program, purchase(member))

    assert usage_of(campaign) == (60, 1)
    assert list(ledger_mismatches()) == []


def test_reversing_what_paid_while_there_was_no_budget_leaves_the_rest(program):
    campaign = make_campaign(program, points=60, points_budget=100)
    member = make_member(program)
    offer = Campaign.objects.filter(pk=campaign.pk)
    record(program, purchase(member, "5"))
    offer.update(points_budget=None)
    activity_ids = record(program, purchase(member), purchase(member))

    reverse(program, *activity_ids)

    assert account(member).balance == 65


def test_a_budget_set_again_counts_what_was_paid_without_it(program):
    campaign = make_campaign(program, points=60, points_budget=100)
    member = make_member(program)
    offer = Campaign.objects.filter(pk=campaign.pk)
    record(program, purchase(member))
    offer.update(points_budget=None)
    [second] = record(program, purchase(member))
    record(program, purchase(member))
    reverse(program, second)
    offer.update(points_budget=150)

    record(program, purchase(member))

    assert usage_of(campaign) == (150, 3)
    assert account(member).balance == 150


def test_a_tier_reached_a_little_ahead_of_now_is_lost_too(program):
    gold = make_tier(program, "Gold", 100)
    make_campaign(program, points=1_000, minimum_tier=gold)
    member = make_member(program)
    ahead = NOON + timedelta(minutes=30)
    activity_ids = record(program, purchase(member, "150", occurred_at=ahead))
    reverse(program, *activity_ids)

    record(program, purchase(member, "5", occurred_at=ahead))

    assert account(member).balance == 5
