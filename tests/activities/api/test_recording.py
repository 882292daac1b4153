"""Recording one activity over the API."""

import pytest

from activities.models import Activity
from tests import builders
from tests.callers import caller_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = builders.make_program()
    builders.make_type(program)
    return program


@pytest.fixture
def client(program):
    return caller_for(program)


def purchase(member, **members):
    return {
        "key": "till-1",
        "member": {"id": member.pk},
        "type": "PURCHASE",
        "occurred_at": "2026-03-04T12:00:00Z",
        "value": "12.50",
        **members,
    }


def test_an_activity_is_recorded_and_tells_what_it_earned(program, client):
    member = builders.make_member(program)
    builders.make_campaign(program, points=10)

    response = client.post("activities", purchase(member))

    assert response.status_code == 201, response.content
    row = Activity.objects.get()
    assert response.json() == {
        "id": row.pk,
        "key": "till-1",
        "member": member.pk,
        "anonymous_id": None,
        "type": "PURCHASE",
        "occurred_at": "2026-03-04T12:00:00Z",
        "earned": {
            "": {"loyalty": {"base": 12, "bonus": 10, "targeted": 0, "total": 22}}
        },
        "totals": {"loyalty": {"base": 12, "bonus": 10, "targeted": 0, "total": 22}},
    }


def test_a_repeated_request_is_answered_byte_for_byte(program, client):
    member = builders.make_member(program)
    first = client.post("activities?explain=1", purchase(member))

    second = client.post("activities?explain=1", purchase(member, value=12.5))

    assert second.status_code == 201, second.content
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Activity.objects.count() == 1
