"""Limits and prices of interactions where two of them meet."""

from datetime import timedelta

import pytest

from activities.models import Interaction
from activities.reports import ledger_mismatches
from activities.services import record_activities, reverse_activities
from activities.services.interacting import interact
from activities.services.interactions import (
    CampaignFullyRedeemed,
    Interact,
)
from loyalty import ledger
from loyalty.models import Account, FrequencyPeriod
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_voucher_type,
    make_wallet,
    purchase,
    usage_of,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


def act(campaign, member, *, seed=1, at=NOON):
    return interact(
        campaign.program_id,
        Interact(campaign.pk, member.pk, "api"),
        now=at,
        random_source=lambda: seed,
    )


def composed(program, **fields):
    defaults = {"context": "interaction", "reward_method": "methods", "points": 0}
    return make_campaign(program, **{**defaults, **fields})


def test_moments_that_decided_are_kept(program):
    once = FrequencyPeriod.objects.get(unit="calendar_day")
    campaign = composed(program)
    make_method(campaign, cap_count=1, frequency_period=once)
    make_method(campaign, starts_at=NOON + timedelta(days=1))
    make_method(campaign, ends_at=NOON)
    make_method(campaign)
    member = make_member(program)

    act(campaign, member)
    act(campaign, member)

    reasons = [
        [one["reason"] for one in row.decision["rejections"]]
        for row in Interaction.objects.order_by("pk")
    ]
    assert reasons == [
        ["not_started", "ended"],
        ["cap_reached", "not_started", "ended"],
    ]


def test_a_budget_set_later_counts_each_award_once(program):
    campaign = composed(program)
    make_method(campaign)
    for _ in range(3):
        act(campaign, make_member(program))
    campaign.awards_budget = 5
    campaign.save()

    act(campaign, make_member(program))

    assert usage_of(campaign) == (40, 4)
    assert list(ledger_mismatches()) == []


def test_a_capped_campaign_gives_back_each_award_of_its_methods_once(program):
    once = FrequencyPeriod.objects.get(unit="calendar_day")
    campaign = composed(
        program,
        context="activity",
        awards_budget=5,
        cap_count=3,
        frequency_period=once,
    )
    make_method(campaign)
    make_method(campaign)
    member = make_member(program)
    outcomes = record_activities(
        program.pk, [purchase(member), purchase(member)], now=NOON
    )
    assert usage_of(campaign) == (40, 4)

    reverse_activities(
        program.pk, [outcomes[0].activity_id], now=NOON, reason="returned"
    )

    assert usage_of(campaign) == (20, 2)
    assert list(ledger_mismatches()) == []


def test_attempts_that_are_still_needed_are_no_reason_to_say_all_was_had(program):
    campaign = make_campaign(program, context="interaction", required_attempts=3)
    member = make_member(program)

    done = [act(campaign, member) for _ in range(3)]

    assert [one.is_fully_redeemed for one in done] == [False, False, False]


def test_a_blank_beside_what_is_spent_is_nothing_to_pay_for(program):
    campaign = composed(program)
    make_method(campaign, usage_limit=1)
    make_method(campaign, reward_method="nothing", points=0)
    act(campaign, make_member(program))

    with pytest.raises(CampaignFullyRedeemed):
        act(campaign, make_member(program))


def test_a_price_finer_than_its_wallet_is_rounded_up(program):
    wallet = wallet_of(program)
    member = make_member(program)
    ledger.adjust(member, wallet.pk, 10, at=NOON, reason="start")
    campaign = make_campaign(
        program,
        context="interaction",
        reward_method="nothing",
        points=0,
        point_cost="0.5",
        point_cost_wallet=wallet,
    )

    act(campaign, member)

    assert Account.objects.get(member=member).balance == 9


def test_the_number_of_queries_depends_on_neither_methods_nor_campaigns(
    program, django_assert_num_queries
):
    wallet = make_wallet(program, code="credits", name="Credits")
    kind = make_voucher_type(program)

    def queries(method_count, campaign_count):
        for _ in range(campaign_count):
            make_method(composed(program))
        campaign = composed(
            program,
            handling="random_draw",
            point_cost=1,
            point_cost_wallet=wallet,
        )
        make_method(campaign, usage_limit=1_000)
        for _ in range(method_count):
            make_method(campaign, reward_method="nothing", points=0, weight=0)
            make_method(campaign, reward_method="voucher", voucher_type=kind, weight=0)
        for _ in range(2):
            member = make_member(program)
            ledger.adjust(member, wallet.pk, 10, at=NOON, reason="start")
            ledger.adjust(member, wallet_of(program).pk, 10, at=NOON, reason="start")
            # The first compiles the program and opens the usage of the stock.
            if usage_of(campaign.methods.earliest("pk"))[1]:
                with django_assert_num_queries(20):
                    act(campaign, member)
            else:
                act(campaign, member)

    queries(1, 1)
    queries(10, 10)
