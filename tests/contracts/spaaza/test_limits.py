"""5.4 to 5.7: who may interact when, how often, and for what price."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import DatabaseError, transaction

from activities.models import Draw, Interaction
from activities.reports import ledger_mismatches
from campaigns.models import Campaign
from loyalty import ledger
from loyalty.models import Account, Completion, Entry, Voucher
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_segment,
    make_tier,
    make_wallet,
    usage_of,
    wallet_of,
)
from tests.contracts.spaaza.client import (
    as_admin,
    as_client,
    as_member,
    done,
    payload,
    refused,
    scratch_card,
)

pytestmark = pytest.mark.django_db
LIFETIME = 5


@pytest.fixture
def coins(program):
    """The wallet that scratch cards are paid from; what is won goes to another."""
    wallet_of(program)
    return make_wallet(program, code="coins", name="Coins", counts_for_tier=False)


def give(member, wallet, points):
    ledger.adjust(member, wallet.pk, points, at=NOON, reason="start")


def balance(member, wallet):
    row = Account.objects.filter(member=member, wallet=wallet).first()
    return row.balance if row else 0


def written():
    models = (Interaction, Draw, Entry, Completion, Voucher)
    return [model.objects.count() for model in models]


def priced(program, wallet, **fields):
    return scratch_card(program, point_cost=450, point_cost_wallet=wallet, **fields)


# 449: off, outside its window, or of another context.


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        pytest.param({"starts_at": NOON}, True, id="the first instant"),
        pytest.param(
            {"starts_at": NOON + timedelta(microseconds=1)}, False, id="not yet"
        ),
        pytest.param({"ends_at": NOON}, False, id="the end is outside"),
        pytest.param({"ends_at": NOON + timedelta(microseconds=1)}, True, id="last"),
        pytest.param({"weekdays": [3]}, True, id="a Wednesday"),
        pytest.param({"weekdays": [1, 2, 4, 5, 6, 7]}, False, id="any other day"),
        pytest.param({"opens_at": time(12), "closes_at": time(13)}, True, id="open"),
        pytest.param({"opens_at": time(11), "closes_at": time(12)}, False, id="shut"),
        pytest.param(
            {"opens_at": time(22), "closes_at": time(13)}, True, id="midnight"
        ),
        pytest.param({"is_enabled": False}, False, id="off"),
    ],
)
def test_449_a_campaign_is_active_inside_all_its_windows(
    program, member, fields, is_open
):
    response = as_member(member, scratch_card(program, **fields)).send()

    if is_open:
        done(response)
    else:
        refused(response, 449)


@pytest.mark.parametrize("context", ["activity", "basket", "internal"])
def test_449_a_campaign_of_another_context(program, member, context):
    refused(as_member(member, make_campaign(program, context=context)).send(), 449)


# 424: not for this member.


def test_424_a_blocked_member(member, campaign):
    call = as_member(member, campaign)
    member.is_blocked = True
    member.save()

    refused(call.send(), 424)


@pytest.mark.parametrize("level", ["campaign", "method"])
def test_424_a_member_outside_the_audience(program, member, level):
    segments = {"included_segments": [make_segment(program)]}
    on_campaign = segments if level == "campaign" else {}
    campaign = scratch_card(
        program,
        reward_method="methods",
        handling="random_draw",
        points=0,
        **on_campaign,
    )
    make_method(campaign, **({} if on_campaign else segments))

    refused(as_member(member, campaign).send(), 424)


def test_424_a_member_in_an_excluded_segment(program, member):
    segment = make_segment(program, [member])
    campaign = scratch_card(program, excluded_segments=[segment])

    refused(as_member(member, campaign).send(), 424)


def test_424_a_member_below_the_tier(program, member):
    campaign = scratch_card(program, minimum_tier=make_tier(program, "Gold", 1_000))

    refused(as_member(member, campaign).send(), 424)


# 450: the two faces.


@pytest.mark.parametrize("version", [None, "1.0.0"])
def test_t_23_who_has_had_every_reward_is_told_by_a_warning(
    program, member, coins, version
):
    give(member, coins, 1_000)
    campaign = priced(program, coins, cap_count=1, frequency_period_id=LIFETIME)
    call = as_member(member, campaign).with_headers({"X-Spaaza-API-Version": version})
    done(call.send())
    before = written()

    response = call.send()

    assert (response.status_code, response.json()) == (200, payload("already_redeemed"))
    assert balance(member, coins) == 550
    assert written() == before


def test_t_23_a_limit_of_each_method_for_the_member_is_the_same_warning(
    program, member
):
    campaign = scratch_card(program, reward_method="methods", points=0)
    make_method(campaign, cap_count=1, frequency_period_id=LIFETIME)
    call = as_member(member, campaign)
    done(call.send())

    assert call.send().json() == payload("already_redeemed")


def test_t_23_a_campaign_with_nothing_left_for_anybody_is_an_error(
    program, member, coins
):
    give(member, coins, 450)
    campaign = priced(program, coins, reward_method="methods", points=0)
    make_method(campaign, usage_limit=1)
    other = make_member(program)
    give(other, coins, 450)
    done(as_client(other, campaign).send())
    before = written()

    refused(as_member(member, campaign).send(), 450)

    assert balance(member, coins) == 450
    assert written() == before


@pytest.mark.parametrize("budget", [{"awards_budget": 1}, {"points_budget": 10}])
def test_450_a_budget_that_is_spent(program, member, budget):
    campaign = scratch_card(program, **budget)
    done(as_client(make_member(program), campaign).send())

    refused(as_member(member, campaign).send(), 450)


def test_450_what_the_member_has_had_is_told_before_what_is_left(program, member):
    campaign = scratch_card(
        program, awards_budget=1, cap_count=1, frequency_period_id=LIFETIME
    )
    call = as_member(member, campaign)
    done(call.send())

    assert call.send().json() == payload("already_redeemed")


def test_a_limit_per_day_counts_anew_the_next_day(program, member, noon):
    campaign = scratch_card(program, cap_count=1, frequency_period_id=2)
    call = as_client(member, campaign)
    done(call.send())
    assert call.send().json()["warnings"][0]["code"] == 450

    noon.move_to(datetime(2026, 3, 5, tzinfo=UTC))

    done(call.send())


# T-28, T-29: limits before the draw, price before the act.


def test_t_28_what_is_used_up_is_never_drawn(program, member):
    campaign = scratch_card(
        program, reward_method="methods", handling="random_draw", points=0
    )
    rare = make_method(campaign, points=5, usage_limit=2, weight=1_000_000)
    make_method(campaign, points=1)

    amounts = [
        done(as_client(member, campaign).send())["reward"]["wallet"]["amount"]
        for _ in range(8)
    ]

    assert amounts.count(5) == 2
    assert usage_of(rare) == (10, 2)
    assert Draw.objects.count() == 8


def test_t_29_451_leaves_no_trace(program, member, coins):
    give(member, coins, 449)
    campaign = priced(program, coins)
    before = written()

    for one in (as_member, as_admin, as_client):
        refused(one(member, campaign).send(), 451)

    assert balance(member, coins) == 449
    assert written() == before


def test_the_price_is_paid_once_from_the_wallet_it_names(program, member, coins):
    give(member, coins, 450)
    campaign = priced(program, coins)

    done(as_member(member, campaign).send())

    assert balance(member, coins) == 0
    refused(as_member(member, campaign).send(), 451)
    assert list(ledger_mismatches()) == []


def test_the_price_of_a_draw_is_known_before_it(program, member, coins):
    """The highest of all that can be won, so that it tells nothing."""
    campaign = scratch_card(
        program, reward_method="methods", handling="random_draw", points=0
    )
    for cost in (5, 20):
        make_method(campaign, usage_cost=cost, usage_cost_wallet=coins)
    give(member, coins, 19)
    refused(as_member(member, campaign).send(), 451)
    give(member, coins, 1)

    done(as_member(member, campaign).send())

    assert balance(member, coins) == 0


def test_t_29_if_not_every_independent_reward_can_be_paid_none_is_given(
    program, member, coins
):
    campaign = scratch_card(
        program, reward_method="methods", handling="independent", points=0
    )
    make_method(campaign, usage_cost=5, usage_cost_wallet=coins)
    make_method(campaign, usage_cost=6, usage_cost_wallet=coins)
    give(member, coins, 10)

    refused(as_member(member, campaign).send(), 451)

    assert balance(member, coins) == 10
    give(member, coins, 1)
    assert len(done(as_member(member, campaign).send())["rewards"]) == 2
    assert balance(member, coins) == 0


def test_t_33_paying_costs_no_tier(program, member):
    wallet = make_wallet(program)
    gold = make_tier(program, "Gold", 10)
    done(as_client(member, scratch_card(program, wallet=wallet)).send())
    dear = scratch_card(
        program,
        point_cost=10,
        point_cost_wallet=wallet,
        reward_method="nothing",
        points=0,
    )

    done(as_client(member, dear).send())

    member.refresh_from_db()
    assert (member.tier, balance(member, wallet)) == (gold, 0)


@pytest.mark.parametrize("may", [False, True])
def test_t_34_a_wallet_says_whether_it_may_go_below_zero(program, member, may):
    wallet_of(program)
    wallet = make_wallet(program, code="tab", name="Tab", allows_negative=may)
    give(member, wallet, 3)
    campaign = scratch_card(program, point_cost=10, point_cost_wallet=wallet)

    response = as_member(member, campaign).send()

    if may:
        done(response)
        assert balance(member, wallet) == -7
    else:
        refused(response, 451)
        assert balance(member, wallet) == 3


def test_t_30_the_context_of_a_campaign_stays(campaign):
    with pytest.raises(DatabaseError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(context="basket")
