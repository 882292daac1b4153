"""Interactions under many hands at once: never more than there is, never unpaid."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Barrier

import pytest
from django.db import connection

from activities.models import Draw, Interaction
from activities.reports import ledger_mismatches
from activities.services import (
    interacting,
    record_activities,
    recording,
    reverse_activities,
)
from activities.services.draws import wrong_draws
from activities.services.interacting import interact
from activities.services.interactions import Interact
from campaigns.models import Campaign
from loyalty import ledger
from loyalty.errors import LoyaltyError
from loyalty.models import (
    Account,
    Completion,
    FrequencyPeriod,
    Voucher,
    VoucherStock,
)
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_voucher,
    make_voucher_type,
    make_wallet,
    purchase,
    usage_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def program(transactional_db):
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def credits_wallet(program):
    return make_wallet(program, code="credits", name="Credits", counts_for_tier=False)


def scratch_card(program, **fields):
    defaults = {
        "context": "interaction",
        "reward_method": "methods",
        "handling": "random_draw",
        "points": 0,
    }
    return make_campaign(program, **{**defaults, **fields})


def rich(program, wallet, points):
    member = make_member(program)
    ledger.adjust(member, wallet.pk, points, at=NOON, reason="start")
    return member


def at_once(jobs):
    """Let the jobs run together; count what they are told."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            return job()
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return Counter(pool.map(run, jobs))


def scratch(campaign, member, key=""):
    """Return the job to interact, which tells what came of it."""

    def job():
        command = Interact(campaign.pk, member.pk, "api", key)
        done = interact(campaign.program_id, command, now=NOON)
        if done.is_fully_redeemed:
            return "had all"
        return "replayed" if done.is_replay else "done"

    return job


def balances(wallet):
    rows = Account.objects.filter(wallet=wallet, member__isnull=False)
    return Counter(rows.values_list("balance", flat=True))


def assert_all_adds_up():
    assert list(ledger_mismatches()) == []
    assert list(wrong_draws()) == []


def test_50_members_at_a_stock_of_20_get_20_and_the_rest_pays_nothing(
    program, credits_wallet
):
    campaign = scratch_card(program, point_cost=5, point_cost_wallet=credits_wallet)
    method = make_method(campaign, usage_limit=20)
    members = [rich(program, credits_wallet, 5) for _ in range(50)]

    told = at_once([scratch(campaign, member) for member in members])

    assert told == {"done": 20, "campaign_fully_redeemed": 30}
    assert balances(credits_wallet) == {0: 20, 5: 30}
    assert usage_of(method) == (200, 20)
    assert Interaction.objects.count() == Draw.objects.count() == 20
    assert_all_adds_up()


def test_what_30_scratches_at_once_cost_is_paid_by_as_many_as_there_are_credits(
    program, credits_wallet
):
    campaign = scratch_card(program, point_cost=1, point_cost_wallet=credits_wallet)
    make_method(campaign)
    make_method(campaign, reward_method="nothing", points=0)
    member = rich(program, credits_wallet, 10)

    told = at_once([scratch(campaign, member)] * 30)

    assert told == {"done": 10, "insufficient_points": 20}
    assert balances(credits_wallet) == {0: 1}
    assert_all_adds_up()


def test_20_with_one_key_are_one(program, credits_wallet):
    campaign = scratch_card(program, point_cost=1, point_cost_wallet=credits_wallet)
    make_method(campaign)
    member = rich(program, credits_wallet, 10)

    told = at_once([scratch(campaign, member, "k")] * 20)

    assert told == {"done": 1, "replayed": 19}
    assert balances(credits_wallet) == {9: 1}
    assert_all_adds_up()


def test_one_key_of_20_members_is_that_of_the_first(program):
    campaign = scratch_card(program)
    make_method(campaign)
    members = [make_member(program) for _ in range(20)]

    told = at_once([scratch(campaign, member, "k") for member in members])

    assert told == {"done": 1, "key_reused": 19}
    assert Interaction.objects.count() == 1
    assert_all_adds_up()


