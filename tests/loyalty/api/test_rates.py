"""How often a key may call."""

import pytest
import time_machine
from django.core.cache import cache

from tests import builders
from tests.callers import caller_for, problem_in

QUARTER_PAST = "2026-03-04T12:00:15Z"
NEXT_MINUTE = "2026-03-04T12:01:00Z"


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    cache.clear()
    settings.API_REQUESTS_PER_MINUTE = 3


def where_it_stands(response):
    return tuple(
        int(response[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
    )


@time_machine.travel(QUARTER_PAST, tick=False)
def test_every_answer_tells_where_the_key_stands(client):
    answers = [client.get("channels"), client.get("channels/999"), client.post("tags")]

    assert [where_it_stands(one) for one in answers] == [
        (3, 2, 45),
        (3, 1, 45),
        (3, 0, 45),
    ]


@time_machine.travel(QUARTER_PAST, tick=False)
def test_over_the_limit_the_key_has_to_wait(client):
    for _ in range(3):
        client.get("channels")

    response = client.get("channels")

    problem_in(response, 429, "rate_limited")
    assert response["Retry-After"] == "45"
    assert where_it_stands(response) == (3, 0, 45)


def test_the_next_minute_starts_anew(client):
    with time_machine.travel(QUARTER_PAST, tick=False):
        for _ in range(4):
            client.get("channels")

    with time_machine.travel(NEXT_MINUTE, tick=False):
        assert client.get("channels").status_code == 200


def test_keys_do_not_use_up_each_others_rate(program, client):
    with time_machine.travel(QUARTER_PAST, tick=False):
        for _ in range(4):
            client.get("channels")

        assert caller_for(program).get("channels").status_code == 200


def test_a_refused_rate_writes_nothing(program, client):
    with time_machine.travel(QUARTER_PAST, tick=False):
        for _ in range(3):
            client.get("channels")
        client.post("channels", {"code": "APP", "name": "App"})

    with time_machine.travel(NEXT_MINUTE, tick=False):
        assert client.get("channels").json()["results"] == []


def test_the_rate_is_told_when_an_activity_is_recorded(program, client):
    builders.make_type(program)
    member = builders.make_member(program)
    body = {
        "member": {"id": member.pk},
        "type": "PURCHASE",
        "occurred_at": "2026-03-04T12:00:00Z",
    }

    assert client.post("activities", body)["RateLimit-Limit"] == "3"
