"""What stays as it is once points were moved in a wallet."""

import pytest
from django.db import IntegrityError, transaction

from activities.services import record_activities
from activities.services.interacting import interact
from activities.services.interactions import Interact
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_wallet,
    purchase,
    wallet_of,
)

pytestmark = pytest.mark.django_db

FIXED = [
    pytest.param({"code": "miles"}, "code of a wallet", id="the code"),
    pytest.param({"decimals": 2}, "decimals of a wallet", id="the decimals"),
]


def change(wallet, fields):
    for name, value in fields.items():
        setattr(wallet, name, value)
    with transaction.atomic():
        wallet.save()


@pytest.mark.parametrize(("fields", "message"), FIXED)
def test_what_explains_points_is_fixed_once_some_were_given(fields, message):
    program = make_program()
    make_type(program)
    change(wallet_of(program), {"code": "stars"})
    record_activities(program.pk, [purchase(make_member(program), "5")], now=NOON)

    with pytest.raises(IntegrityError, match=message):
        change(wallet_of(program), fields)

    change(wallet_of(program), {"name": "Miles"})


@pytest.mark.parametrize(("fields", "message"), FIXED)
def test_a_debit_fixes_them_too(fields, message):
    program = make_program()
    wallet = make_wallet(program, allows_negative=True)
    campaign = make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        points=0,
        point_cost=5,
        point_cost_wallet=wallet,
    )
    make_method(campaign, reward_method="nothing", points=0)
    command = Interact(campaign.pk, make_member(program).pk, "api")
    interact(program.pk, command, now=NOON)

    with pytest.raises(IntegrityError, match=message):
        change(wallet, fields)
