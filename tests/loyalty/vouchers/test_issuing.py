"""Giving vouchers in bulk, and taking back what an activity earned."""

import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import Voucher, VoucherEvent, VoucherStock
from loyalty.services import vouchers
from loyalty.services.vouchers import codes
from loyalty.services.vouchers.refusals import UnknownVoucherType, VoucherCodesSpent
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db


def order(voucher_type, member, activity_id=None, at=NOON):
    return vouchers.Order(
        voucher_type.program_id, voucher_type.pk, member.pk, None, activity_id, at
    )


def listed_type(program, *names, **fields):
    voucher_type = make_voucher_type(program, codes="listed", **fields)
    for name in names:
        make_voucher(
            voucher_type,
            None,
            code=name,
            status="available",
            amount_original=None,
            issued_at=None,
        )
    VoucherStock.objects.filter(voucher_type=voucher_type).update(codes_left=len(names))
    return voucher_type


def test_what_is_returned_is_what_is_stored_in_the_order_asked():
    program = make_program()
    basket = make_voucher_type(program, prefix="A-", expiry_days=2)
    share = make_voucher_type(
        program,
        kind="percentage",
        discount_ratio=Decimal("0.15"),
        claimed_by_default=True,
    )
    one, two = make_member(program), make_member(program)

    given = vouchers.issue(
        [order(share, two, 7), order(basket, one, 8), order(basket, two, 9)], now=NOON
    )

    assert [(v.voucher_type_id, v.member_id, v.activity_id) for v in given] == [
        (share.pk, two.pk, 7),
        (basket.pk, one.pk, 8),
        (basket.pk, two.pk, 9),
    ]
    assert [v.status for v in given] == ["claimed", "generated", "generated"]
    assert given[1].code.startswith("A-")
    assert given[1].expires_at == NOON + timedelta(days=2)
    fields = [field.attname for field in Voucher._meta.concrete_fields]
    for voucher in given:
        stored = Voucher.objects.get(pk=voucher.pk)
        assert {n: getattr(stored, n) for n in fields} == {
            n: getattr(voucher, n) for n in fields
        }
    assert VoucherEvent.objects.filter(kind="issued").count() == 3


@pytest.mark.parametrize(
    ("days", "until", "expected"),
    [
        pytest.param(None, None, None, id="for ever"),
        pytest.param(3, None, timedelta(days=3), id="days from being given"),
        pytest.param(None, timedelta(days=9), timedelta(days=9), id="a fixed end"),
        pytest.param(3, timedelta(days=9), timedelta(days=3), id="the earlier, days"),
        pytest.param(3, timedelta(days=1), timedelta(days=1), id="the earlier, end"),
    ],
)
def test_a_voucher_ends_at_the_earlier_of_both_ends(days, until, expected):
    program = make_program()
    voucher_type = make_voucher_type(
        program, expiry_days=days, expires_at=until and NOON + until
    )

    (given,) = vouchers.issue([order(voucher_type, make_member(program))], now=NOON)

    assert given.expires_at == (expected and NOON + expected)


def test_listed_codes_are_given_once_and_oldest_first():
    program = make_program()
    first = listed_type(program, "Z1", "A2", "M3")
    second = listed_type(program, "B1")
    member = make_member(program)

    given = vouchers.issue(
        [order(first, member), order(second, member), order(first, member)], now=NOON
    )

    assert [v.code for v in given] == ["Z1", "B1", "A2"]
    assert vouchers.stock_of([first.pk, second.pk], lock=False) == {
        first.pk: 1,
        second.pk: 0,
    }


def test_a_list_that_is_too_short_gives_nothing():
    program = make_program()
    voucher_type = listed_type(program, "A", "B")
    member = make_member(program)

    with pytest.raises(VoucherCodesSpent) as refusal:
        vouchers.issue([order(voucher_type, member)] * 3, now=NOON)

    assert refusal.value.facts["codes_left"] == 2
    assert Voucher.objects.filter(status="available").count() == 2


def test_stock_is_known_of_lists_only():
    program = make_program()
    listed, made = listed_type(program, "A"), make_voucher_type(program)

    assert vouchers.stock_of([listed.pk, made.pk]) == {listed.pk: 1, made.pk: None}
    with pytest.raises(UnknownVoucherType):
        vouchers.stock_of([0])


