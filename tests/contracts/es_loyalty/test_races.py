"""Identical calls at the same time: one award, and the vendor's answers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account, Channel, ConfigurationRevision
from tests.builders import NOON, make_channel, make_member, make_program, make_type
from tests.contracts.es_loyalty.client import EsClient

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 20
KNOWN = "ActivityID already exists"


@pytest.fixture
def client(transactional_db):
    program = make_program()
    make_type(program, "SURVEY_RESPONSE", reward_method="fixed", points=5)
    make_channel(program, "APP")
    client: Any = EsClient(program)
    client.member = make_member(program, "C-1")
    client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")
    client.open("anonymous", {"correlationId": "nobody"})
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


def body(**members):
    return {"action": "SURVEY_RESPONSE", "when": NOON.isoformat(), **members}


def words(answers):
    return sorted(
        answer.json().get("errorMessage", f"{answer.status_code}") for answer in answers
    )


def test_20_identical_calls_pay_once_and_the_others_are_told(client):
    answers = at_once(lambda _: client.send(body(), "a-1"))

    assert words(answers) == ["200"] + [KNOWN] * (CALLERS - 1)
    assert Account.objects.get(member=client.member).balance == 5
    assert list(ledger_mismatches()) == []


def test_20_identical_calls_of_nobody_are_kept_once(client):
    answers = at_once(lambda _: client.send(body(), "a-1", "nobody"))

    assert words(answers) == ["200"] + [KNOWN] * (CALLERS - 1)
    assert Activity.objects.count() == 1


def test_20_calls_of_a_new_channel_list_it_once_and_all_pay(client):
    answers = at_once(lambda n: client.send(body(channel="KIOSK"), f"a-{n}"))

    assert words(answers) == ["200"] * CALLERS
    assert Channel.objects.filter(code="KIOSK").count() == 1
    assert Account.objects.get(member=client.member).balance == 5 * CALLERS


def test_a_new_channel_is_a_change_of_the_configuration_by_its_caller(client):
    client.send(body(channel="KIOSK"))

    revision = ConfigurationRevision.objects.order_by("-number").first()
    assert (revision.changed, revision.actor) == (["channel"], "API key till")


def test_20_calls_with_one_idempotency_key_pay_once(client):
    answers = at_once(lambda _: client.send(body(), **{"Idempotency-Key": "8e03"}))

    assert {one.status_code for one in answers} <= {200, 409}
    assert len({one.content for one in answers if one.status_code == 200}) == 1
    assert Account.objects.get(member=client.member).balance == 5


def test_20_openings_of_one_session_give_one(client):
    program = client.row.program
    make_member(program, "new")
    answers = at_once(
        lambda _: client.open("new", {"correlationId": "s-2"}, "EXTERNAL_ID")
    )

    assert words(answers) == ["200"] * CALLERS
    assert len({one.content for one in answers}) == 1
