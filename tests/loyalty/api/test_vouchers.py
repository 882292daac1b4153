"""Vouchers and their types over the API."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Voucher, VoucherCodeJob, VoucherEvent
from loyalty.services import vouchers
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def member(program):
    return builders.make_member(program)


@pytest.fixture
def voucher_type(program):
    return builders.make_voucher_type(program, title="Five off", currency="EUR")


@pytest.fixture
def voucher(voucher_type, member):
    return builders.make_voucher(voucher_type, member, code="ABCD-1")


@pytest.fixture
def claimed(voucher):
    fields = {"status": "claimed", "claimed_at": builders.NOON}
    Voucher.objects.filter(pk=voucher.pk).update(**fields)
    return voucher


def test_a_voucher_is_looked_up_by_its_code(client, voucher, member):
    answer = client.get("vouchers/ABCD-1").json()

    assert answer == {
        "id": voucher.pk,
        "code": "ABCD-1",
        "status": "generated",
        "type": voucher.voucher_type_id,
        "kind": "basket",
        "member": member.pk,
        "offer": None,
        "activity": None,
        "amount": "5",
        "amount_redeemed": "0",
        "discount_ratio": None,
        "currency": "EUR",
        "title": "Five off",
        "description": "",
        "image_url": "",
        "issued_at": "2026-03-04T12:00:00Z",
        "claimed_at": None,
        "redeemed_at": None,
        "voided_at": None,
        "expires_at": None,
        "locked_until": None,
        "locked_for_basket": "",
        "redeemed_for_basket": "",
        "regenerated_from": None,
    }


@pytest.mark.parametrize("path", ["NOBODY", "%00", "%ED%A0%80", "a" * 300, "claim%2F"])
def test_a_code_that_nobody_has_is_unknown(client, voucher, path):
    response = client.get(f"vouchers/{path}")

    assert response.status_code == 404


def test_vouchers_are_claimed_locked_and_redeemed_in_part(client, voucher):
    claimed = client.post("vouchers/ABCD-1/claim", {})
    locked = client.post(
        "vouchers/ABCD-1/lock",
        {"basket_code": "B1", "seconds": 60, "locking_code": "secret"},
    )
    refused = client.post("vouchers/ABCD-1/redeem", {"basket_code": "B2"})
    redeemed = client.post(
        "vouchers/ABCD-1/redeem",
        {"amount": 2.5, "basket_code": "B1", "locking_code": "secret"},
    )

    assert claimed.json()["status"] == "claimed"
    assert locked.json()["locked_for_basket"] == "B1"
    assert "secret" not in locked.content.decode()
    problem = problem_in(refused, 409, "voucher_locked")
    assert problem["voucher"] == "ABCD-1"
    assert redeemed.status_code == 200, redeemed.content
    answer = redeemed.json()
    assert answer["voucher"]["status"] == "redeemed"
    assert answer["voucher"]["amount_redeemed"] == "2.5"
    assert answer["voucher"]["redeemed_for_basket"] == "B1"
    rest = answer["regenerated_voucher"]
    assert (rest["amount"], rest["status"]) == ("2.5", "claimed")
    assert rest["regenerated_from"] == "ABCD-1"


def test_a_redemption_with_a_key_is_answered_twice_and_done_once(client, claimed):
    body = {"amount": "2"}

    first = client.post("vouchers/ABCD-1/redeem", body, Idempotency_Key="r-1")
    again = client.post("vouchers/ABCD-1/redeem", body, Idempotency_Key="r-1")
    other = client.post("vouchers/ABCD-1/redeem", body, Idempotency_Key="r-2")

    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    problem_in(other, 409, "voucher_already_redeemed")
    assert Voucher.objects.count() == 2


def test_a_redemption_for_the_same_basket_is_answered_as_the_first_time(
    client, claimed
):
    first, again = (
        client.post("vouchers/ABCD-1/redeem", {"basket_code": "B1"}) for _ in range(2)
    )

    assert first.json() == again.json()
    assert VoucherEvent.objects.count() == 1


def test_a_claim_is_taken_back_and_a_lock_let_go(client, claimed):
    client.post("vouchers/ABCD-1/lock", {"basket_code": "B1", "seconds": 60})

    unlocked = client.post("vouchers/ABCD-1/unlock", {})
    unclaimed = client.post("vouchers/ABCD-1/unclaim", {})

    assert unlocked.json()["locked_until"] is None
    assert unclaimed.json()["status"] == "generated"
    assert list(VoucherEvent.objects.order_by("pk").values_list("kind", "actor")) == [
        (kind, "API key till") for kind in ("locked", "unlocked", "unclaimed")
    ]


def test_ten_are_claimed_and_locked_in_one_call(client, voucher, member):
    more = builders.make_voucher(voucher.voucher_type, member)
    body = {
        "codes": [more.code, "ABCD-1"],
        "lock": {"basket_code": "B1", "seconds": 60},
    }

    answer = client.post("vouchers/claim", body)

    assert [one["code"] for one in answer.json()["results"]] == body["codes"]
    assert all(one["locked_for_basket"] == "B1" for one in answer.json()["results"])


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("vouchers/ABCD-1/lock", {"seconds": 60}, "/basket_code"),
        ("vouchers/ABCD-1/lock", {"basket_code": "B", "seconds": 0}, "/seconds"),
        ("vouchers/ABCD-1/lock", {"basket_code": "B", "seconds": 604801}, "/seconds"),
        ("vouchers/ABCD-1/lock", {"basket_code": 5, "seconds": 60}, "/basket_code"),
        ("vouchers/ABCD-1/redeem", {"amount": 0}, "/amount"),
        ("vouchers/ABCD-1/redeem", {"amount": -1}, "/amount"),
        ("vouchers/ABCD-1/redeem", {"amount": "1.00001"}, "/amount"),
        ("vouchers/ABCD-1/redeem", {"amout": 1}, "/amout"),
        ("vouchers/ABCD-1/claim", {"member": "7"}, "/member"),
        ("vouchers/ABCD-1/claim", {"lock": {"seconds": 60}}, "/lock/basket_code"),
        ("vouchers/claim", {"codes": []}, "/codes"),
        ("vouchers/claim", {"codes": ["x"] * 11}, "/codes"),
        ("vouchers/claim", {}, "/codes"),
    ],
)
def test_bodies_are_read_strictly(client, claimed, path, body, pointer):
    response = client.post(path, body)

    problem = problem_in(response, 400, "invalid")
    assert [place for place, _ in pointers_in(problem)] == [pointer]
    assert not VoucherEvent.objects.exists()


@pytest.mark.parametrize(
    ("change", "path", "body", "expected"),
    [
        ({}, "NOBODY/claim", {}, (404, "unknown_voucher")),
        ({}, "ABCD-1/redeem", {}, (409, "voucher_not_claimed")),
        ({"status": "expired"}, "ABCD-1/claim", {}, (409, "voucher_expired")),
        ({"expires_at": LONG_AGO}, "ABCD-1/claim", {}, (409, "voucher_expired")),
        (
            {"status": "void", "voided_at": LONG_AGO},
            "ABCD-1/claim",
            {},
            (409, "voucher_void"),
        ),
        ({}, "ABCD-1/claim", {"member": 1}, (403, "voucher_of_other_member")),
        (
            {"status": "claimed", "claimed_at": LONG_AGO},
            "ABCD-1/redeem",
            {"amount": "5.01"},
            (422, "amount_above_voucher"),
        ),
    ],
)
def test_refusals_have_their_codes_and_leave_the_key_free(
    client, voucher, change, path, body, expected
):
    if change:
        Voucher.objects.filter(pk=voucher.pk).update(**change)

    for _ in range(2):
        response = client.post(f"vouchers/{path}", body, Idempotency_Key="k")
        problem_in(response, *expected)

    assert not VoucherEvent.objects.exists()


def test_a_member_may_be_kept_from_claiming(client, voucher, member):
    type(voucher.voucher_type).objects.update(allows_member_to_claim=False)

    refused = client.post("vouchers/ABCD-1/claim", {"member": member.pk})

    problem_in(refused, 403, "claim_not_allowed")


def test_vouchers_are_filtered_by_what_holds_now(client, voucher, member):
    voucher_type = voucher.voucher_type
    other = builders.make_voucher_type(voucher_type.program, codes="listed")
    over = builders.make_voucher(voucher_type, member, expires_at=LONG_AGO)
    empty = {"status": "available", "issued_at": None, "amount_original": None}
    listed = builders.make_voucher(other, None, **empty)

    def found(query):
        return [row["id"] for row in client.get(f"vouchers{query}").json()["results"]]

    assert found("") == [over.pk, voucher.pk]
    assert found(f"?member={member.pk}") == [over.pk, voucher.pk]
    assert found("?status=expired") == [over.pk]
    assert found("?status=generated") == [voucher.pk]
    assert found("?status=available") == [listed.pk]
    assert found(f"?code={listed.code}") == [listed.pk]
    assert found(f"?type={other.pk}&status=available") == [listed.pk]
    assert found("?activity=7") == []
    assert client.get("vouchers?status=lost").status_code == 400


def test_pages_follow_each_other_with_the_same_number_of_queries(
    client, voucher_type, member
):
    def count(expected):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get("vouchers?page_size=200").json()
        assert len(answer["results"]) == expected
        return len(queries)

    builders.make_voucher(voucher_type, member)
    few = count(1)
    for _ in range(14):
        builders.make_voucher(voucher_type, member)

    assert count(15) == few
    page = client.get("vouchers?page_size=10").json()
    assert len(client.get(page["next"]).json()["results"]) == 5


@pytest.mark.parametrize(
    ("query", "content_type", "start"),
    [
        ("", "image/svg+xml", b"<svg"),
        ("?type=png", "image/png", b"\x89PNG"),
    ],
)
def test_the_code_is_drawn(client, voucher, query, content_type, start):
    response = client.get(f"vouchers/ABCD-1/qr{query}", Accept=content_type)

    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    assert response.content.startswith(start)
    problem_in(client.get("vouchers/ABCD-1/qr?type=gif"), 400, "invalid")


def test_another_program_sees_and_does_nothing(voucher):
    stranger = caller_for(builders.make_program())

    assert stranger.get("vouchers").json()["results"] == []
    problem_in(stranger.get("vouchers/ABCD-1"), 404, "unknown_voucher")
    problem_in(stranger.post("vouchers/ABCD-1/claim", {}), 404, "unknown_voucher")
    path = f"voucher-types/{voucher.voucher_type_id}"
    problem_in(stranger.get(path), 404, "not_found")
    problem_in(stranger.post(f"{path}/codes", {"count": 1}), 404, "not_found")


def test_writing_needs_the_scope(program, voucher):
    reader = caller_for(program, can_write=False)

    assert reader.get("vouchers/ABCD-1").status_code == 200
    problem_in(reader.post("vouchers/ABCD-1/claim", {}), 403, "missing_scope")


def test_a_type_is_created_changed_and_deleted(client):
    new = {
        "code": "ten-percent",
        "name": "Ten percent",
        "kind": "percentage",
        "discount_ratio": 0.1,
    }

    created = client.post("voucher-types", new)
    row = created.json()
    changed = client.patch(f"voucher-types/{row['id']}", {"expiry_days": 30})

    assert created.status_code == 201, created.content
    assert (row["discount_ratio"], row["codes_left"]) == ("0.1", None)
    assert changed.json()["expiry_days"] == 30
    assert client.delete(f"voucher-types/{row['id']}").status_code == 204


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "percentage"}, "voucher_type_worth_fits_its_kind"),
        ({"amount": 5, "currency": "eur"}, "voucher_type_currency_is_an_iso_code"),
        ({"amount": 5, "prefix": "a b"}, "voucher_type_prefix_is_easy_to_type"),
        ({"amount": 5, "expiry_days": 0}, "voucher_type_is_valid_for_a_day"),
        ({"amount": 5, "expiry_days": 36_501}, "voucher_type_ends_within_a_century"),
    ],
)
def test_types_that_cannot_be_are_refused_with_the_rule(client, body, code):
    answer = client.post("voucher-types", {"code": "x", "name": "X", **body})

    problem = problem_in(answer, 400, "invalid")
    assert problem["errors"][0]["code"] == code


def test_what_vouchers_depend_on_is_fixed(client, voucher):
    path = f"voucher-types/{voucher.voucher_type_id}"

    refused = client.patch(path, {"kind": "per_unit"})

    assert pointers_in(problem_in(refused, 400, "invalid")) == [("/kind", "invalid")]
    assert client.patch(path, {"amount": 7}).status_code == 200
    problem_in(client.delete(path), 409, "in_use")


def test_a_list_is_filled_in_the_background(
    client, program, django_capture_on_commit_callbacks, monkeypatch
):
    voucher_type = builders.make_voucher_type(program, codes="listed")
    path = f"voucher-types/{voucher_type.pk}"

    asked = client.post(f"{path}/codes", {"count": 7})
    sent = client.post(f"{path}/codes", {"codes": ["A", 'B"', "C,1", "A"]})
    for job in VoucherCodeJob.objects.order_by("pk"):
        vouchers.run_code_job(job.pk)
    done = client.get(f"{path}/codes").json()["results"]

    assert (asked.status_code, sent.status_code) == (202, 202)
    assert asked.json()["status"] == "waiting"
    assert [(one["added_count"], one["duplicate_count"]) for one in done] == [
        (3, 1),
        (7, 0),
    ]
    assert client.get(path).json()["codes_left"] == 10
    codes = Voucher.objects.filter(voucher_type=voucher_type)
    assert set(codes.values_list("code", flat=True)) >= {"A", 'B"', "C,1"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": 1, "codes": ["A"]},
        {"count": 0},
        {"count": 5_000_001},
        {"codes": []},
        {"codes": ["a b"]},
        {"codes": ["a/b"]},
    ],
)
def test_lists_are_filled_within_bounds(client, program, body):
    voucher_type = builders.make_voucher_type(program, codes="listed")

    response = client.post(f"voucher-types/{voucher_type.pk}/codes", body)

    problem_in(response, 400, "invalid")
    assert not VoucherCodeJob.objects.exists()


def test_a_type_without_a_list_has_none_to_fill(client, voucher_type):
    response = client.post(f"voucher-types/{voucher_type.pk}/codes", {"count": 1})

    problem_in(response, 409, "voucher_type_has_no_list")


def test_worth_and_moments_are_those_of_the_voucher(client, program, member):
    later = builders.NOON + timedelta(days=400_000)
    voucher_type = builders.make_voucher_type(program, amount=Decimal("12.3400"))
    voucher = builders.make_voucher(voucher_type, member, expires_at=later)

    answer = client.get(f"vouchers/{voucher.code}").json()

    assert answer["amount"] == "12.34"
    assert answer["expires_at"] == later.isoformat().replace("+00:00", "Z")