def test_a_type_of_another_program_is_unknown():
    voucher_type = make_voucher_type(make_program())
    other = make_program()
    wrong = order(voucher_type, make_member(other))._replace(program_id=other.pk)

    with pytest.raises(UnknownVoucherType):
        vouchers.issue([wrong], now=NOON)


def test_a_code_that_is_taken_is_made_anew(monkeypatch):
    program = make_program()
    voucher_type = make_voucher_type(program)
    member = make_member(program)
    make_voucher(voucher_type, member, code="AAAA-AAAA-AAAA")
    numbers = iter([0, 0, *range(1, 9)])
    monkeypatch.setattr(
        secrets, "token_bytes", lambda size: bytes([next(numbers)] * size)
    )

    given = vouchers.issue([order(voucher_type, member)] * 2, now=NOON)

    assert [v.code for v in given] == ["BBBB-BBBB-BBBB", "CCCC-CCCC-CCCC"]


def test_the_number_of_statements_is_the_same_for_few_and_many(
    django_assert_num_queries,
):
    program = make_program()
    types = [make_voucher_type(program) for _ in range(3)]
    lists = [listed_type(program, *(f"{n}-{i}" for i in range(9))) for n in range(3)]
    member = make_member(program)

    with django_assert_num_queries(5):
        vouchers.issue([order(types[0], member), order(lists[0], member)], now=NOON)
    with django_assert_num_queries(5):
        vouchers.issue([order(one, member) for one in (types + lists) * 2], now=NOON)


def test_codes_are_easy_to_read_and_each_symbol_is_used():
    made = codes.make_codes("X-", 2_000)

    assert len(set(made)) == 2_000
    assert all(len(code) == len("X-") + 14 for code in made)
    assert set("".join(code[2:] for code in made)) == set(codes.ALPHABET) | {"-"}
    assert not set("IO01") & set(codes.ALPHABET)


def test_a_reversal_takes_back_what_is_not_redeemed():
    program = make_program()
    voucher_type = listed_type(program, "A", "B", "C", "D")
    member = make_member(program)
    given = vouchers.issue(
        [order(voucher_type, member, activity) for activity in (1, 1, 2)], now=NOON
    )
    used = Voucher.objects.filter(pk=given[0].pk)
    used.update(status="redeemed", claimed_at=NOON, redeemed_at=NOON, amount_redeemed=5)

    taken = vouchers.void_for_activities(
        vouchers.Reversal([1]), now=NOON, reason="returned", actor="till"
    )

    assert taken.voided == [given[1].pk]
    assert [v.pk for v in taken.redeemed] == [given[0].pk]
    statuses = dict(Voucher.objects.values_list("code", "status"))
    assert statuses == {
        "A": "redeemed",
        "B": "void",
        "C": "generated",
        "D": "available",
    }
    assert vouchers.stock_of([voucher_type.pk])[voucher_type.pk] == 1
    event = VoucherEvent.objects.get(kind="voided")
    assert (event.reason, event.actor) == ("returned", "till")


def test_a_second_reversal_finds_nothing():
    program = make_program()
    voucher_type = make_voucher_type(program)
    vouchers.issue([order(voucher_type, make_member(program), 1)], now=NOON)
    words: dict[str, Any] = {"now": NOON, "reason": "returned", "actor": ""}

    first = vouchers.void_for_activities(vouchers.Reversal([1]), **words)
    second = vouchers.void_for_activities(vouchers.Reversal([1, 2]), **words)

    assert (len(first.voided), second) == (1, vouchers.TakenBack([], []))


def test_single_vouchers_go_or_stay_as_a_reversal_names_them():
    program = make_program()
    voucher_type = make_voucher_type(program)
    member = make_member(program)
    first, second = make_campaign(program), make_campaign(program)
    orders = [
        order(voucher_type, member, activity)._replace(offer_id=offer.pk)
        for activity in (1, 2)
        for offer in (first, second)
    ]
    given = vouchers.issue(orders, now=NOON)
    reversal = vouchers.Reversal([1], also={(2, first.pk)}, but={(1, second.pk)})

    taken = vouchers.void_for_activities(reversal, now=NOON, reason="", actor="")

    assert taken.voided == [given[0].pk, given[2].pk]
