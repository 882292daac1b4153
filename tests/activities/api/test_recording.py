"""Recording one activity over the API."""

import orjson
import pytest

from activities.models import Activity
from loyalty.models import Account, Entry
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body

KEY = {"Idempotency_Key": "order-7"}


def balance_of(member):
    return Account.objects.get(member=member).balance


def test_an_activity_is_recorded_and_tells_what_it_earned(program, client, member):
    builders.make_campaign(program, points=10)

    response = client.post("activities", purchase_body(member))

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
    assert balance_of(member) == 22


def test_everything_that_is_sent_is_kept(program, client, member):
    builders.make_channel(program, "STORE")
    builders.make_unit(program, "grocery")

    body = purchase_body(
        member,
        channel="STORE",
        business_unit="grocery",
        value=12.5,
        items=[{"item_id": "4006381", "value": "2.50", "quantity": 2}],
        data={"till": 7, "rate": 0.25, "nested": {"à la": ["carte", None]}},
        occurred_at="2026-03-04T17:30:00.123456+05:30",
    )
    sent = client.post("activities", body)

    stored = client.get(f"activities/{sent.json()['id']}").json()
    assert stored["channel"] == "STORE"
    assert stored["business_unit"] == "grocery"
    assert stored["value"] == "12.5"
    assert stored["items"] == [{"item_id": "4006381", "value": "2.5", "quantity": "2"}]
    assert stored["data"] == body["data"]
    assert stored["occurred_at"] == "2026-03-04T12:00:00.123456Z"
    assert stored["source"] == "api"


def test_a_member_is_named_by_any_identity(client, member):
    by_identity = {"kind": "customer_id", "value": "C-1"}

    response = client.post("activities", purchase_body(member, member=by_identity))

    assert response.json()["member"] == member.pk


def test_an_anonymous_activity_is_stored_and_earns_nothing(client, member):
    body = purchase_body(member, anonymous_id="cookie-1")
    del body["member"]

    response = client.post("activities", body)

    assert response.status_code == 201, response.content
    assert response.json()["anonymous_id"] == "cookie-1"
    assert response.json()["member"] is None
    assert Entry.objects.count() == 0


def test_points_of_a_wallet_with_decimals_are_exact_numbers(program, client, member):
    wallet = builders.make_wallet(program, code="cash", decimals=2)
    builders.make_type(program, "BIKE", wallet=wallet, reward_method="fixed", points=7)

    response = client.post("activities", purchase_body(member, type="BIKE"))

    assert b'"total":7.00' in response.content


def test_budgets_are_told_in_the_wallets_own_unit(program, client, member):
    wallet = builders.make_wallet(program, code="cash", decimals=2)
    campaign = builders.make_campaign(
        program, wallet=wallet, points=3, points_budget="4.50", budget_policy="reject"
    )
    client.post("activities", purchase_body(member))

    body = purchase_body(member, key="till-2")
    response = client.post("activities?explain=1", body)

    (rejection,) = response.json()["explanation"]["rejections"]
    assert rejection["offer"] == campaign.pk
    assert rejection["reason"] == "points_budget_spent"
    assert b'"left":1.50' in response.content
    assert b'"points_budget":4.50' in response.content


def test_a_large_value_is_not_read_as_a_float(client, member):
    body = orjson.dumps(purchase_body(member)).replace(
        b'"12.50"', b"90071992547409.9301"
    )

    response = client.post("activities", body)

    assert response.status_code == 201, response.content
    assert client.get(f"activities/{response.json()['id']}").json()["value"] == (
        "90071992547409.9301"
    )


def test_an_explanation_names_every_offer_that_was_considered(program, client, member):
    builders.make_campaign(program, points=10)
    closed = builders.make_campaign(program, minimum_value="100")

    response = client.post("activities?explain=1", purchase_body(member))

    explanation = response.json()["explanation"]
    assert sorted(award["points"] for award in explanation["awards"]) == [10, 12]
    (rejection,) = explanation["rejections"]
    assert rejection["offer"] == closed.pk
    assert rejection["reason"]


