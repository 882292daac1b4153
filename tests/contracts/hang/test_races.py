"""Identical calls at the same time: one award, and the vendor's answers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from activities.models import Activity
from activities.reports import ledger_mismatches
from campaigns.models import QuestOptIn
from loyalty.models import Account, Member
from tests.builders import NOON, make_member, make_program, make_quest, make_type
from tests.contracts.hang.client import PATHS, HangClient

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 20


@pytest.fixture
def client(transactional_db):
    program = make_program()
    make_type(program, "PURCHASE", points=1)
    client = HangClient(program)
    client.member = make_member(program)
    return client


def at_once(call, count=CALLERS):
    """Return the answers of as many calls that start together."""
    barrier = Barrier(count)

    def run(number):
        barrier.wait()
        try:
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def body(key="once", value="50"):
    return {
        "idempotency_key": key,
        "activity": {
            "activity_type_id": "PURCHASE",
            "value": value,
            "transaction_timestamp": int(NOON.timestamp()),
        },
    }


def statuses(answers):
    return sorted({one.status_code for one in answers})


def test_20_identical_calls_pay_once_and_are_answered_like_the_first(client):
    answers = at_once(
        lambda n: client.record(client.member, body(), PATHS[n % len(PATHS)])
    )

    assert set(statuses(answers)) <= {200, 409}
    good = [one for one in answers if one.status_code == 200]
    assert {one.content for one in good} == {b'{"idempotency_key":"once"}'}
    assert sum("Idempotency-Replayed" not in one for one in good) == 1
    assert all(one["Retry-After"] == "1" for one in answers if one.status_code == 409)
    assert Account.objects.get(member=client.member).balance == 50
    assert Activity.objects.count() == 1
    assert list(ledger_mismatches()) == []


def test_after_a_race_every_repetition_is_answered_200(client):
    at_once(lambda _: client.record(client.member, body()))

    again = client.record(client.member, body())

    assert (again.status_code, again["Idempotency-Replayed"]) == (200, "true")


def test_20_calls_with_one_key_and_two_payloads_pay_one_of_them(client):
    answers = at_once(lambda n: client.record(client.member, body(value=f"{n % 2}0")))

    assert set(statuses(answers)) <= {200, 409, 422}
    assert Activity.objects.count() == 1


def test_20_calls_with_keys_of_their_own_all_pay(client):
    answers = at_once(lambda n: client.record(client.member, body(f"key-{n}")))

    assert statuses(answers) == [200]
    assert Account.objects.get(member=client.member).balance == 50 * CALLERS


def test_20_calls_for_one_new_membership_make_one(client):
    answers = at_once(
        lambda _: client.post("", {"external_user_id": "new", "phone": "5555551234"})
    )

    assert statuses(answers) == [200]
    assert len({one.content for one in answers}) == 1
    assert Member.objects.count() == 2


def test_20_opt_ins_into_one_quest_make_one(client):
    program = client.row.program
    quest = make_quest(program, opt_in_mode="by_call")

    answers = at_once(lambda _: client.opt_in(client.member, quest))

    assert statuses(answers) == [200]
    assert QuestOptIn.objects.count() == 1
