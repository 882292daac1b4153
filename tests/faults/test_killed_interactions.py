"""A process killed between any two statements of an interaction loses nothing."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from activities.models import Interaction
from activities.reports import ledger_mismatches
from activities.services.interacting import interact
from activities.services.interactions import Interact
from loyalty import ledger
from loyalty.models import Account, Voucher
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_type,
    make_voucher_type,
    make_wallet,
    usage_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign(transactional_db):
    program = make_program()
    make_type(program)
    wallet = make_wallet(program, code="credits", name="Credits")
    campaign = make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        points=0,
        point_cost=1,
        point_cost_wallet=wallet,
    )
    make_method(campaign, usage_limit=1_000)
    kind = make_voucher_type(program)
    make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)
    member = make_member(program)
    ledger.adjust(member, wallet.pk, 100, at=NOON, reason="start")
    interact(program.pk, Interact(campaign.pk, member.pk, "api", "first"), now=NOON)
    return campaign


def test_no_moment_of_an_interaction_is_a_bad_one_to_die(campaign):
    member_id = Interaction.objects.get().member_id
    arguments = [campaign.program_id, campaign.pk, member_id, "second", 150]

    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.player", *map(str, arguments)],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "WORKER_DATABASE": str(connection.settings_dict["NAME"]),
        },
        check=True,
        stdout=subprocess.PIPE,
        timeout=120,
    )

    assert int(done.stdout) > 20
    assert Interaction.objects.filter(key="second").count() == 1
    assert Interaction.objects.count() == Voucher.objects.count() == 2
    assert usage_of(campaign.methods.earliest("pk")) == (20, 2)
    accounts = Account.objects.filter(member=member_id)
    assert sorted(accounts.values_list("balance", flat=True)) == [20, 98]
    assert list(ledger_mismatches()) == []
