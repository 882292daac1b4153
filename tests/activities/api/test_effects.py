"""The measured effect of a campaign over the API."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from activities.services import record_activities
from loyalty.engine.holdout import is_held_out
from tests.builders import make_campaign, make_member, make_program, purchase
from tests.callers import caller_for, problem_in

NOW = timezone.now()
START = NOW - timedelta(days=9)


@pytest.fixture
def campaign(program):
    """A campaign of 10 points for those of 40 members that it does not hold out."""
    campaign = make_campaign(
        program, holdout_percent=Decimal(50), holdout_salt="spring", starts_at=START
    )
    members = [
        # With these numbers chance is the same in every run.
        make_member(program, pk=number, enrolled_at=START - timedelta(days=1))
        for number in range(5_000_000, 5_000_040)
    ]
    at = NOW - timedelta(days=1)
    commands = [purchase(one, "5", occurred_at=at) for one in members[:30]]
    record_activities(program.pk, commands, now=NOW)
    return campaign


def path_of(campaign, rest="effect"):
    return f"/api/v1/campaigns/{campaign.pk}/{rest}"


def test_the_effect_is_told_with_intervals_costs_and_a_verdict(client, campaign):
    answer = client.get(f"{path_of(campaign)}?point_cost=0.01")

    body = answer.json()
    assert answer.status_code == 200
    assert body["treated_count"] + body["held_out_count"] == 40
    assert (body["holdout_percent"], body["holdout_salt"]) == ("50", "spring")
    visits, _, points = body["measures"]
    assert (visits["name"], visits["wallet"]) == ("visits", None)
    assert visits["interval"]["low"] < visits["difference"] < visits["interval"]["high"]
    assert (points["name"], points["wallet"]) == ("points", "loyalty")
    assert points["is_significant"]
    (cost,) = body["costs"]
    assert cost["money"] == pytest.approx(float(cost["points"]) / 100)
    assert cost["points_per_visit"] is None
    assert len(body["verdict"]) == 4


def test_the_groups_are_a_file_that_anybody_can_recompute(client, campaign):
    answer = client.get(path_of(campaign, "effect/groups"))

    heading, *rows = b"".join(answer.streaming_content).decode().splitlines()
    assert heading == "member,group,since"
    assert len(rows) == 40
    for row in rows:
        member_id, group, _ = row.split(",")
        expected = is_held_out("spring", int(member_id), 5000)
        assert group == ("held_out" if expected else "treated")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"starts_at": START}, "no_holdout", id="nobody is held out"),
        pytest.param(
            {"starts_at": NOW + timedelta(days=1), "holdout_percent": 5},
            "not_yet_measurable",
            id="it begins tomorrow",
        ),
    ],
)
@pytest.mark.parametrize("rest", ["effect", "effect/groups"])
def test_what_cannot_be_measured_is_refused(client, program, fields, code, rest):
    answer = client.get(path_of(make_campaign(program, **fields), rest))

    assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("until=tomorrow", "invalid_moment", id="no moment"),
        pytest.param("point_cost=cheap", "invalid_number", id="no number"),
        pytest.param("point_cost=0", "not_positive", id="a point that costs nothing"),
        pytest.param("since=2026-01-01", "unknown_parameter", id="not known"),
    ],
)
def test_parameters_are_checked(client, campaign, query, code):
    answer = client.get(f"{path_of(campaign)}?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code


def test_a_campaign_of_another_program_is_not_found(campaign):
    stranger = caller_for(make_program())

    assert stranger.get(path_of(campaign)).status_code == 404


@pytest.mark.parametrize("method", ["post", "options"])
def test_the_effect_is_only_read(client, campaign, method):
    answer = client.call(method, path_of(campaign), None)

    problem_in(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD"