def test_a_repeated_request_is_answered_byte_for_byte(client, member):
    first = client.post("activities?explain=1", purchase_body(member))

    second = client.post("activities?explain=1", purchase_body(member, value=12.5))

    assert second.status_code == 201, second.content
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Activity.objects.count() == 1
    assert balance_of(member) == 12


def test_a_replay_is_the_first_answer_although_the_program_changed(
    program, client, member
):
    first = client.post("activities?explain=1", purchase_body(member))
    builders.make_campaign(program, points=10)
    client.post("activities", purchase_body(member, key="till-2"))

    second = client.post("activities?explain=1", purchase_body(member))

    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"


def test_the_header_names_the_activity_if_the_body_does_not(client, member):
    body = purchase_body(member)
    del body["key"]
    first = client.post("activities", body, **KEY)

    second = client.post("activities", body, **KEY)

    assert first.json()["key"] == "order-7"
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"


def test_a_quoted_key_and_a_bare_one_are_the_same(client, member):
    body = purchase_body(member)
    del body["key"]
    client.post("activities", body, Idempotency_Key='"order-7"')

    again = client.post("activities", body, **KEY)

    assert again["Idempotency-Replayed"] == "true"


def test_without_any_key_every_call_is_another_activity(client, member):
    body = purchase_body(member)
    del body["key"]

    numbers = {client.post("activities", body).json()["id"] for _ in range(2)}

    assert len(numbers) == 2


def test_a_key_that_is_no_text_for_a_header_is_refused(client, member):
    response = client.post("activities", purchase_body(member), Idempotency_Key='"a')

    problem = problem_in(response, 400, "invalid")
    assert problem["errors"][0]["header"] == "Idempotency-Key"
    assert Activity.objects.count() == 0


@pytest.mark.parametrize(
    ("other", "differing"),
    [
        pytest.param({"value": "12.51"}, ["value"], id="value"),
        pytest.param({"type": "OTHER"}, ["type"], id="type"),
        pytest.param({"channel": "STORE"}, ["channel"], id="channel"),
        pytest.param({"data": {"a": 1}}, ["data"], id="data"),
        pytest.param({"items": [{"item_id": "1"}]}, ["items"], id="items"),
        pytest.param(
            {"occurred_at": "2026-03-04T12:00:01Z", "value": 1},
            ["occurred_at", "value"],
            id="two fields",
        ),
        pytest.param(
            {"member": {"kind": "customer_id", "value": "C-2"}},
            ["member"],
            id="member",
        ),
    ],
)
def test_another_request_under_a_key_is_refused_and_told_apart(
    program, client, member, other, differing
):
    builders.make_type(program, "OTHER")
    builders.make_channel(program, "STORE")
    builders.make_member(program, "C-2")
    client.post("activities", purchase_body(member))

    response = client.post("activities", purchase_body(member, **other))

    problem = problem_in(response, 422, "key_reused")
    assert problem["differing"] == differing
    assert Activity.objects.count() == 1
    assert balance_of(member) == 12


def test_a_refused_activity_leaves_its_key_free(client, member):
    refused = client.post("activities", purchase_body(member, type="NOBODY"))

    recorded = client.post("activities", purchase_body(member))

    problem = problem_in(refused, 422, "unknown_activity_type")
    assert pointers_in(problem) == [("/type", "unknown_activity_type")]
    assert recorded.status_code == 201
    assert "Idempotency-Replayed" not in recorded


def test_the_same_key_in_two_programs_names_two_activities(client, member):
    other = builders.make_program()
    builders.make_type(other)
    stranger = builders.make_member(other)
    client.post("activities", purchase_body(member))

    response = caller_for(other).post("activities", purchase_body(stranger))

    assert response.status_code == 201, response.content
    assert "Idempotency-Replayed" not in response
