"""The report on a campaign over the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.services import record_activities
from campaigns.models import Campaign
from campaigns.services.programme import current_programme
from campaigns.services.readiness import readiness_of
from loyalty.engine.readiness import Severity
from tests import builders
from tests.builders import NOON, make_campaign, make_member, make_method, make_segment
from tests.callers import caller_for, problem_in


@pytest.fixture
def campaign(program):
    make_member(program)
    return make_campaign(program, name="May", points_budget=1000)


def test_a_campaign_that_can_run_is_ready(client, campaign):
    told = client.get(f"campaigns/{campaign.pk}/readiness").json()

    assert told["is_ready"] is True
    assert told["findings"] == []
    assert [(one["code"], one["text"]) for one in told["figures"]] == [
        ("worst_case_activity", "At most 10 Loyalty points for one activity."),
        ("worst_case_total", "At most 1,000 Loyalty points in all."),
    ]


def test_money_is_told_where_the_cost_of_a_point_is(client, campaign):
    address = f"campaigns/{campaign.pk}/readiness?cost_per_point=0.005"

    figures = client.get(address).json()["figures"]

    assert "(worth 5.00) in all" in figures[-1]["text"]


@pytest.mark.parametrize("cost", ["much", "-1", "1e400", "%00"])
def test_a_cost_that_is_none_is_refused(client, campaign, cost):
    answer = client.get(f"campaigns/{campaign.pk}/readiness?cost_per_point={cost}")

    (error,) = problem_in(answer, 400, "invalid")["errors"]
    assert error["parameter"] == "cost_per_point"


def test_an_unknown_parameter_is_refused(client, campaign):
    answer = client.get(f"campaigns/{campaign.pk}/readiness?price=1")

    assert answer.status_code == 400


def test_another_programs_campaign_is_not_there(campaign):
    stranger = caller_for(builders.make_program())

    answer = stranger.get(f"campaigns/{campaign.pk}/readiness")

    problem_in(answer, 404, "not_found")


def test_what_stops_it_names_its_field_and_method(client, program, campaign):
    empty = builders.make_voucher_type(program, name="Mug", codes="listed")
    draw = make_campaign(
        program, reward_method="methods", handling="random_draw", points=0
    )
    method = make_method(
        draw, name="A mug", reward_method="voucher", voucher_type=empty, points=0
    )

    told = client.get(f"campaigns/{draw.pk}/readiness").json()

    assert told["is_ready"] is False
    assert {
        "severity": "stops_you",
        "code": "no_codes",
        "text": "The reward “A mug” gives “Mug”, and no code of it is left.",
        "field": "voucher_type",
        "reward_method": method.pk,
    } in told["findings"]


def codes_of(campaign):
    report = readiness_of(campaign, now=NOON)
    return {one.code for one in report.findings if one.severity is not Severity.KNOW}


def test_segments_are_looked_up_as_they_are_now(program, campaign):
    inside, outside = make_member(program), make_member(program)
    some = make_segment(program, [inside])
    more = make_segment(program, [inside, outside])
    campaign.included_segments.set([some])
    campaign.excluded_segments.set([more])

    assert codes_of(campaign) == {"segment_left_out", "audience_empty"}

    campaign.included_segments.set([more])
    campaign.excluded_segments.set([some])

    assert codes_of(campaign) == set()


def test_a_price_needs_somebody_who_can_pay_it(program):
    wallet = builders.make_wallet(program, code="credits", name="Credits")
    make_member(program)
    card = make_campaign(
        program,
        context="interaction",
        point_cost=100,
        point_cost_wallet=wallet,
        points_budget=1000,
    )

    assert codes_of(card) == {"price_nobody_can_pay"}

    wallet.allows_negative = True
    wallet.save()

    assert codes_of(card) == set()


def test_a_budget_that_is_given_out_stops_it(program, campaign):
    campaign.points_budget = 10
    campaign.save()
    member = make_member(program)
    record_activities(program.pk, [builders.purchase(member, "0")], now=NOON)

    assert codes_of(campaign) == {"budget_spent"}


def test_the_report_takes_as_many_queries_whatever_the_program_holds(program, campaign):
    def count():
        with CaptureQueriesContext(connection) as queries:
            readiness_of(campaign, now=NOON)
        return len(queries)

    campaign.reward_method = "methods"
    campaign.save()
    everything = {
        "included_segments": [make_segment(program)],
        "excluded_segments": [make_segment(program)],
    }
    make_method(campaign, usage_limit=5, **everything)
    readiness_of(campaign, now=NOON)
    few = count()

    for _ in range(6):
        make_method(campaign, usage_limit=5, **everything)
        make_campaign(program)

    readiness_of(campaign, now=NOON)
    assert count() == few
    assert few <= 14


def unready(program, **fields):
    empty = make_segment(program, name="Nobody yet")
    wallet = builders.wallet_of(program).pk
    body = {"name": "May", "wallet": wallet, "points": "5"}
    return {**body, "included_segments": [empty.pk], **fields}


def test_what_cannot_work_is_not_created_enabled(client, program):
    answer = client.post("campaigns", unready(program))

    problem = problem_in(answer, 422, "campaign_not_ready")
    assert "Nobody is in “Nobody yet” now." in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/included_segments"
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("field", [{"is_enabled": False}, {"enable_anyway": True}])
def test_a_draft_or_whoever_says_so_is_not_held_up(client, program, field):
    created = client.post("campaigns", unready(program, **field))

    assert created.status_code == 201, created.content
    assert "enable_anyway" not in created.json()


def test_what_cannot_work_is_not_enabled_by_a_change(client, program):
    draft = client.post("campaigns", unready(program, is_enabled=False)).json()
    address = f"campaigns/{draft['id']}"

    problem_in(client.patch(address, {"is_enabled": True}), 422, "campaign_not_ready")
    forced = client.patch(address, {"is_enabled": True, "enable_anyway": True})
    renamed = client.patch(address, {"name": "June"})

    assert forced.json()["is_enabled"] is True
    assert renamed.status_code == 200, renamed.content


def test_a_refusal_leaves_no_other_rules_behind(client, program):
    client.post("campaigns", unready(program))

    assert not current_programme(program.pk).campaigns
