"""What can be done with a voucher in each state, and what comes of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import Member, Voucher, VoucherEvent, VoucherStock
from loyalty.services import vouchers
from loyalty.services.vouchers.refusals import (
    TooManyVouchers,
    VoucherAlreadyRedeemed,
    VoucherRefusal,
)
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db

STAFF = vouchers.Asker("Vera")
HOUR = timedelta(hours=1)
CLAIMED = {"status": "claimed", "claimed_at": NOON}
LOCKED = {
    **CLAIMED,
    "locked_until": NOON + HOUR,
    "locked_for_basket": "B1",
    "locking_code": "secret",
}
STATES: dict[str, dict[str, Any]] = {
    "available": {
        "status": "available",
        "member": None,
        "issued_at": None,
        "amount_original": None,
    },
    "generated": {},
    "claimed": CLAIMED,
    "locked": LOCKED,
    "lock over": {**LOCKED, "locked_until": NOON},
    "redeemed": {
        **CLAIMED,
        "status": "redeemed",
        "redeemed_at": NOON,
        "amount_redeemed": Decimal(5),
        "redeemed_for_basket": "B0",
    },
    "at its end": {**CLAIMED, "expires_at": NOON},
    "before its end": {**CLAIMED, "expires_at": NOON + timedelta(microseconds=1)},
    "expired": {"status": "expired", "expires_at": NOON},
    "void": {"status": "void", "voided_at": NOON},
}
ACTIONS = {
    "claim": lambda v, by: vouchers.claim(v.program_id, [v.code], asker=by, now=NOON),
    "unclaim": lambda v, by: vouchers.unclaim(v.program_id, v.code, asker=by, now=NOON),
    "lock": lambda v, by: vouchers.lock(
        v.program_id, v.code, vouchers.Lock("B2", 60), asker=by, now=NOON
    ),
    "unlock": lambda v, by: vouchers.unlock(
        v.program_id, v.code, locking_code="", asker=by, now=NOON
    ),
    "redeem": lambda v, by: vouchers.redeem(
        v.program_id, v.code, vouchers.Redemption(basket_code="B2"), asker=by, now=NOON
    ),
    "cancel": lambda v, by: vouchers.cancel(
        v.program_id, v.code, reason="wrong", asker=by, now=NOON
    ),
}
NOT_GIVEN = "voucher_not_given"
USED = "voucher_already_redeemed"
OVER = "voucher_expired"
GONE = "voucher_void"
HELD = "voucher_locked"
UNCLAIMED = "voucher_not_claimed"
# State: what each action leaves, as a status or as the code of a refusal.
TABLE = {
    "available": [NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, "void"],
    "generated": ["claimed", "generated", UNCLAIMED, UNCLAIMED, UNCLAIMED, "void"],
    "claimed": ["claimed", "generated", "claimed", "claimed", "redeemed", "void"],
    "locked": ["claimed", "generated", HELD, HELD, HELD, "void"],
    "lock over": ["claimed", "generated", "claimed", "claimed", "redeemed", "void"],
    "redeemed": [USED, USED, USED, USED, USED, USED],
    "at its end": [OVER, OVER, OVER, OVER, OVER, OVER],
    "before its end": [
        "claimed",
        "generated",
        "claimed",
        "claimed",
        "redeemed",
        "void",
    ],
    "expired": [OVER, OVER, OVER, OVER, OVER, OVER],
    "void": [GONE, GONE, GONE, GONE, GONE, "void"],
}


def voucher_in(state, **type_fields):
    program = make_program()
    fields: dict[str, Any] = {"member": make_member(program), **STATES[state]}
    codes = "listed" if state == "available" else "generated"
    voucher_type = make_voucher_type(program, codes=codes, **type_fields)
    VoucherStock.objects.filter(voucher_type=voucher_type).update(codes_left=1)
    return make_voucher(voucher_type, **fields)


@pytest.mark.parametrize(
    ("state", "action", "expected"),
    [
        pytest.param(state, action, expected, id=f"{action} when {state}")
        for state, row in TABLE.items()
        for action, expected in zip(ACTIONS, row, strict=True)
    ],
)
def test_every_state_meets_every_action(state, action, expected):
    voucher = voucher_in(state)
    before = Voucher.objects.filter(pk=voucher.pk).values().get()

    try:
        ACTIONS[action](voucher, STAFF)
        outcome = Voucher.objects.get(pk=voucher.pk).status
    except VoucherRefusal as refusal:
        outcome = refusal.code
        assert Voucher.objects.filter(pk=voucher.pk).values().get() == before
        assert not VoucherEvent.objects.exists()

    assert outcome == expected


@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "cancel"])
def test_another_member_can_do_nothing(action):
    voucher = voucher_in("claimed")
    stranger = make_member(voucher.voucher_type.program)

    with pytest.raises(VoucherRefusal) as refusal:
        ACTIONS[action](voucher, vouchers.Asker(member_id=stranger.pk))

    assert refusal.value.code == "voucher_of_other_member"


@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "cancel"])
def test_nothing_is_done_for_a_blocked_member(action):
    voucher = voucher_in("claimed")
    Member.objects.update(is_blocked=True)

    with pytest.raises(VoucherRefusal) as refusal:
        ACTIONS[action](voucher, STAFF)

    assert refusal.value.code == "member_blocked"


@pytest.mark.parametrize("action", ["claim", "unclaim"])
def test_a_type_may_keep_members_from_claiming(action):
    voucher = voucher_in("generated", allows_member_to_claim=False)

    ACTIONS[action](voucher, STAFF)
    with pytest.raises(VoucherRefusal) as refusal:
        ACTIONS[action](voucher, vouchers.Asker(member_id=voucher.member_id))

    assert refusal.value.code == "claim_not_allowed"


def test_a_member_cannot_unclaim_what_a_basket_holds():
    voucher = voucher_in("locked")

    with pytest.raises(VoucherRefusal) as refusal:
        ACTIONS["unclaim"](voucher, vouchers.Asker(member_id=voucher.member_id))

    assert refusal.value.code == "voucher_locked"
    assert refusal.value.facts["locked_until"] == "2026-03-04T13:00:00+00:00"


@pytest.mark.parametrize(
    ("basket_code", "locking_code", "is_refused"),
    [
        pytest.param("B1", "secret", False, id="the basket with the code"),
        pytest.param("B1", "", True, id="the basket without the code"),
        pytest.param("B2", "secret", True, id="another basket"),
        pytest.param("", "secret", True, id="no basket"),
    ],
)
def test_only_the_basket_that_holds_it_redeems(basket_code, locking_code, is_refused):
    voucher = voucher_in("locked")
    wanted = vouchers.Redemption(basket_code=basket_code, locking_code=locking_code)

    try:
        vouchers.redeem(voucher.program_id, voucher.code, wanted, asker=STAFF, now=NOON)
        outcome = False
    except VoucherRefusal as refusal:
        outcome = refusal.code == "voucher_locked"

    assert outcome is is_refused


def test_the_basket_that_holds_it_may_hold_it_longer_or_let_go():
    voucher = voucher_in("locked")
    longer = vouchers.Lock("B1", 7200, "secret")

    vouchers.lock(voucher.program_id, voucher.code, longer, asker=STAFF, now=NOON)
    voucher.refresh_from_db()
    assert voucher.locked_until == NOON + 2 * HOUR

    vouchers.unlock(
        voucher.program_id, voucher.code, locking_code="secret", asker=STAFF, now=NOON
    )
    voucher.refresh_from_db()
    assert (voucher.locked_until, voucher.locked_for_basket) == (None, "")


def redeem(voucher, amount=None, basket_code="B1", key="", now=NOON):
    wanted = vouchers.Redemption(
        None if amount is None else Decimal(amount), basket_code, "", key
    )
    return vouchers.redeem(
        voucher.program_id, voucher.code, wanted, asker=STAFF, now=now
    )


@pytest.mark.parametrize(
    ("fields", "amount", "expected"),
    [
        ({"kind": "basket"}, None, ("5", None)),
        ({"kind": "basket"}, "5", ("5", None)),
        ({"kind": "basket"}, "2.5", ("2.5", "2.5")),
        ({"kind": "basket"}, "5.0001", "amount_above_voucher"),
        ({"kind": "perk"}, "2", ("2", "3")),
        ({"kind": "perk", "amount": None}, None, ("0", None)),
        ({"kind": "perk", "amount": None}, "1", "partial_redemption_not_possible"),
        ({"kind": "per_unit"}, None, ("5", None)),
        ({"kind": "per_unit"}, "1", "partial_redemption_not_possible"),
        ({"kind": "percentage", "discount_ratio": 1}, None, ("0", None)),
        (
            {"kind": "percentage", "discount_ratio": 1},
            "1",
            "partial_redemption_not_possible",
        ),
    ],
)
def test_what_each_kind_redeems(fields, amount, expected):
    voucher = voucher_in("claimed", **fields)

    outcome: Any
    try:
        done = redeem(voucher, amount)
        rest = done.regenerated and str(done.regenerated.amount_original.normalize())
        outcome = (str(done.voucher.amount_redeemed.normalize()), rest)
    except VoucherRefusal as refusal:
        outcome = refusal.code

    assert outcome == expected


def test_the_rest_is_a_voucher_of_the_same_right_under_a_new_code():
    voucher = voucher_in("before its end", prefix="X-")

    rest = redeem(voucher, "2").regenerated

    rest.refresh_from_db()
    assert (rest.status, rest.member_id) == ("claimed", voucher.member_id)
    assert rest.expires_at == voucher.expires_at
    assert rest.regenerated_from_id == voucher.pk
    assert rest.code.startswith("X-")
    assert rest.code != voucher.code
    kinds = VoucherEvent.objects.order_by("pk").values_list("voucher_id", "kind")
    assert list(kinds) == [(voucher.pk, "redeemed"), (rest.pk, "regenerated")]


@pytest.mark.parametrize(
    ("first", "second", "is_replay"),
    [
        pytest.param({}, {}, True, id="the same basket"),
        pytest.param({}, {"basket_code": "B2"}, False, id="another basket"),
        pytest.param({}, {"amount": "2"}, False, id="another amount"),
        pytest.param({"amount": "2"}, {"amount": "2"}, True, id="the same part"),
        pytest.param({"amount": "2"}, {}, False, id="a part, then all"),
        pytest.param({"amount": "5"}, {}, True, id="the whole by its number"),
        pytest.param({"key": "k"}, {"key": "k"}, True, id="the same key"),
        pytest.param(
            {"key": "k"}, {"key": "k", "basket_code": "B2"}, True, id="the key decides"
        ),
        pytest.param({"key": "k"}, {"key": "l"}, False, id="another key"),
        pytest.param({"key": "k"}, {}, False, id="no key any more"),
        pytest.param(
            {"basket_code": ""}, {"basket_code": ""}, False, id="nothing tells them"
        ),
        pytest.param({}, {"now": NOON + 100 * HOUR}, True, id="after its end"),
        pytest.param({}, {"is_blocked": True}, True, id="of a member blocked since"),
    ],
)
def test_a_redemption_that_is_sent_again_is_answered_as_the_first_time(
    first, second, is_replay
):
    second = dict(second)
    voucher = voucher_in("claimed")
    Voucher.objects.update(expires_at=NOON + HOUR)
    done = redeem(voucher, **first)
    Member.objects.update(is_blocked=second.pop("is_blocked", False))

    if is_replay:
        again = redeem(voucher, **second)
        assert again == (done.voucher, done.regenerated, True)
    else:
        with pytest.raises(VoucherAlreadyRedeemed):
            redeem(voucher, **second)

    assert VoucherEvent.objects.filter(kind="redeemed").count() == 1


def test_many_are_claimed_and_locked_together_or_not_at_all():
    first = voucher_in("generated")
    members = first.member
    more = [make_voucher(first.voucher_type, members) for _ in range(2)]
    codes = [one.code for one in [first, *more]]
    Voucher.objects.filter(pk=more[1].pk).update(status="void", voided_at=NOON)

    def claim(some):
        return vouchers.claim(
            first.program_id,
            some,
            asker=STAFF,
            now=NOON,
            lock=vouchers.Lock("B1", 60),
        )

    with pytest.raises(VoucherRefusal):
        claim(codes)
    assert not Voucher.objects.filter(status="claimed").exists()
    claimed = claim([codes[1], codes[0]])

    assert [one.code for one in claimed] == [codes[1], codes[0]]
    assert all(one.locked_for_basket == "B1" for one in claimed)


def test_at_most_ten_are_claimed_in_one_call():
    with pytest.raises(TooManyVouchers):
        vouchers.claim(1, [str(n) for n in range(11)], asker=STAFF, now=NOON)


def test_a_cancelled_listed_code_is_not_in_stock_any_more():
    voucher = voucher_in("available")

    ACTIONS["cancel"](voucher, STAFF)

    assert vouchers.stock_of([voucher.voucher_type_id]) == {voucher.voucher_type_id: 0}


def test_expiry_marks_what_is_over_in_steps(monkeypatch):
    monkeypatch.setattr("loyalty.services.vouchers.expiring.STEP", 2)
    voucher = voucher_in("locked")
    for _ in range(4):
        make_voucher(voucher.voucher_type, voucher.member, expires_at=NOON)
    Voucher.objects.filter(pk=voucher.pk).update(expires_at=NOON)
    later = make_voucher(voucher.voucher_type, voucher.member, expires_at=NOON + HOUR)

    count = vouchers.expire_vouchers(at=NOON)

    assert count == 5
    assert VoucherEvent.objects.filter(kind="expired").count() == 5
    later.refresh_from_db()
    assert later.status == "generated"
    assert vouchers.expire_vouchers(at=NOON) == 0


def test_another_program_does_not_know_the_code():
    voucher = voucher_in("claimed")
    other = make_program()

    with pytest.raises(VoucherRefusal) as refusal:
        vouchers.claim(other.pk, [voucher.code], asker=STAFF, now=NOON)

    assert refusal.value.code == "unknown_voucher"
