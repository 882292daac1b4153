"""What is shown is true at that instant, whether or not the regular work has run."""

from datetime import timedelta
from decimal import Decimal

import pytest

from activities.services import record_activities
from activities.services.segments import matching_members
from campaigns.services.readiness import _can_pay
from loyalty.models import Account, SegmentRule
from loyalty.reports import holdings_of, outstanding_points
from loyalty.services import clock, upkeep
from tests.builders import (
    make_member,
    make_program,
    make_type,
    make_wallet,
    purchase,
    wallet_of,
)
from tests.callers import caller_for
from tests.engine.offers import offer

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def now():
    return clock.now()


@pytest.fixture(params=[True, False], ids=["work ran", "work did not run"])
def member(request, now):
    """Somebody with 100 expired, 30 released, 5 still pending and 7 that expire soon.

    Points are pending for two days and expire ten days after that.
    """
    program = make_program()
    wallet = make_wallet(program, pending_days=2, expiry_model="days", expiry_count=10)
    make_type(program, wallet=wallet)
    member = make_member(program)
    for value, days in (("100", 13), ("30", 3), ("5", 1), ("7", 11)):
        at = now - days * DAY
        command = purchase(member, value, occurred_at=at)
        record_activities(program.pk, [command], now=at)
    if request.param:
        upkeep.expire_points(at=now)
        upkeep.release_points(at=now)
    return member


def test_the_api_tells_what_can_be_had_now(member):
    client = caller_for(member.program)

    (balance,) = client.get(f"members/{member.pk}/balances").json()["results"]
    lots = client.get(f"members/{member.pk}/lots").json()["results"]
    open_lots = client.get(f"members/{member.pk}/lots?is_open=true").json()["results"]

    told = [balance[one] for one in ("balance", "pending", "available")]
    assert told == [42, 5, 37]
    assert {lot["amount"]: lot["remaining"] for lot in lots} == {
        100: 0,
        30: 30,
        5: 5,
        7: 7,
    }
    assert [lot["amount"] for lot in lots if lot["is_pending"]] == [5]
    assert {lot["amount"] for lot in open_lots} == {30, 5, 7}


def test_the_page_of_a_member_tells_it(member, now):
    (holding,) = holdings_of(member, now)

    assert (holding.balance, holding.pending, holding.spendable) == (42, 5, 37)
    assert (holding.next_expiry, holding.next_expiry_at > now) == (7, True)


def test_the_first_page_tells_the_debt(member, now):
    (line,) = outstanding_points(member.program, at=now, expiring_until=now + 2 * DAY)

    assert (line.points, line.pending, line.expiring) == (42, 5, 7)


def test_lists_of_accounts_tell_it(member, now):
    account = Account.objects.as_of(now).get(member=member)

    assert (account.balance_at, account.pending_at, account.spendable_at) == (42, 5, 37)


@pytest.mark.parametrize(("number", "is_in"), [("42", True), ("43", False)])
def test_segments_by_balance_select_by_it(member, now, number, is_in):
    wallet = wallet_of(member.program)
    one = SegmentRule(
        fact="balance", comparison="at_least", number=Decimal(number), wallet=wallet
    )

    found = matching_members(member.program_id, [one], now=now, limit=10)

    assert list(found) == ([member.pk] if is_in else [])


def test_readiness_counts_who_can_pay_by_it(member, now):
    wallet_id = wallet_of(member.program).pk
    prices = [offer(id=n, cost=n, cost_wallet_id=wallet_id) for n in (37, 38)]

    assert _can_pay(prices, now) == {(wallet_id, 37): 1}
