"""5.2 and 6.2: what was won; T-27."""

from datetime import timedelta
from decimal import Decimal

import pytest

from activities.models import Draw, Interaction
from campaigns.models import RewardMethod
from loyalty.models import Account, Voucher
from tests.builders import (
    NOON,
    make_method,
    make_segment,
    make_voucher_type,
    make_wallet,
)
from tests.contracts.spaaza.client import as_client, as_member, done, scratch_card

pytestmark = pytest.mark.django_db
FIELDS = {
    "reward_method_id",
    "type",
    "title",
    "description",
    "image_url",
    "voucher",
    "wallet",
}


def composed(program, **fields):
    """Return a campaign with which members interact, with methods to be added."""
    defaults = {"reward_method": "methods", "handling": "random_draw", "points": 0}
    return scratch_card(program, **{**defaults, **fields})


def gives_voucher(campaign, **fields):
    kind = make_voucher_type(campaign.program, **fields)
    return make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)


def test_points_are_told_with_their_wallet(program, member):
    coins = make_wallet(program, code="coins", name="Coins", decimals=2)
    campaign = composed(program)
    method = make_method(
        campaign,
        wallet=coins,
        points=Decimal("12.50"),
        title="Twelve and a half",
        details="Well done",
        image_url="https://cdn.example.com/win.png",
    )

    response = as_member(member, campaign).send()

    results = done(response)
    assert results["reward"] == {
        "reward_method_id": method.pk,
        "type": "points",
        "title": "Twelve and a half",
        "description": "Well done",
        "image_url": "https://cdn.example.com/win.png",
        "voucher": None,
        "wallet": {"campaign_id": coins.pk, "code": "coins", "amount": 12.5},
    }
    assert results["rewards"] == [results["reward"]]
    assert b'"amount":12.50' in response.content


def test_a_campaign_without_methods_tells_its_own_reward(member, campaign):
    reward = done(as_member(member, campaign).send())["reward"]

    assert set(reward) == FIELDS
    assert (reward["reward_method_id"], reward["type"]) == (campaign.pk, "points")
    assert reward["wallet"]["amount"] == 10


@pytest.mark.parametrize(
    ("fields", "kind", "amount", "ratio"),
    [
        ({"kind": "basket", "amount": Decimal(5)}, "basket", 5, None),
        ({"kind": "per_unit", "amount": Decimal("0.25")}, "per_unit", 0.25, None),
        ({"kind": "perk", "amount": None}, "perk", None, None),
        (
            {"kind": "percentage", "discount_ratio": Decimal("0.15")},
            "percentage",
            None,
            0.15,
        ),
    ],
)
def test_a_voucher_of_each_kind_is_told(program, member, fields, kind, amount, ratio):
    campaign = composed(program)
    method = gives_voucher(campaign, title="For you", **fields)

    reward = done(as_member(member, campaign).send())["reward"]

    voucher = Voucher.objects.get()
    assert (reward["reward_method_id"], reward["title"]) == (method.pk, "For you")
    assert (reward["type"], reward["wallet"]) == (f"voucher_{kind}", None)
    assert reward["voucher"] == {
        "voucher_key": voucher.code,
        "voucher_id": voucher.pk,
        "voucher_type": kind,
        "voucher_status": "generated",
        "voucher_amount": amount,
        "voucher_discount_ratio": ratio,
        "voucher_expiry_datetime_utc": None,
    }


def test_a_voucher_may_be_claimed_at_once_and_end(program, member):
    campaign = composed(program)
    gives_voucher(campaign, claimed_by_default=True, expiry_days=30)

    voucher = done(as_member(member, campaign).send())["reward"]["voucher"]

    ends_at = (NOON + timedelta(days=30)).isoformat().replace("+00:00", "Z")
    assert voucher["voucher_status"] == "claimed"
    assert voucher["voucher_expiry_datetime_utc"] == ends_at


def test_t_27_no_win_is_a_method_and_then_nothing_is_told(program, member):
    campaign = composed(program)
    make_method(campaign, reward_method="nothing", points=0)

    results = done(as_member(member, campaign).send())

    assert set(results) == {"success", "result_type"}
    assert Draw.objects.count() == 1


def test_t_27_a_draw_always_gives_one_of_what_can_be_won(program, member):
    campaign = composed(program)
    methods = [make_method(campaign, points=points) for points in (1, 2, 3)]
    make_method(campaign, points=100, weight=0)
    make_method(campaign, points=200, included_segments=[make_segment(program)])

    won = [done(as_client(member, campaign).send())["rewards"] for _ in range(12)]

    assert all(len(rewards) == 1 for rewards in won)
    numbers = {rewards[0]["reward_method_id"] for rewards in won}
    assert numbers <= {method.pk for method in methods}


def test_independent_methods_are_all_given_and_the_first_is_the_reward(program, member):
    campaign = composed(program, handling="independent")
    first = make_method(campaign, points=1)
    second = gives_voucher(campaign)
    make_method(campaign, reward_method="nothing", points=0)
    make_method(campaign, points=4, included_segments=[make_segment(program)])

    results = done(as_member(member, campaign).send())

    numbers = [one["reward_method_id"] for one in results["rewards"]]
    assert numbers == [first.pk, second.pk]
    assert results["reward"] == results["rewards"][0]
    assert Account.objects.get(member=member).balance == 1


def test_a_campaign_that_gives_nothing_succeeds_and_tells_no_reward(program, member):
    campaign = scratch_card(program, reward_method="nothing", points=0)

    assert set(done(as_member(member, campaign).send())) == {"success", "result_type"}
    assert Interaction.objects.count() == 1


def test_a_method_that_is_switched_off_gives_nothing(program, member):
    campaign = composed(program)
    make_method(campaign, points=1)
    make_method(campaign, points=9, is_enabled=False)

    assert RewardMethod.objects.count() == 2
    assert done(as_member(member, campaign).send())["reward"]["wallet"]["amount"] == 1
