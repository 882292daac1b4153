"""Whatever goes missing or doubles behind the platform's back is named."""

import pytest
from django.db import connection

from activities.reports import ledger_mismatches
from activities.services import record_activity, reverse_activities
from activities.services.interacting import interact
from activities.services.interactions import Interact
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
)

pytestmark = pytest.mark.django_db

USE = "Everything that a reward method gave is counted while it stands"
PRICE = "Every price that a record tells was paid, and no other"
DRAW = "Every draw that a record tells is kept, and no other"
VOUCHER = "Every voucher that a record explains was given, and no other"
OPEN = "A voucher of an award that was taken back cannot be used"


def behind_its_back(statement):
    """Change rows as only the owner of the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def program():
    """A program with a draw of one voucher, which costs 5 points and is taken once.

    Another voucher came with an activity that was reversed.
    """
    program = make_program()
    make_type(program)
    wallet = make_wallet(program, code="scratches", allows_negative=True)
    campaign = make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        points=0,
        point_cost=5,
        point_cost_wallet=wallet,
    )
    voucher = {"reward_method": "voucher", "points": 0}
    make_method(campaign, voucher_type=make_voucher_type(program), **voucher)
    member = make_member(program)
    interact(program.pk, Interact(campaign.pk, member.pk, "api"), now=NOON)
    make_campaign(program, voucher_type=make_voucher_type(program), **voucher)
    reversed_id = record_activity(program.pk, purchase(member), now=NOON).activity_id
    reverse_activities(program.pk, [reversed_id], now=NOON, reason="returned")
    return program


def test_nothing_is_named_where_all_is_well(program):
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize(
    ("statement", "law"),
    [
        pytest.param(
            "DELETE FROM loyalty_completion WHERE offer_id IN"
            " (SELECT offer_ptr_id FROM campaigns_rewardmethod)",
            USE,
            id="a use of a reward method is lost",
        ),
        pytest.param(
            "DELETE FROM loyalty_completion WHERE offer_id IN"
            " (SELECT campaign_id FROM activities_interaction)",
            USE,
            id="an interaction is not counted",
        ),
        pytest.param(
            "DELETE FROM loyalty_entry WHERE kind = 'spend'",
            PRICE,
            id="a prize was not paid for",
        ),
        pytest.param(
            "UPDATE activities_interaction SET decision = decision - 'prices'",
            PRICE,
            id="a payment is not explained",
        ),
        pytest.param("DELETE FROM activities_draw", DRAW, id="a draw is lost"),
        pytest.param(
            "UPDATE activities_interaction SET decision = decision - 'draws'",
            DRAW,
            id="a draw is not told",
        ),
        pytest.param(
            "DELETE FROM loyalty_voucherevent; DELETE FROM loyalty_voucher",
            VOUCHER,
            id="a voucher is lost",
        ),
        pytest.param(
            "INSERT INTO loyalty_voucher (program_id, voucher_type_id, code, status,"
            " member_id, offer_id, activity_id, amount_original, amount_redeemed,"
            " issued_at, locked_for_basket, locking_code, redeemed_for_basket,"
            " redemption_key, created_at) SELECT program_id, voucher_type_id, 'TWIN',"
            " status, member_id, offer_id, activity_id, amount_original, 0, issued_at,"
            " '', '', '', '', created_at FROM loyalty_voucher"
            " WHERE status = 'generated'",
            VOUCHER,
            id="a voucher is doubled",
        ),
        pytest.param(
            "UPDATE loyalty_voucher SET status = 'generated', voided_at = NULL",
            OPEN,
            id="a voucher of a reversed activity can be used",
        ),
    ],
)
def test_what_is_lost_or_doubled_is_named(program, statement, law):
    behind_its_back(statement)

    assert law in {one.law for one in ledger_mismatches()}
