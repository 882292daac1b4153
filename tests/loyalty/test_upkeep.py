"""Expiry and release over all programs."""

from datetime import timedelta

import pytest

from activities.services import record_activities
from loyalty.models import Account
from loyalty.services import upkeep
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db


def test_every_program_and_member_is_done_in_one_call():
    fields = {"expiry_model": "days", "expiry_count": 30, "pending_days": 10}
    for _ in range(2):
        program = make_program()
        make_type(program, wallet=make_wallet(program, **fields))
        for _ in range(2):
            command = purchase(make_member(program), "5")
            record_activities(program.pk, [command], now=NOON)

    released = upkeep.release_points(at=NOON + timedelta(days=10))
    expired = upkeep.expire_points(at=NOON + timedelta(days=40))

    assert (released, expired) == (4, 4)
    held = Account.objects.filter(member__isnull=False)
    assert set(held.values_list("balance", "pending")) == {(0, 0)}


def test_points_live_until_their_last_instant():
    program = make_program()
    wallet = make_wallet(program, expiry_model="days", expiry_count=30)
    make_type(program, wallet=wallet)
    command = purchase(make_member(program), "5")
    record_activities(program.pk, [command], now=NOON)

    assert upkeep.expire_points(at=NOON + timedelta(days=30, microseconds=-1)) == 0
    assert upkeep.expire_points(at=NOON + timedelta(days=30)) == 1
