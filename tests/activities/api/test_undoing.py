"""Undoing an activity over the API."""

import pytest

from activities.models import ActivityReversal
from loyalty.models import Account
from tests.callers import pointers_in, problem_in, purchase_body


@pytest.fixture
def number(client, member):
    return client.post("activities", purchase_body(member)).json()["id"]


def test_an_undone_activity_gives_its_points_back(client, member, number):
    response = client.post(f"activities/{number}/reverse", {"reason": "Returned"})

    assert response.status_code == 200, response.content
    assert response.json()["is_reversed"] is True
    assert response.json()["was_reversed_before"] is False
    assert Account.objects.get(member=member).balance == 0
    stored = client.get(f"activities/{number}").json()
    assert stored["reversal_reason"] == "Returned"
    assert stored["reversed_at"] == response.json()["reversed_at"]
    assert stored["totals"]["loyalty"]["total"] == 12


def test_undoing_twice_does_nothing_and_says_so(client, member, number):
    first = client.post(f"activities/{number}/reverse")

    second = client.post(f"activities/{number}/reverse", {"reason": "Again"})

    assert second.status_code == 200
    assert second.json() == {**first.json(), "was_reversed_before": True}
    assert ActivityReversal.objects.count() == 1
    assert Account.objects.get(member=member).balance == 0


def test_a_repeated_call_with_a_key_is_answered_like_the_first(client, number):
    path, key = f"activities/{number}/reverse", {"Idempotency_Key": "undo-1"}
    first = client.post(path, {"reason": "Returned"}, **key)

    second = client.post(path, {"reason": "Returned"}, **key)

    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"


def test_an_undone_activity_keeps_its_key(client, member, number):
    client.post(f"activities/{number}/reverse")

    again = client.post("activities", purchase_body(member))

    assert again["Idempotency-Replayed"] == "true"
    assert Account.objects.get(member=member).balance == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": 7}, "/reason"),
        ({"reason": "x" * 201}, "/reason"),
        ({"because": "x"}, ""),
    ],
)
def test_a_wrong_reason_is_refused(client, number, body, pointer):
    response = client.post(f"activities/{number}/reverse", body)

    (error,) = pointers_in(problem_in(response, 400, "invalid"))
    assert error[0] == pointer
    assert ActivityReversal.objects.count() == 0


def test_what_is_not_there_cannot_be_undone(client):
    problem_in(client.post("activities/999999/reverse"), 404, "not_found")
    problem_in(client.post("activities/" + "9" * 40 + "/reverse"), 404, "not_found")
