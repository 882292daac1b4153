"""People type codes in small letters, with blanks, without hyphens."""

from importlib import import_module
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from loyalty.models import Voucher, VoucherStock
from loyalty.services import vouchers
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)
from tests.callers import caller_for, problem_in

pytestmark = pytest.mark.django_db

CODE = "XMAS-U2FH-77TE-EMPH"
TYPED = [
    "xmas-u2fh-77te-emph",
    " XMAS-U2FH-77TE-EMPH",
    "XMAS-U2FH-77TE-EMPH ",
    "XMASU2FH77TEEMPH",
    "xmas u2fh 77te emph",
    "XMAS\u2013U2FH\u201477TE\u2011EMPH",
    "XMAS\u2212U2FH\u00a077TE\u00adEMPH",
    "\uff38MAS-U2FH-77TE-EMPH",
]


@pytest.fixture
def voucher(db):
    program = make_program()
    voucher_type = make_voucher_type(program)
    return make_voucher(voucher_type, make_member(program), code=CODE)


@pytest.fixture
def client(voucher):
    return caller_for(voucher.program)


@pytest.mark.parametrize("typed", TYPED)
def test_a_code_is_found_claimed_and_redeemed_however_it_is_typed(client, typed):
    path = f"vouchers/{quote(typed)}"

    shown = client.get(path)
    listed = client.get(f"vouchers?code={quote(typed)}")
    claimed = client.post(f"{path}/claim", {})
    redeemed = client.post(f"{path}/redeem", {"basket_code": "b-1"})

    assert shown.json()["code"] == CODE
    assert [one["code"] for one in listed.json()["results"]] == [CODE]
    assert (claimed.status_code, redeemed.status_code) == (200, 200), redeemed.content
    assert Voucher.objects.get().status == "redeemed"


@pytest.mark.parametrize("typed", ["-", "XMAS-U2FH-77TE", "XMAS_U2FH_77TE_EMPH"])
def test_other_codes_are_not_found(client, typed):
    problem_in(client.get(f"vouchers/{quote(typed)}"), 404, "unknown_voucher")


def test_one_code_typed_twice_in_a_call_is_claimed_once(client):
    answer = client.post("vouchers/claim", {"codes": [CODE, *TYPED[:4]]})

    assert [one["code"] for one in answer.json()["results"]] == [CODE]


def test_codes_that_are_typed_alike_are_one_in_a_list(voucher):
    voucher_type = make_voucher_type(voucher.program, codes="listed")
    file = ContentFile(b"SUMMER-1\nsummer-1\nSUMMER1\nSUMMER-2\nxmas-u2fh77te-emph\n")
    file.name = "codes.txt"

    job = vouchers.upload_codes(
        voucher_type, file, has_heading=False, user=None, now=NOON
    )
    vouchers.run_code_job(job.pk)

    listed = Voucher.objects.filter(voucher_type=voucher_type).order_by("pk")
    assert list(listed.values_list("code", flat=True)) == ["SUMMER-1", "SUMMER-2"]
    assert VoucherStock.objects.get(voucher_type=voucher_type).codes_left == 2


def test_the_database_keeps_codes_that_are_typed_alike_apart(voucher):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_voucher(voucher.voucher_type, voucher.member, code=CODE.lower())


def test_the_code_of_another_program_may_be_the_same(voucher):
    other = make_program()

    make_voucher(make_voucher_type(other), make_member(other), code=CODE.lower())

    assert Voucher.objects.count() == 2


def test_codes_from_before_that_became_alike_are_marked_and_found_as_spelled(
    voucher, client
):
    # As the migration finds them: both there, none marked.
    module = import_module("loyalty.migrations.0036_mark_codes_alike")
    twin = make_voucher(
        voucher.voucher_type, voucher.member, code=CODE.lower(), is_code_duplicate=True
    )
    with connection.cursor() as cursor:
        cursor.execute(module.MARK)

    def found(code):
        return client.get(f"vouchers/{code}").json()["id"]

    assert found(CODE) == found(CODE.title()) == voucher.pk
    assert found(CODE.lower()) == twin.pk
    with pytest.raises(CommandError, match="1 codes"):
        call_command("check_voucher_codes")
