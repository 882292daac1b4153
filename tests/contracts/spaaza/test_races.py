"""Many calls at the same moment: one act per key, and never more than there is."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from activities.models import Draw, Interaction
from activities.reports import ledger_mismatches
from loyalty import ledger
from loyalty.models import Account
from tests.builders import (
    NOON,
    make_member,
    make_method,
    make_program,
    make_wallet,
    usage_of,
)
from tests.callers import make_key
from tests.contracts.spaaza.client import Call, as_client, refused, scratch_card

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 25


@pytest.fixture
def program(transactional_db):
    return make_program()


def at_once(calls):
    """Return the answers of calls that start together, as far as threads go."""
    barrier = Barrier(THREADS)

    def run(mine):
        barrier.wait()
        try:
            return [call.send() for call in mine]
        finally:
            connection.close()

    shares = [calls[place::THREADS] for place in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for some in pool.map(run, shares) for answer in some]


def test_20_identical_calls_with_one_key_are_one_interaction(program):
    member = make_member(program)
    campaign = scratch_card(program)
    call = as_client(member, campaign).with_headers({"Idempotency-Key": "once"})

    answers = at_once([call] * 20)

    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    assert sum("Idempotency-Replayed" not in one for one in answers) == 1
    assert Interaction.objects.count() == 1
    assert Account.objects.get(member=member).balance == 10
    assert list(ledger_mismatches()) == []


def test_50_interactions_on_a_stock_of_20_give_exactly_20(program):
    wallet = make_wallet(program)
    campaign = scratch_card(
        program,
        wallet=wallet,
        reward_method="methods",
        handling="random_draw",
        points=0,
    )
    methods = [make_method(campaign, usage_limit=10, points=1) for _ in range(2)]
    key = make_key(program)[1]
    headers = {"Authorization": f"Bearer {key}"}
    members = [make_member(program) for _ in range(50)]

    answers = at_once(
        [
            Call(headers, {"campaign_id": campaign.pk, "user_id": member.pk})
            for member in members
        ]
    )

    assert sorted(one.status_code for one in answers) == [200] * 20 + [400] * 30
    for one in answers:
        if one.status_code == 400:
            refused(one, 450)
    assert [usage_of(method)[1] for method in methods] == [10, 10]
    assert Interaction.objects.count() == Draw.objects.count() == 20
    assert list(ledger_mismatches()) == []


def test_one_member_cannot_pay_twice_with_the_same_points(program):
    member = make_member(program)
    coins = make_wallet(program, code="coins", name="Coins")
    ledger.adjust(member, coins.pk, 35, at=NOON, reason="start")
    campaign = scratch_card(
        program, wallet=coins, points=1, point_cost=10, point_cost_wallet=coins
    )

    answers = at_once([as_client(member, campaign)] * THREADS)

    # Each costs 10 and gives 1: 35, 26, 17, and 8 does not pay a fourth.
    assert sum(one.status_code == 200 for one in answers) == 3
    assert Account.objects.get(member=member, wallet=coins).balance == 8
    assert list(ledger_mismatches()) == []
