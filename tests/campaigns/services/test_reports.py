"""What people are told that campaigns gave, and what is left to be won."""

from decimal import Decimal

import pytest

from activities.services.interacting import interact
from activities.services.interactions import Interact
from campaigns.reports import Given, InWallet, given_by, standings_of
from loyalty.models import Voucher, VoucherStock
from loyalty.services import vouchers
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_voucher_type,
    make_wallet,
)

pytestmark = pytest.mark.django_db


def composed(program, **fields):
    return make_campaign(
        program, context="interaction", reward_method="methods", points=0, **fields
    )


def act(campaign):
    member = make_member(campaign.program)
    command = Interact(campaign.pk, member.pk, "api")
    interact(campaign.program_id, command, now=NOON)


def test_points_into_other_wallets_are_told_apart():
    program = make_program()
    campaign = composed(program)
    stars = make_wallet(program, code="stars", name="Stars", decimals=1)
    make_method(campaign, points=10)
    make_method(campaign, points=Decimal("2.5"), wallet=stars)

    act(campaign)

    assert given_by([campaign.pk]) == {
        campaign.pk: Given(10, 2, (InWallet("Stars", 1, 25),))
    }


def test_what_is_left_of_a_voucher_is_no_other_award():
    program = make_program()
    kind = make_voucher_type(program, claimed_by_default=True)
    campaign = make_campaign(
        program,
        context="interaction",
        reward_method="voucher",
        voucher_type=kind,
        points=0,
    )
    act(campaign)
    wanted = vouchers.Redemption(Decimal(2), "B1")

    vouchers.redeem(
        program.pk,
        Voucher.objects.get().code,
        wanted,
        asker=vouchers.Asker("Vera"),
        now=NOON,
    )

    assert Voucher.objects.count() == 2
    assert given_by([campaign.pk]) == {campaign.pk: Given(0, 1)}


@pytest.mark.parametrize(
    ("codes", "stock", "left", "chance"),
    [(0, None, 0, 0), (0, 5, 0, 0), (3, None, 3, 0.5), (3, 5, 3, 0.5), (3, 2, 2, 0.5)],
)
def test_a_prize_without_codes_has_no_chance(codes, stock, left, chance):
    program = make_program()
    kind = make_voucher_type(program, codes="listed")
    VoucherStock.objects.filter(voucher_type=kind).update(codes_left=codes)
    campaign = composed(program, handling="random_draw")
    prize = {"reward_method": "voucher", "voucher_type": kind, "points": 0}
    methods = [
        make_method(campaign, usage_limit=stock, **prize),
        make_method(campaign, reward_method="nothing", points=0),
    ]

    voucher, blank = standings_of(campaign, methods)

    assert (voucher.left, voucher.chance) == (left, chance)
    assert (blank.left, blank.chance) == (None, 1 - chance)
