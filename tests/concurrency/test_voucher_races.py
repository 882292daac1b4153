"""Vouchers under many hands at once: once redeemed, and never more than listed."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection, transaction

from loyalty.errors import LoyaltyError
from loyalty.ledger import mismatches
from loyalty.models import Voucher, VoucherEvent, VoucherStock
from loyalty.services import vouchers
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = vouchers.Asker("till")


def at_once(count, call):
    """Let ``count`` threads make the call together; count what they are told."""
    barrier = Barrier(count)

    def run(place):
        barrier.wait()
        try:
            call(place)
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(run, range(count)))


def claimed_voucher():
    program = make_program()
    voucher_type = make_voucher_type(program)
    fields = {"status": "claimed", "claimed_at": NOON}
    return make_voucher(voucher_type, make_member(program), **fields)


def test_of_50_tills_one_redeems():
    voucher = claimed_voucher()

    told = at_once(
        50,
        lambda place: vouchers.redeem(
            voucher.program_id,
            voucher.code,
            vouchers.Redemption(Decimal(2), f"basket {place}"),
            asker=STAFF,
            now=NOON,
        ),
    )

    assert told == {"done": 1, "voucher_already_redeemed": 49}
    assert Voucher.objects.count() == 2
    assert VoucherEvent.objects.filter(kind="redeemed").count() == 1


def test_50_repetitions_of_one_redemption_are_one():
    voucher = claimed_voucher()

    told = at_once(
        50,
        lambda _: vouchers.redeem(
            voucher.program_id,
            voucher.code,
            vouchers.Redemption(Decimal(2), key="one"),
            asker=STAFF,
            now=NOON,
        ),
    )

    assert told == {"done": 50}
    assert Voucher.objects.count() == 2
    assert VoucherEvent.objects.filter(kind="redeemed").count() == 1


def test_50_claims_are_one_claim():
    program = make_program()
    voucher = make_voucher(make_voucher_type(program), make_member(program))

    told = at_once(
        50,
        lambda _: vouchers.claim(program.pk, [voucher.code], asker=STAFF, now=NOON),
    )

    assert told == {"done": 50}
    assert VoucherEvent.objects.filter(kind="claimed").count() == 1


def test_claims_of_the_same_vouchers_in_any_order_never_deadlock():
    program = make_program()
    voucher_type = make_voucher_type(program)
    member = make_member(program)
    codes = [make_voucher(voucher_type, member).code for _ in range(10)]

    told = at_once(
        20,
        lambda place: vouchers.claim(
            program.pk, codes[:: -1 if place % 2 else 1], asker=STAFF, now=NOON
        ),
    )

    assert told == {"done": 20}


def test_30_orders_for_20_listed_codes_get_exactly_20():
    program = make_program()
    voucher_type = make_voucher_type(program, codes="listed")
    empty = {"amount_original": None, "issued_at": None, "status": "available"}
    for _ in range(20):
        make_voucher(voucher_type, None, **empty)
    VoucherStock.objects.update(codes_left=20)
    members = [make_member(program) for _ in range(30)]

    def give(place):
        order = vouchers.Order(
            program.pk, voucher_type.pk, members[place].pk, None, place, NOON
        )
        with transaction.atomic():
            vouchers.issue([order], now=NOON)

    told = at_once(30, give)

    assert told == {"done": 20, "voucher_codes_spent": 10}
    given = Voucher.objects.filter(status="generated")
    assert given.values("member").distinct().count() == 20
    assert VoucherStock.objects.get().codes_left == 0


def test_no_rest_of_a_partial_redemption_slips_past_a_reversal():
    program = make_program()
    voucher_type = make_voucher_type(program, claimed_by_default=True)
    member = make_member(program)
    orders = [
        vouchers.Order(program.pk, voucher_type.pk, member.pk, None, 1, NOON)
        for _ in range(10)
    ]
    given = vouchers.issue(orders, now=NOON)

    def act(place):
        if place == 5:
            with transaction.atomic():
                vouchers.void_for_activities(
                    vouchers.Reversal([1]), now=NOON, reason="", actor=""
                )
            return
        vouchers.redeem(
            program.pk,
            given[place].code,
            vouchers.Redemption(Decimal(1), "B"),
            asker=STAFF,
            now=NOON,
        )

    at_once(10, act)

    assert set(Voucher.objects.values_list("status", flat=True)) <= {"redeemed", "void"}


def test_giving_cancelling_and_adding_codes_at_once_keeps_the_stock_true():
    program = make_program()
    voucher_type = make_voucher_type(program, codes="listed")
    member = make_member(program)
    empty = {"amount_original": None, "issued_at": None, "status": "available"}
    codes = [make_voucher(voucher_type, None, **empty).code for _ in range(24)]
    VoucherStock.objects.update(codes_left=24)
    jobs = [
        vouchers.ask_for_codes(voucher_type, 10, user=None, now=NOON) for _ in range(8)
    ]

    def act(place):
        if place % 3 == 0:
            order = vouchers.Order(
                program.pk, voucher_type.pk, member.pk, None, place, NOON
            )
            with transaction.atomic():
                vouchers.issue([order] * 2, now=NOON)
        elif place % 3 == 1:
            vouchers.cancel(
                program.pk, codes[place], reason="leaked", asker=STAFF, now=NOON
            )
        else:
            vouchers.run_code_job(jobs[place // 3].pk)

    told = at_once(24, act)

    assert told == {"done": 24}
    assert list(mismatches()) == []
    assert Voucher.objects.filter(status="generated").count() <= 16
    assert VoucherEvent.objects.filter(kind="issued").count() == 16
