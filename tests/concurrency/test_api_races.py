"""Many requests at once, through real threads on real connections."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.api.idempotency import claim
from loyalty.models import Account, Channel, Entry, FrequencyPeriod
from tests import builders
from tests.callers import Caller, make_key, problem_in, purchase_body

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 20


def at_once(call):
    """Let every client make the call, all starting together; return the answers."""
    barrier = Barrier(CLIENTS)

    def run(place):
        barrier.wait()
        try:
            return call(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, range(CLIENTS)))


@pytest.fixture
def program(transactional_db):
    FrequencyPeriod.objects.get_or_create(
        pk=2, defaults={"name": "One Calendar Day", "unit": "calendar_day"}
    )
    program = builders.make_program()
    builders.make_type(program)
    return program


@pytest.fixture
def key(program):
    return make_key(program)[1]


def test_20_identical_requests_pay_once_and_are_answered_rightly(program, key):
    member = builders.make_member(program)
    body = purchase_body(member)

    answers = at_once(lambda _: Caller(key).post("activities", body))

    assert Activity.objects.count() == 1
    assert Entry.objects.count() == 1
    assert Account.objects.get(member=member).balance == 12
    recorded = [one for one in answers if one.status_code == 201]
    waiting = [one for one in answers if one.status_code != 201]
    assert len({one.content for one in recorded}) == 1
    first = [one for one in recorded if "Idempotency-Replayed" not in one]
    assert len(first) == 1
    for one in waiting:
        assert (one.status_code, one.json()["code"]) == (409, "in_flight")
        assert one["Retry-After"] == "1"
    again = Caller(key).post("activities", body)
    assert again.content == first[0].content
    assert again["Idempotency-Replayed"] == "true"


def test_20_requests_with_one_key_and_two_bodies_pay_for_one_of_them(program, key):
    member = builders.make_member(program)

    answers = at_once(
        lambda place: Caller(key).post(
            "activities", purchase_body(member, value=str(1 + place % 2))
        )
    )

    assert Activity.objects.count() == 1
    assert Account.objects.get(member=member).balance in {1, 2}
    statuses = Counter(one.status_code for one in answers)
    assert statuses[201] >= 1
    assert set(statuses) <= {201, 409, 422}


def test_20_identical_batches_pay_once(program, key):
    member = builders.make_member(program)
    bodies = [purchase_body(member, key=f"k-{n}", value="1") for n in range(5)]

    answers = at_once(
        lambda _: Caller(key).post(
            "activities/batch", {"activities": bodies}, Idempotency_Key="batch"
        )
    )

    assert {one.status_code for one in answers} <= {200, 409}
    assert Activity.objects.count() == 5
    assert Account.objects.get(member=member).balance == 5


def test_20_activities_of_one_member_keep_its_cap(program, key):
    builders.make_campaign(program, points=10, cap_count=3, frequency_period_id=2)
    member = builders.make_member(program)

    answers = at_once(
        lambda place: Caller(key).post(
            "activities", purchase_body(member, key=f"k-{place}", value="1")
        )
    )

    assert {one.status_code for one in answers} == {201}
    bonuses = Counter(one.json()["totals"]["loyalty"]["bonus"] for one in answers)
    assert bonuses == {10: 3, 0: CLIENTS - 3}
    assert Account.objects.get(member=member).balance == CLIENTS + 30
    assert list(ledger_mismatches()) == []


def test_20_undoings_undo_once(program, key):
    member = builders.make_member(program)
    number = Caller(key).post("activities", purchase_body(member)).json()["id"]

    answers = at_once(lambda _: Caller(key).post(f"activities/{number}/reverse"))

    assert {one.status_code for one in answers} == {200}
    assert sum(not one.json()["was_reversed_before"] for one in answers) == 1
    assert Account.objects.get(member=member).balance == 0
    assert list(ledger_mismatches()) == []


def test_20_enrolments_of_one_person_enrol_one_member(program, key):
    body = {"identities": [{"kind": "card", "value": "4711"}]}

    answers = at_once(lambda _: Caller(key).post("members", body))

    statuses = Counter(one.status_code for one in answers)
    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 409}
    numbers = {one.json()["id"] for one in answers if one.status_code < 300}
    assert len(numbers) == 1


def test_20_creations_with_one_key_create_once(program, key):
    answers = at_once(
        lambda _: Caller(key).post(
            "channels", {"code": "APP", "name": "App"}, Idempotency_Key="k-1"
        )
    )

    assert Channel.objects.count() == 1
    statuses = Counter(one.status_code for one in answers)
    assert set(statuses) <= {201, 409}
    created = [one for one in answers if one.status_code == 201]
    assert len({one.content for one in created}) == 1
    assert sum("Idempotency-Replayed" not in one for one in created) == 1


def test_20_creations_of_one_code_create_once(program, key):
    answers = at_once(
        lambda _: Caller(key).post("channels", {"code": "APP", "name": "App"})
    )

    statuses = Counter(one.status_code for one in answers)
    assert statuses[201] == 1
    assert set(statuses) <= {201, 400, 409}
    assert Channel.objects.count() == 1


@contextmanager
def held(*words):
    """Hold a key as a request that is being worked on does."""
    is_held, may_end = Event(), Event()

    def hold():
        with transaction.atomic():
            claim(*words)
            is_held.set()
            may_end.wait(30)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(hold)
        is_held.wait(30)
        try:
            yield
        finally:
            may_end.set()
            job.result()


def test_an_activity_in_flight_is_not_recorded_a_second_time(program, key):
    body = purchase_body(builders.make_member(program))

    with held("api", program.pk, "till-1"):
        waiting = Caller(key).post("activities", body)

    assert problem_in(waiting, 409, "in_flight")
    assert waiting["Retry-After"] == "1"
    assert Activity.objects.count() == 0
    assert Caller(key).post("activities", body).status_code == 201


def test_a_write_in_flight_does_not_act_a_second_time(program, key):
    body, header = {"code": "APP", "name": "App"}, {"Idempotency_Key": "k-1"}

    with held("idempotent", program.pk, "k-1"):
        waiting = Caller(key).post("channels", body, **header)

    assert problem_in(waiting, 409, "in_flight")
    assert Channel.objects.count() == 0
    assert Caller(key).post("channels", body, **header).status_code == 201


def test_two_changes_of_one_campaign_at_once_are_both_kept(program, key):
    campaign = builders.make_campaign(program, description="", points=10)
    address = f"/api/v1/campaigns/{campaign.pk}"
    changes = [{"description": "Tea"}, {"points": 25}]

    answers = at_once(lambda place: Caller(key).patch(address, changes[place % 2]))

    assert {answer.status_code for answer in answers} == {200}
    campaign.refresh_from_db()
    assert campaign.description == "Tea"
    assert campaign.points == 25