@pytest.mark.parametrize("level", ["campaign", "method"])
def test_a_limit_of_one_for_each_member_holds_under_20_threads(program, level):
    once, _ = FrequencyPeriod.objects.get_or_create(
        unit="lifetime", defaults={"pk": 99, "name": "Lifetime"}
    )
    limit = {"cap_count": 1, "frequency_period": once}
    campaign = scratch_card(program, **(limit if level == "campaign" else {}))
    make_method(campaign, **(limit if level == "method" else {}))
    member = make_member(program)

    told = at_once([scratch(campaign, member)] * 20)

    assert told == {"done": 1, "had all": 19}
    assert_all_adds_up()


def test_30_members_at_7_voucher_codes_get_7(program, credits_wallet):
    campaign = scratch_card(program, point_cost=5, point_cost_wallet=credits_wallet)
    kind = make_voucher_type(program, codes="listed")
    empty = {"amount_original": None, "issued_at": None, "status": "available"}
    for _ in range(7):
        make_voucher(kind, None, **empty)
    VoucherStock.objects.update(codes_left=7)
    make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)
    members = [rich(program, credits_wallet, 5) for _ in range(30)]

    told = at_once([scratch(campaign, member) for member in members])

    assert told == {"done": 7, "campaign_fully_redeemed": 23}
    assert balances(credits_wallet) == {0: 7, 5: 23}
    given = Voucher.objects.filter(status="generated")
    assert given.values("member").distinct().count() == 7
    assert VoucherStock.objects.get().codes_left == 0
    assert_all_adds_up()


def test_a_campaign_that_is_switched_off_meanwhile_gives_nothing_afterwards(
    program, credits_wallet
):
    campaign = scratch_card(program, point_cost=1, point_cost_wallet=credits_wallet)
    make_method(campaign)
    members = [rich(program, credits_wallet, 5) for _ in range(19)]
    given_before = []

    def switch_off():
        Campaign.objects.filter(pk=campaign.pk).update(is_enabled=False)
        given_before.append(Interaction.objects.count())
        return "off"

    told = at_once([switch_off, *(scratch(campaign, member) for member in members)])

    assert told["done"] + told["campaign_not_active"] == 19
    assert told["done"] == Interaction.objects.count() == given_before[0]
    left = 4 * told["done"] + 5 * told["campaign_not_active"]
    assert sum(balances(credits_wallet).elements()) == left
    assert_all_adds_up()


def code_lists(program, count):
    """Return types of vouchers with a list of 30 codes each."""
    empty = {"amount_original": None, "issued_at": None, "status": "available"}
    kinds = [make_voucher_type(program, codes="listed") for _ in range(count)]
    for kind in kinds:
        for _ in range(30):
            make_voucher(kind, None, **empty)
    VoucherStock.objects.update(codes_left=30)
    return kinds


def record(program, member):
    def job():
        record_activities(program.pk, [purchase(member, "5")], now=NOON)
        return "recorded"

    return job


def reverse(program, activity_ids):
    def job():
        reverse_activities(program.pk, activity_ids, now=NOON, reason="returned")
        return "reversed"

    return job


def test_interactions_activities_and_reversals_do_not_wait_in_a_circle(
    program, credits_wallet, monkeypatch
):
    # Whoever is thrown out of a circle would otherwise just try again.
    monkeypatch.setattr(interacting, "_TRIES", 1)
    monkeypatch.setattr(recording, "_TRIES", 1)
    kinds = code_lists(program, 2)
    card = scratch_card(
        program,
        handling="independent",
        awards_budget=60_000,
        point_cost=1,
        point_cost_wallet=credits_wallet,
    )
    basket = make_campaign(
        program, reward_method="methods", points=0, points_budget=10**6
    )
    for campaign, some in ((card, kinds), (basket, kinds[::-1])):
        make_method(campaign, usage_limit=10_000, points=3)
        for kind in some:
            make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)
    members = [rich(program, credits_wallet, 50) for _ in range(4)]
    outcomes = record_activities(
        program.pk, [purchase(one, "5") for one in members * 2], now=NOON
    )
    ids = [one.activity_id for one in outcomes]
    who = cycle(members)
    jobs = [scratch(card, next(who)) for _ in range(12)]
    jobs += [record(program, next(who)) for _ in range(10)]
    jobs += [reverse(program, ids[place : place + 2]) for place in range(0, 8, 2)]

    told = at_once(jobs)

    assert told == {"done": 12, "recorded": 10, "reversed": 4}
    assert Completion.objects.filter(offer_id=card.pk).count() == 12
    assert_all_adds_up()
