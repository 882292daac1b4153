"""What the database refuses of vouchers, whoever writes."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from loyalty.ledger import mismatches
from loyalty.models import (
    CodeSource,
    ConfigurationRevision,
    Voucher,
    VoucherEvent,
    VoucherStock,
    VoucherType,
)
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db


def test_a_voucher_of_one_program_has_no_member_of_another():
    voucher_type = make_voucher_type(make_program())
    stranger = make_member(make_program())

    with pytest.raises(IntegrityError, match="another program"), transaction.atomic():
        make_voucher(voucher_type, stranger)


def test_a_type_with_a_list_has_a_stock_and_its_change_is_a_revision():
    program = make_program()
    before = ConfigurationRevision.objects.filter(program=program).count()

    listed = make_voucher_type(program, codes=CodeSource.LISTED)
    make_voucher_type(program, code="other")

    assert [s.voucher_type_id for s in VoucherStock.objects.all()] == [listed.pk]
    newest = ConfigurationRevision.objects.filter(program=program).latest("number")
    assert "voucher type" in newest.changed
    assert before >= 1


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        pytest.param({"kind": "perk"}, True, id="the kind"),
        pytest.param({"currency": "EUR"}, True, id="the currency"),
        pytest.param({"codes": "listed"}, True, id="the source of codes"),
        pytest.param({"amount": Decimal(9)}, False, id="not the amount"),
    ],
)
def test_what_vouchers_depend_on_is_fixed(change, refused):
    program = make_program()
    voucher_type = make_voucher_type(program)
    make_voucher(voucher_type, make_member(program))

    def update():
        with transaction.atomic():
            VoucherType.objects.filter(pk=voucher_type.pk).update(**change)

    if refused:
        with pytest.raises(IntegrityError, match="fixed once"):
            update()
    else:
        update()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"code": "OTHER"}, id="code"),
        pytest.param({"amount_original": Decimal(9)}, id="amount"),
        pytest.param({"member": None}, id="member"),
    ],
)
def test_what_a_voucher_is_cannot_be_changed(change):
    program = make_program()
    voucher = make_voucher(make_voucher_type(program), make_member(program))

    with pytest.raises(IntegrityError, match="cannot be changed"):
        Voucher.objects.filter(pk=voucher.pk).update(**change)


def test_a_voucher_that_is_over_stays_over():
    program = make_program()
    voucher = make_voucher(make_voucher_type(program), make_member(program))
    Voucher.objects.filter(pk=voucher.pk).update(status="void", voided_at=NOON)

    with pytest.raises(IntegrityError, match="cannot be changed"):
        Voucher.objects.filter(pk=voucher.pk).update(status="generated", voided_at=None)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (
            {
                "status": "redeemed",
                "claimed_at": NOON,
                "redeemed_at": NOON,
                "amount_redeemed": Decimal(6),
            },
            "redeems_at_most",
        ),
        ({"amount_redeemed": Decimal(1)}, "redeemed_has"),
        ({"status": "redeemed"}, "redeemed_has"),
        ({"status": "claimed"}, "claimed_has"),
        ({"status": "void"}, "taken_back"),
        ({"status": "available"}, "given_has"),
        ({"locked_until": NOON, "locked_for_basket": "B1"}, "locked_names"),
        ({"code": ""}, "has_a_code"),
    ],
)
def test_rows_that_cannot_be_are_refused(fields, rule):
    program = make_program()
    voucher_type = make_voucher_type(program)
    member = make_member(program)

    with pytest.raises(IntegrityError, match=rule):
        make_voucher(voucher_type, member, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"amount": None}, id="a basket voucher needs an amount"),
        pytest.param({"kind": "percentage"}, id="a share needs a ratio"),
        pytest.param(
            {"kind": "percentage", "amount": None, "discount_ratio": Decimal("1.1")},
            id="no share above the whole",
        ),
        pytest.param({"kind": "perk", "discount_ratio": 1}, id="a perk has no share"),
        pytest.param({"expiry_days": 0}, id="valid for a day"),
        pytest.param({"currency": "eur"}, id="currency"),
        pytest.param({"prefix": "ab c"}, id="prefix"),
    ],
)
def test_types_that_cannot_be_are_refused(fields):
    program = make_program()

    with pytest.raises(IntegrityError):
        make_voucher_type(program, **fields)


def test_events_are_append_only():
    program = make_program()
    voucher = make_voucher(make_voucher_type(program), make_member(program))
    event = VoucherEvent.objects.create(voucher=voucher, kind="issued", created_at=NOON)

    with pytest.raises(IntegrityError, match="append-only"):
        VoucherEvent.objects.filter(pk=event.pk).update(reason="another")


def test_an_offer_gives_a_voucher_only_by_that_method():
    program = make_program()
    voucher_type = make_voucher_type(program)

    with (
        pytest.raises(IntegrityError, match="goes_with_its_method"),
        transaction.atomic(),
    ):
        make_campaign(program, voucher_type=voucher_type)
    with pytest.raises(IntegrityError, match="goes_with_its_method"):
        make_campaign(program, reward_method="voucher")


def test_an_offer_gives_no_voucher_of_another_program():
    voucher_type = make_voucher_type(make_program())

    with pytest.raises(IntegrityError, match="another program"):
        make_campaign(
            make_program(), reward_method="voucher", voucher_type=voucher_type
        )


def test_a_million_rows_are_guarded_once_per_statement():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger"
            " WHERE tgrelid = 'loyalty_voucher'::regclass AND NOT tgisinternal"
            " AND tgtype & 1 = 1 AND tgtype & 4 = 4"
        )
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize(
    ("law", "spoil"),
    [
        (
            "The stock of a voucher type is what nobody has of its list",
            lambda: VoucherStock.objects.update(codes_left=3),
        ),
        (
            "What a voucher redeemed and what its rest holds is its amount",
            lambda: Voucher.objects.filter(status="redeemed").update(amount_redeemed=4),
        ),
    ],
)
def test_check_ledger_names_what_does_not_add_up(law, spoil):
    program = make_program()
    make_voucher_type(program, codes="listed")
    fields = {"status": "redeemed", "claimed_at": NOON, "redeemed_at": NOON}
    make_voucher(
        make_voucher_type(program), make_member(program), amount_redeemed=5, **fields
    )
    assert list(mismatches()) == []

    spoil()

    assert [one.law for one in mismatches()] == [law]
