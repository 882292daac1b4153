"""Interacting with campaigns over the native API, and reading it back."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.models import Interaction
from loyalty import ledger
from loyalty.models import Account, Voucher
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_segment,
    make_unit,
    make_voucher_type,
    make_wallet,
    wallet_of,
)
from tests.callers import caller_for, problem_in

pytestmark = pytest.mark.django_db
LIFETIME = 5


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def member(program):
    return make_member(program, "C-1")


@pytest.fixture
def api(program):
    return caller_for(program)


def card(program, **fields):
    return make_campaign(program, **{"context": "interaction", **fields})


def interact(api, campaign, who, query="", **headers):
    path = f"campaigns/{campaign.pk}/interactions{query}"
    body = {"member": {"id": who.pk}} if hasattr(who, "pk") else who
    return api.post(path, body, **headers)


@pytest.mark.parametrize("by", ["number", "identity"])
def test_an_interaction_is_answered_with_what_was_won(program, member, api, by):
    who = {"id": member.pk}
    if by == "identity":
        who = {"kind": "customer_id", "value": "C-1"}
    campaign = card(program)

    response = interact(api, campaign, {"member": who})

    row = Interaction.objects.get()
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["rewards"] == [
        {
            "method": campaign.pk,
            "kind": "points",
            "title": "",
            "description": "",
            "image_url": "",
            "wallet": "loyalty",
            "points": 10,
            "voucher": None,
        }
    ]
    assert (body["id"], body["campaign"], body["member"]) == (
        row.pk,
        campaign.pk,
        member.pk,
    )
    assert (body["source"], body["mode"], body["prices"]) == ("api", "api", [])
    assert body["totals"]["loyalty"]["total"] == 10
    assert "explanation" not in body
    assert row.actor == "API key till"


def test_price_and_voucher_are_told(program, member, api):
    wallet_of(program)
    coins = make_wallet(program, code="coins", name="Coins", decimals=1)
    ledger.adjust(member, coins.pk, 55, at=NOON, reason="start")
    campaign = card(
        program,
        reward_method="voucher",
        voucher_type=make_voucher_type(program, title="5 off"),
        points=0,
        point_cost="5.5",
        point_cost_wallet=coins,
    )

    body = interact(api, campaign, member).json()

    voucher = Voucher.objects.get()
    assert body["prices"] == [{"wallet": "coins", "points": 5.5}]
    assert body["rewards"][0]["title"] == "5 off"
    assert body["rewards"][0]["voucher"] == {
        "id": voucher.pk,
        "code": voucher.code,
        "kind": "basket",
        "status": "generated",
        "amount": "5",
        "discount_ratio": None,
        "expires_at": None,
    }


def test_what_is_missing_is_told_in_the_unit_of_its_wallet(program, member, api):
    wallet_of(program)
    coins = make_wallet(program, code="coins", name="Coins", decimals=1)
    ledger.adjust(member, coins.pk, 20, at=NOON, reason="start")
    campaign = card(program, point_cost="5.5", point_cost_wallet=coins)

    problem = problem_in(interact(api, campaign, member), 409, "insufficient_points")

    assert problem["detail"] == "5.5 points of “coins” are needed, 2.0 can be spent."
    told = {name: problem[name] for name in ("wallet", "needed", "available")}
    assert told == {"wallet": "coins", "needed": 5.5, "available": 2.0}


def test_a_voucher_whose_time_is_up_is_told_as_expired(program, member, api):
    given = make_voucher_type(program, expiry_days=1)
    campaign = card(program, reward_method="voucher", voucher_type=given, points=0)
    number = interact(api, campaign, member).json()["id"]

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        (reward,) = api.get(f"interactions/{number}").json()["rewards"]

    assert reward["voucher"]["status"] == "expired"


def test_the_explanation_tells_what_was_decided_and_drawn(program, member, api):
    campaign = card(program, reward_method="methods", handling="random_draw", points=0)
    method = make_method(campaign, points=3)
    closed = make_method(campaign, included_segments=[make_segment(program)])

    body = interact(api, campaign, member, "?explain=1").json()

    explanation = body["explanation"]
    assert [one["offer"] for one in explanation["awards"]] == [method.pk]
    assert [one["offer"] for one in explanation["rejections"]] == [closed.pk]
    again = api.get(f"interactions/{body['id']}?explain=1").json()
    assert again == body


def test_the_same_key_is_the_same_interaction_byte_for_byte(program, member, api):
    campaign = card(program)

    first = interact(api, campaign, member, Idempotency_Key="k-1")
    again = interact(api, campaign, member, Idempotency_Key="k-1")

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert Interaction.objects.get().key == "k-1"
    assert Account.objects.get(member=member).balance == 10


def test_the_key_of_another_interaction_is_refused(program, member, api):
    campaign = card(program)
    interact(api, campaign, member, Idempotency_Key="k-1")

    other = interact(api, campaign, make_member(program), Idempotency_Key="k-1")

    problem_in(other, 422, "key_reused")


def disabled(program, member):
    return card(program, is_enabled=False)


def other_context(program, member):
    return make_campaign(program)


def for_others(program, member):
    return card(program, included_segments=[make_segment(program)])


def spent(program, member):
    campaign = card(program, awards_budget=1)
    interact(caller_for(program), campaign, make_member(program))
    return campaign


def had_everything(program, member):
    campaign = card(program, cap_count=1, frequency_period_id=LIFETIME)
    interact(caller_for(program), campaign, member)
    return campaign


def too_dear(program, member):
    return card(program, point_cost=1, point_cost_wallet=wallet_of(program))


def blocked(program, member):
    member.is_blocked = True
    member.save()
    return card(program)


def of_another_program(program, member):
    return card(make_program())


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (disabled, 409, "campaign_not_active"),
        (other_context, 409, "campaign_not_active"),
        (for_others, 403, "not_in_audience"),
        (spent, 409, "campaign_fully_redeemed"),
        (had_everything, 409, "already_redeemed"),
        (too_dear, 409, "insufficient_points"),
        (blocked, 422, "blocked_member"),
        (of_another_program, 404, "unknown_campaign"),
    ],
)
def test_a_refusal_is_a_problem_and_leaves_the_key_free(
    program, member, api, make, status, code
):
    campaign = make(program, member)
    before = Interaction.objects.count()

    problem = problem_in(
        interact(api, campaign, member, Idempotency_Key="k-1"), status, code
    )

    if code == "campaign_not_active":
        assert problem["reason"] in {"disabled", "other_context"}
    assert Interaction.objects.count() == before
    done = interact(api, card(program), make_member(program), Idempotency_Key="k-1")
    assert done.status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        (None, 400, "invalid"),
        ([], 400, "not_an_object"),
        ("{", 400, "malformed_json"),
        ({"member": None}, 400, "invalid"),
        ({"member": 5}, 400, "invalid"),
        ({"member": {"id": "5"}}, 400, "invalid"),
        (f'{{"member": {{"id": {10**30}}}}}', 400, "invalid"),
        ({"member": {"id": 1}, "colour": "red"}, 400, "invalid"),
        ({"member": {"id": 10**17}}, 422, "unknown_member"),
        ({"member": {"kind": "x", "value": "y"}}, 422, "unknown_member"),
    ],
)
def test_a_wrong_body_is_refused_by_name(program, api, body, status, code):
    problem_in(interact(api, card(program), body), status, code)


@pytest.mark.parametrize("number", [0, 999_999_999, "9" * 18])
def test_an_unknown_campaign_is_404(program, member, api, number):
    response = api.post(
        f"campaigns/{number}/interactions", {"member": {"id": member.pk}}
    )

    problem_in(response, 404, "unknown_campaign")


def test_a_key_needs_the_scope_to_write_or_to_interact(program, member):
    campaign = card(program)
    reads = caller_for(program, can_write=False)
    plays = caller_for(program, can_read=False, can_write=False, can_interact=True)

    problem_in(interact(reads, campaign, member), 403, "missing_scope")
    assert interact(plays, campaign, member).status_code == 201
    problem_in(plays.get("interactions"), 403, "missing_scope")


def test_a_key_bound_to_units_interacts_with_campaigns_of_these_and_of_none(
    program, member
):
    mine, other = make_unit(program, "mine"), make_unit(program, "other")
    bound = caller_for(program, units=[mine])
    campaigns = {unit: card(program, business_unit=unit) for unit in (mine, other)}

    assert interact(bound, campaigns[mine], member).status_code == 201
    assert interact(bound, card(program), member).status_code == 201
    problem_in(
        interact(bound, campaigns[other], member), 403, "business_unit_not_allowed"
    )
    interact(caller_for(program), campaigns[other], member)
    assert len(bound.get("interactions").json()["results"]) == 2
    assert len(caller_for(program).get("interactions").json()["results"]) == 3


def test_interactions_are_listed_newest_first_and_filtered(program, member, api):
    campaign, other = card(program), card(program)
    first = interact(api, campaign, member, Idempotency_Key="a").json()["id"]
    second = interact(api, other, member).json()["id"]
    third = interact(api, campaign, make_member(program)).json()["id"]

    def listed(query=""):
        return [one["id"] for one in api.get(f"interactions{query}").json()["results"]]

    assert listed() == [third, second, first]
    assert listed(f"?campaign={campaign.pk}") == [third, first]
    assert listed(f"?member={member.pk}") == [second, first]
    assert listed("?key=a&source=api") == [first]
    assert listed("?occurred_until=2020-01-01T00:00:00Z") == []
    assert len(listed("?occurred_from=2020-01-01T00:00:00Z")) == 3
    problem_in(api.get("interactions?explain=1"), 400, "invalid")


def test_interactions_of_another_program_are_not_there(program, member, api):
    number = interact(api, card(program), member).json()["id"]
    stranger = caller_for(make_program())

    problem_in(stranger.get(f"interactions/{number}"), 404, "not_found")
    assert stranger.get("interactions").json()["results"] == []


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(program, member, api):
    campaign = card(program)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert api.get("interactions").status_code == 200
        return len(found)

    for _ in range(2):
        interact(api, campaign, member)
    few = queries()
    for _ in range(10):
        interact(api, campaign, member)

    assert queries() == few
