"""Laws of vouchers that hold after any sequence of steps."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import Voucher
from loyalty.services import vouchers
from loyalty.services.vouchers.refusals import VoucherRefusal
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db

STAFF = vouchers.Asker("Vera")
amounts = st.integers(1, 60_000).map(lambda units: Decimal(units).scaleb(-4))
steps = st.one_of(
    st.tuples(st.just("claim"), st.none()),
    st.tuples(st.just("redeem"), st.one_of(st.none(), amounts)),
    st.tuples(st.just("redeem"), amounts),
    st.tuples(st.just("lock"), st.none()),
    st.tuples(st.just("unclaim"), st.none()),
    st.tuples(st.just("expire"), st.none()),
    st.tuples(st.just("reverse"), st.none()),
)


def take(kind, amount, voucher, at):
    words = {"asker": STAFF, "now": at}
    program_id, code = voucher.program_id, voucher.code
    if kind == "claim":
        vouchers.claim(program_id, [code], **words)
    elif kind == "unclaim":
        vouchers.unclaim(program_id, code, **words)
    elif kind == "lock":
        vouchers.lock(program_id, code, vouchers.Lock("B", 1), **words)
    elif kind == "redeem":
        vouchers.redeem(program_id, code, vouchers.Redemption(amount, "B"), **words)
    elif kind == "expire":
        vouchers.expire_vouchers(at=at)
    else:
        vouchers.void_for_activities(
            vouchers.Reversal([7]), now=at, reason="return", actor=""
        )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sequence=st.lists(steps, max_size=12))
def test_what_was_redeemed_and_what_remains_is_what_was_given(sequence):
    program = make_program()
    voucher_type = make_voucher_type(program, expiry_days=9, claimed_by_default=True)
    member = make_member(program)
    order = vouchers.Order(program.pk, voucher_type.pk, member.pk, None, 7, NOON)
    vouchers.issue([order], now=NOON)

    for day, (kind, amount) in enumerate(sequence):
        newest = Voucher.objects.filter(program=program).latest("pk")
        try:
            take(kind, amount, newest, NOON + timedelta(days=day))
        except VoucherRefusal:
            pass

    chain = list(Voucher.objects.filter(program=program).order_by("pk"))
    redeemed = sum(one.amount_redeemed for one in chain)
    remaining = sum(
        one.amount_original or 0 for one in chain if one.status != "redeemed"
    )
    assert redeemed + remaining == voucher_type.amount
    assert all(
        (one.regenerated_from_id is None) == (place == 0)
        for place, one in enumerate(chain)
    )
