"""One receipt is one activity, whichever way it comes and however it is spelled."""

import itertools
from typing import Any

import pytest

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account, Identity
from tests.activities.uploads.files import checked, finished, refusals
from tests.builders import NOON, make_member, make_program, make_type
from tests.callers import caller_for, problem_in
from tests.contracts.es_loyalty.client import EsClient
from tests.contracts.hang.client import HangClient

pytestmark = pytest.mark.django_db

KEY = "till-7-1"
OF_HANG = {
    "activity_type_id": "PURCHASE",
    "transaction_timestamp": int(NOON.timestamp()),
}


@pytest.fixture
def program():
    program = make_program(time_zone="Europe/Paris")
    make_type(program)
    return program


@pytest.fixture
def member(program):
    member = make_member(program, "C-1")
    Identity.objects.create(
        program=program, member=member, kind="card", value="6000111"
    )
    return member


def balance(member) -> int:
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def by_number(program, member):
    return _sent(program, {"id": member.pk}, value="30")


def by_identity(program, member):
    return _sent(program, {"kind": "customer_id", "value": "C-1"}, value=30)


def by_another_identity(program, member):
    moment = "2026-03-04T17:30:00+05:30"
    card = {"kind": "card", "value": "6000111"}
    return _sent(program, card, value="30.00", occurred_at=moment)


def in_a_batch(program, member):
    body = {**_body({"kind": "card", "value": "6000111"}), "value": "30"}
    caller_for(program).post("activities/batch", {"activities": [body]})


def in_a_file(program, member):
    # On the program's clock, an hour ahead of UTC.
    row = {"member": "C-1", "occurred_at": "2026-03-04 13:00:00", "value": "30"}
    finished(program, [{"key": KEY, "type": "PURCHASE", **row}])


def in_a_file_by_card(program, member):
    row = {"member": "6000111", "occurred_at": "2026-03-04T12:00:00Z", "value": "30"}
    finished(
        program,
        [{"key": KEY, "type": "PURCHASE", **row, "register": "B"}],
        identity_kind="card",
    )


def by_hang(program, member):
    activity = {**OF_HANG, "value": "30"}
    body = {"idempotency_key": KEY, "activity": activity}
    response = HangClient(program).record(member, body)
    assert response.status_code == 200, response.content


def _body(who):
    moment = "2026-03-04T13:00:00+01:00"
    return {"key": KEY, "member": who, "type": "PURCHASE", "occurred_at": moment}


def _sent(program, who, **members):
    response = caller_for(program).post("activities", {**_body(who), **members})
    assert response.status_code == 201, response.content
    return response


WAYS = [
    by_number,
    by_identity,
    by_another_identity,
    in_a_batch,
    in_a_file,
    in_a_file_by_card,
    by_hang,
]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(one, other, id=f"{one.__name__} then {other.__name__}")
        for one, other in itertools.product(WAYS, WAYS)
    ],
)
def test_a_receipt_is_paid_once(program, member, first, second):
    first(program, member)
    second(program, member)

    assert balance(member) == 30
    assert Activity.objects.count() == 1
    assert list(ledger_mismatches()) == []


def test_the_answer_to_another_spelling_is_the_first_one(program, member):
    first = by_number(program, member)

    second = by_another_identity(program, member)

    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"


def test_another_member_under_the_number_is_refused_by_every_way(program, member):
    make_member(program, "C-2")
    by_hang(program, member)

    body = {**_body({"kind": "customer_id", "value": "C-2"}), "value": "30"}
    refused = caller_for(program).post("activities", body)
    row = {"member": "C-2", "occurred_at": "2026-03-04 13:00:00", "value": "30"}
    upload = checked(program, [{"key": KEY, "type": "PURCHASE", **row}])

    assert problem_in(refused, 422, "key_reused")["differing"] == ["member"]
    assert refusals(upload) == [(2, "key", "key_reused")]
    assert balance(member) == 30


def test_an_id_that_a_till_has_used_is_known_to_es_loyalty(program, member):
    by_number(program, member)
    client = EsClient(program)
    client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")

    response = client.send({"action": "PURCHASE", "when": "2026-03-04T12:00:00Z"}, KEY)

    assert response.json()["errorMessage"] == "ActivityID already exists"
    assert Activity.objects.count() == 1


def test_an_id_of_es_loyalty_is_known_to_a_file(program, member):
    client = EsClient(program)
    client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")
    client.send({"action": "PURCHASE", "when": "2026-03-04T12:00:00Z"}, KEY)

    in_a_file(program, member)

    assert Activity.objects.get().source == "es_loyalty"


@pytest.fixture
def from_before(program, member):
    """A Hang activity from before the contracts shared their keys."""
    by_hang(program, member)
    row = Activity.objects.get()
    fields = {one.attname: getattr(row, one.attname) for one in row._meta.fields}
    fields |= {"id": row.pk + 1_000, "key": "old-1", "key_scope": ""}
    return Activity.objects.create(**fields)


def test_an_old_activity_of_a_contract_is_still_the_same_receipt(
    program, member, from_before
):
    activity = {**OF_HANG, "value": "30.0"}
    body: dict[str, Any] = {"idempotency_key": "old-1", "activity": activity}

    again = HangClient(program).record(member, body)
    body["activity"] = {**activity, "value": "31"}
    other = HangClient(program).record(member, body)
    sent = {**_body({"id": member.pk}), "key": "old-1", "value": "30"}
    by_api = caller_for(program).post("activities", sent)

    assert again["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert by_api["Idempotency-Replayed"] == "true"
    assert by_api.json()["id"] == from_before.pk


def test_an_old_number_of_a_contract_may_be_another_receipt_of_a_till(
    program, member, from_before
):
    sent = {**_body({"id": member.pk}), "key": "old-1", "value": "31"}

    response = caller_for(program).post("activities", sent)

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


def test_a_replay_of_what_was_undone_says_so_and_is_still_the_first_answer(
    program, member
):
    first = by_number(program, member)
    client = caller_for(program)
    path = f"activities/{first.json()['id']}/reverse"
    undone = client.post(path, {"reason": "Order cancelled"})

    again = by_number(program, member)
    body = {**_body({"id": member.pk}), "value": "30"}
    batch = client.post("activities/batch", {"activities": [body]})
    hang = HangClient(program).record(
        member,
        {
            "idempotency_key": KEY,
            "activity": {**OF_HANG, "value": "30"},
        },
    )

    at = undone.json()["reversed_at"]
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert again["Activity-Reversed"] == at
    (result,) = batch.json()["results"]
    assert result == {
        "index": 0,
        "status": 201,
        "activity": first.json(),
        "reversed_at": at,
    }
    assert hang["Activity-Reversed"] == at
    assert balance(member) == 0


def test_a_replay_of_what_stands_bears_no_such_header(program, member):
    by_number(program, member)

    assert "Activity-Reversed" not in by_number(program, member)
