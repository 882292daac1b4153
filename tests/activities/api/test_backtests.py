"""Backtests over the API."""

import pytest

from activities import tasks
from activities.models import Backtest
from activities.services.backtesting import run_backtest
from tests import builders
from tests.callers import caller_for, problem_in, purchase_body

PERIOD = {"from": "2026-01-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """Backtests that were queued."""
    found: list[int] = []
    monkeypatch.setattr(tasks, "enqueue_backtest", found.append)
    return found


def test_a_backtest_is_asked_for_and_read(program, client, member, queued):
    campaign = builders.make_campaign(program, is_enabled=False, points=10)
    client.post("activities", purchase_body(member))

    body = {**PERIOD, "campaigns": [campaign.pk], "cost_per_point": "0.01"}
    created = client.post("backtests", body)

    assert created.status_code == 201, created.content
    number = created.json()["id"]
    assert queued == [number]
    assert created.json()["status"] == "queued"
    assert created.json()["result"] == {}
    run_backtest(number)
    answer = client.get(f"backtests/{number}").json()
    assert answer["status"] == "finished"
    assert answer["campaigns"] == [campaign.pk]
    assert answer["result"]["cost"] == "0.10"
    assert answer["result"]["reached"] == 1


def test_the_list_has_no_results_and_can_be_filtered(program, client):
    campaign = builders.make_campaign(program)
    client.post("backtests", PERIOD)
    client.post("backtests", {**PERIOD, "campaigns": [campaign.pk]})

    every = client.get("backtests").json()["results"]
    some = client.get(f"backtests?campaign={campaign.pk}&status=queued").json()

    assert len(every) == 2
    assert "result" not in every[0]
    assert [one["campaigns"] for one in some["results"]] == [[campaign.pk]]


@pytest.mark.parametrize("number", ["1.5", "0", "x", "99999999999999999999"])
def test_the_list_is_filtered_by_whole_numbers_only(client, number):
    problem = problem_in(client.get(f"backtests?campaign={number}"), 400, "invalid")

    assert problem["errors"][0]["parameter"] == "campaign"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        pytest.param({}, ["/from", "/until"], id="no period"),
        pytest.param({**PERIOD, "campaigns": [0]}, ["/campaigns/0"], id="no number"),
        pytest.param({**PERIOD, "campaigns": "7"}, ["/campaigns"], id="no list"),
        pytest.param({**PERIOD, "dates": "mine"}, ["/dates"], id="strange dates"),
        pytest.param(
            {**PERIOD, "cost_per_point": "-1"}, ["/cost_per_point"], id="debt"
        ),
        pytest.param({**PERIOD, "more": 1}, [""], id="strange member"),
    ],
)
def test_what_is_wrong_is_named(client, body, pointers):
    response = client.post("backtests", body)

    assert response.status_code == 400, response.content
    errors = response.json()["errors"]
    assert [error["pointer"] for error in errors] == pointers
    assert not Backtest.objects.exists()


def test_refusals_of_the_use_case_are_problems(program, client):
    foreign = builders.make_campaign(builders.make_program())

    unknown = client.post("backtests", {**PERIOD, "campaigns": [foreign.pk]})
    empty = client.post("backtests", {**PERIOD, "until": PERIOD["from"]})

    problem_in(unknown, 422, "unknown_trial")
    problem_in(empty, 422, "empty_period")


def test_a_backtest_is_cancelled_once(client):
    number = client.post("backtests", PERIOD).json()["id"]

    first = client.post(f"backtests/{number}/cancel", {})
    second = client.post(f"backtests/{number}/cancel", {})

    assert first.json()["status"] == "cancelled"
    problem_in(second, 409, "backtest_ended")


def test_another_program_and_readers_have_no_part(client):
    number = client.post("backtests", PERIOD).json()["id"]
    other = caller_for(builders.make_program())

    assert other.get(f"backtests/{number}").status_code == 404
    reader = caller_for(Backtest.objects.get().program, can_write=False)
    assert reader.post("backtests", PERIOD).status_code == 403
    assert reader.get(f"backtests/{number}").status_code == 200
