"""Voucher types, their lists of codes, and single vouchers in the admin."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from loyalty.models import (
    Member,
    Voucher,
    VoucherCodeJob,
    VoucherEvent,
    VoucherStock,
    VoucherType,
)
from loyalty.services import vouchers
from tests.admin.forms import complaints, page, save
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_voucher,
    make_voucher_type,
)


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def listed(program):
    return make_voucher_type(program, name="Coffee", codes="listed")


@pytest.fixture
def support(client, staff_of):
    client.force_login(staff_of("Support"))
    return client


def test_marketing_makes_a_type_by_answering_questions(marketing, program):
    answer = save(
        marketing,
        page(VoucherType, "add"),
        name="Ten percent",
        code="ten",
        kind="percentage",
        discount_ratio="0.1",
        expiry_days="30",
    )

    assert answer.status_code == 302, complaints(answer)
    row = VoucherType.objects.get()
    assert (row.kind, str(row.discount_ratio)) == ("percentage", "0.1000")
    text = marketing.get(page(VoucherType, "changelist")).content.decode()
    assert "10 % off the basket" in text
    assert "30 days" in text


def test_a_worth_that_does_not_fit_is_told_in_a_sentence(marketing, program):
    answer = save(marketing, page(VoucherType, "add"), name="Five", code="five")

    assert any("needs an amount above zero" in one for one in _all(answer))


def test_what_vouchers_depend_on_is_told_to_be_fixed(marketing, program):
    voucher_type = make_voucher_type(program)
    make_voucher(voucher_type, make_member(program))

    answer = save(
        marketing, page(VoucherType, "change", voucher_type.pk), kind="per_unit"
    )

    assert complaints(answer) == ["Fixed: there are vouchers or codes of this type."]


def test_codes_are_asked_for_and_made_in_the_background(
    marketing, listed, django_capture_on_commit_callbacks
):
    answer = marketing.post(
        page(VoucherType, "make_codes", listed.pk),
        {"confirmed": "yes", "count": "30"},
        follow=True,
    )

    job = VoucherCodeJob.objects.get()
    assert "30 codes are being made." in answer.content.decode()
    assert 'data-stage="working"' in answer.content.decode()
    assert (job.asked_count, job.created_by.username) == (30, "marketing")
    vouchers.run_code_job(job.pk)
    progress = marketing.get(page(VoucherType, "progress", listed.pk))
    assert progress["X-Upload-Stage"] == "done"
    assert "List of codes: 30 left" in progress.content.decode()


def test_a_file_of_codes_is_kept_and_read(marketing, listed):
    address = page(VoucherType, "upload_codes", listed.pk)
    answer = marketing.post(
        address,
        {
            "confirmed": "yes",
            "file": SimpleUploadedFile(
                "codes.csv", b"Gutschein-Code\nAB-1\nAB-2\nAB-1\n"
            ),
        },
    )
    assert "Gutschein-Code (looks like a heading" in answer.content.decode()
    assert not VoucherCodeJob.objects.exists()
    token = answer.context["form"].initial
    assert token["has_heading"]
    confirmed = {"confirmed": "yes", "token": token["token"], "has_heading": "on"}
    marketing.post(address, confirmed)
    again = marketing.post(address, confirmed, follow=True)
    assert "was used already" in again.content.decode()

    job = VoucherCodeJob.objects.get()
    vouchers.run_code_job(job.pk)
    text = marketing.get(page(VoucherType, "change", listed.pk)).content.decode()

    assert "codes.csv" in text
    assert "List of codes: 2 left" in text
    assert set(Voucher.objects.values_list("code", flat=True)) == {"AB-1", "AB-2"}


def test_unused_codes_are_removed_and_given_ones_stay(marketing, listed):
    address = page(VoucherType, "remove_codes", listed.pk)
    job = vouchers.ask_for_codes(listed, 5, user=None, now=timezone.now())
    vouchers.run_code_job(job.pk)
    codes = list(Voucher.objects.order_by("pk").values_list("code", flat=True))

    answer = marketing.post(
        address, {"confirmed": "yes", "codes": f" {codes[0].lower()} "}, follow=True
    )
    assert "1 unused code removed." in answer.content.decode()
    assert "List of codes: 4 left" in answer.content.decode()
    assert not Voucher.objects.filter(code=codes[0]).exists()

    answer = marketing.post(address, {"confirmed": "yes"}, follow=True)
    assert "List of codes: 0 left" in answer.content.decode()


def test_a_type_without_a_list_has_none_to_fill(marketing, program):
    voucher_type = make_voucher_type(program)

    text = marketing.get(page(VoucherType, "change", voucher_type.pk)).content.decode()

    assert "Vouchers" in text
    for name in ("make_codes", "upload_codes"):
        address = page(VoucherType, name, voucher_type.pk)
        assert address not in text
        assert marketing.get(address).status_code == 403


def test_who_only_looks_adds_no_codes(client, analyst, listed):
    client.force_login(analyst)

    answer = client.get(page(VoucherType, "make_codes", listed.pk))

    assert answer.status_code == 403


def test_support_cancels_a_voucher_for_a_reason(support, program):
    voucher = make_voucher(make_voucher_type(program), make_member(program, "ann"))
    address = page(Voucher, "cancel_voucher", voucher.pk)

    asked = support.get(address).content.decode()
    unreasoned = support.post(address, {"confirmed": "yes", "reason": ""})
    voucher.refresh_from_db()
    assert voucher.status == "generated"
    done = support.post(
        address, {"confirmed": "yes", "reason": "Complaint 7"}, follow=True
    )

    voucher.refresh_from_db()
    assert "5.00 off the basket and belongs to ann" in asked
    assert "This field is required" in unreasoned.content.decode()
    assert voucher.status == "void"
    assert "Complaint 7" in done.content.decode()
    assert VoucherEvent.objects.get().actor == "support"


def test_what_is_over_cannot_be_cancelled(support, program):
    fields = {"status": "redeemed", "claimed_at": NOON, "redeemed_at": NOON}
    voucher = make_voucher(make_voucher_type(program), make_member(program), **fields)
    address = page(Voucher, "cancel_voucher", voucher.pk)

    asked = support.get(address, follow=True)
    sent = support.post(address, {"confirmed": "yes", "reason": "x"}, follow=True)

    assert "Nothing to take back" in asked.content.decode()
    assert "is redeemed already" in sent.content.decode()
    assert not VoucherEvent.objects.exists()


def test_marketing_cannot_cancel(marketing, program):
    voucher = make_voucher(make_voucher_type(program), make_member(program))

    answer = marketing.get(page(Voucher, "cancel_voucher", voucher.pk))

    assert answer.status_code == 403


def test_a_listed_code_is_cancelled_off_its_list(support, listed):
    VoucherStock.objects.update(codes_left=1)
    empty = {"status": "available", "issued_at": None, "amount_original": None}
    voucher = make_voucher(listed, None, **empty)

    support.post(
        page(Voucher, "cancel_voucher", voucher.pk),
        {"confirmed": "yes", "reason": "leaked"},
    )

    assert VoucherStock.objects.get().codes_left == 0


def test_a_member_page_shows_the_vouchers_as_they_stand_now(support, program):
    member = make_member(program, "ann")
    voucher = make_voucher(make_voucher_type(program), member, expires_at=NOON)
    kept = make_voucher(voucher.voucher_type, member)

    text = support.get(page(Member, "change", member.pk)).content.decode()

    assert voucher.code in text
    assert kept.code in text
    assert "Expired" in text
    assert "Given, not claimed" in text


@pytest.mark.parametrize(
    ("term", "expected"),
    [("AB-1", ["AB-1"]), (" AB-1 ", ["AB-1"]), ("ann", ["AB-1", "AB-2"]), ("AB", [])],
)
def test_vouchers_are_found_by_whole_code_or_member(support, program, term, expected):
    voucher_type = make_voucher_type(program)
    ann, bob = make_member(program, "ann"), make_member(program, "bob")
    for code, member in (("AB-1", ann), ("AB-2", ann), ("AB-3", bob)):
        make_voucher(voucher_type, member, code=code)

    answer = support.get(page(Voucher, "changelist"), {"q": term})

    found = [one.code for one in answer.context["cl"].result_list]
    assert sorted(found) == expected


def test_codes_cannot_break_out_of_the_page(support, program):
    voucher = make_voucher(
        make_voucher_type(program), make_member(program), code='<b>"&'
    )

    text = support.get(page(Voucher, "change", voucher.pk)).content.decode()

    assert "<b>" not in text


def _all(answer):
    return [
        *complaints(answer),
        *answer.context["adminform"].form.non_field_errors(),
    ]
