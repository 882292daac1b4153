"""Members over the API: joining, being found, what they hold and where they stand."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.services import record_activities
from loyalty import ledger
from loyalty.models import Identity, Member
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in

CARD = {"kind": "card", "value": "4711"}
EMAIL = {"kind": "email", "value": "ann@example.com"}


def earn(program, member, value="10", **fields):
    (outcome,) = record_activities(
        program.pk,
        [builders.purchase(member, value, **fields)],
        now=builders.NOON + timedelta(hours=1),
    )
    return outcome.activity_id


def test_a_member_is_enrolled(program, client):
    unit = builders.make_unit(program)

    response = client.post(
        "members",
        {
            "identities": [CARD, EMAIL],
            "enrolled_at": "2026-01-14T19:00:00+05:30",
            "business_unit": unit.pk,
            "attributes": {"shoe_size": 41.5},
        },
    )

    assert response.status_code == 201, response.content
    row = Member.objects.get()
    assert response.json() == {
        "id": row.pk,
        "identities": [CARD, EMAIL],
        "enrolled_at": "2026-01-14T13:30:00Z",
        "business_unit": unit.pk,
        "tier": None,
        "is_blocked": False,
        "attributes": {"shoe_size": 41.5},
    }
    assert client.get(f"members/{row.pk}").json() == response.json()


def test_long_numbers_in_free_data_are_read_back(client):
    card = b'{"kind": "card", "value": "1"}'
    body = b'{"identities": [' + card + b'], "attributes": {"a": 1e20}}'

    response = client.post("members", body)

    assert response.status_code == 201, response.content
    assert response.json()["attributes"] == {"a": 10**20}


def test_the_same_identities_again_are_the_same_member(client):
    first = client.post("members", {"identities": [CARD, EMAIL]})

    second = client.post("members", {"identities": [EMAIL, CARD]})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert Member.objects.count() == 1


def test_an_identity_of_somebody_else_is_refused(client):
    holder = client.post("members", {"identities": [CARD]}).json()["id"]

    response = client.post("members", {"identities": [EMAIL, CARD]})

    problem = problem_in(response, 409, "identity_taken")
    assert pointers_in(problem) == [("/identities/1", "identity_taken")]
    assert problem["member"] == holder
    assert Member.objects.count() == 1


def test_another_program_may_know_the_same_identity(client):
    client.post("members", {"identities": [CARD]})
    other = caller_for(builders.make_program())

    assert other.post("members", {"identities": [CARD]}).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/identities"),
        ({"identities": []}, "/identities"),
        ({"identities": {}}, "/identities"),
        ({"identities": [CARD] * 21}, "/identities"),
        ({"identities": [7]}, "/identities/0"),
        ({"identities": [{"kind": "card"}]}, "/identities/0/value"),
        ({"identities": [{"kind": "", "value": "1"}]}, "/identities/0/kind"),
        ({"identities": [{"kind": "card", "value": 4711}]}, "/identities/0/value"),
        ({"identities": [{"kind": "k" * 41, "value": "1"}]}, "/identities/0/kind"),
        ({"identities": [{"kind": "k", "value": "1", "x": 1}]}, "/identities/0/x"),
        ({"identities": [CARD], "enrolled_at": "24:00"}, "/enrolled_at"),
        ({"identities": [CARD], "business_unit": 10**9}, "/business_unit"),
        ({"identities": [CARD], "attributes": []}, "/attributes"),
        ({"identities": [CARD], "attributes": {"a": 10**30}}, "/attributes"),
        ({"identities": [CARD], "is_blocked": "no"}, "/is_blocked"),
        ({"identities": [CARD], "balance": 100}, "/balance"),
    ],
)
def test_a_member_that_cannot_be_is_refused(client, body, pointer):

    problem = problem_in(
        client.post("members", json.dumps(body).encode()), 400, "invalid"
    )

    assert pointer in {where for where, _ in pointers_in(problem)}, problem
    assert Member.objects.count() == 0
    assert Identity.objects.count() == 0


def test_a_tier_is_earned_and_not_written(program, client):
    tier = builders.make_tier(program, "Gold", 0)
    member = builders.make_member(program)

    client.patch(f"members/{member.pk}", {"tier": tier.pk})

    member.refresh_from_db()
    assert member.tier_id is None


def test_a_member_can_be_blocked_and_then_earns_nothing(program, client):
    builders.make_type(program)
    member = builders.make_member(program)

    response = client.patch(f"members/{member.pk}", {"is_blocked": True})

    assert response.json()["is_blocked"] is True
    refused = client.post(
        "activities",
        {
            "member": {"id": member.pk},
            "type": "PURCHASE",
            "occurred_at": "2026-03-04T12:00:00Z",
        },
    )
    problem_in(refused, 422, "blocked_member")


def test_a_member_is_found_by_any_identity(client):
    member = client.post("members", {"identities": [CARD, EMAIL]}).json()

    for one in (CARD, EMAIL):
        found = client.get(f"members/lookup?kind={one['kind']}&value={one['value']}")
        assert found.json() == member


def test_nobody_is_found_by_an_unknown_identity(client):
    client.post("members", {"identities": [CARD]})
    other = caller_for(builders.make_program())

    problem_in(client.get("members/lookup?kind=card&value=1"), 404, "unknown_identity")
    problem_in(
        other.get("members/lookup?kind=card&value=4711"), 404, "unknown_identity"
    )


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("?kind=card", "value"), ("?value=4711", "kind"), ("?kind=a&value=b&x=1", "x")],
)
def test_a_lookup_needs_kind_and_value(client, query, parameter):
    problem = problem_in(client.get(f"members/lookup{query}"), 400, "invalid")

    assert problem["errors"][0]["parameter"] == parameter


def test_members_are_filtered(program, client):
    gold = builders.make_tier(program, "Gold", 100)
    ann = builders.make_member(program, "ann", tier=gold)
    ben = builders.make_member(program, "ben", is_blocked=True)
    segment = builders.make_segment(program, [ben])

    def found_by(query):
        return [row["id"] for row in client.get(f"members?{query}").json()["results"]]

    assert found_by("") == [ben.pk, ann.pk]
    assert found_by(f"tier={gold.pk}") == [ann.pk]
    assert found_by(f"segment={segment.pk}") == [ben.pk]
    assert found_by("is_blocked=true") == [ben.pk]
    assert found_by("identity_kind=customer_id&identity_value=ann") == [ann.pk]
    assert found_by("identity_kind=email&identity_value=ann") == []


def test_identities_are_added_once(program, client):
    member = builders.make_member(program, "ann")
    path = f"members/{member.pk}/identities"

    first = client.post(path, {"identities": [CARD]})
    second = client.post(path, {"identities": [CARD]})

    assert first.status_code == 200, first.content
    assert CARD in first.json()["identities"]
    assert second.json() == first.json()


def test_an_identity_cannot_be_added_to_two_members(program, client):
    builders.make_member(program, "ann")
    ben = builders.make_member(program, "ben")

    response = client.post(
        f"members/{ben.pk}/identities",
        {"identities": [CARD, {"kind": "customer_id", "value": "ann"}]},
    )

    problem = problem_in(response, 409, "identity_taken")
    assert pointers_in(problem) == [("/identities/1", "identity_taken")]
    assert ben.identities.count() == 1


@pytest.fixture
def holder(program):
    """A member with an award of 10, of which 4 were spent, in cents."""
    wallet = builders.make_wallet(program, decimals=2)
    builders.make_type(program, wallet=wallet)
    member = builders.make_member(program)
    earn(program, member, "10")
    ledger.spend(member, wallet.pk, 400, at=builders.NOON, reason="Coffee")
    return member


def test_balances_are_told_in_the_wallets_own_unit(client, holder):
    body = client.get(f"members/{holder.pk}/balances").json()

    assert body == {
        "results": [
            {
                "wallet": "loyalty",
                "name": "Loyalty points",
                "balance": 6.0,
                "pending": 0.0,
                "available": 6.0,
                "lifetime_earned": 10.0,
                "owed": 0.0,
            }
        ],
        "next": None,
    }


def test_entries_are_told_newest_first_with_their_sign(client, holder):
    spent, earned = client.get(f"members/{holder.pk}/entries").json()["results"]

    assert (spent["kind"], spent["points"], spent["reason"]) == ("spend", -4, "Coffee")
    assert (earned["kind"], earned["points"], earned["bucket"]) == ("award", 10, "base")
    assert earned["activity"]
    assert earned["offer"]
    assert earned["occurred_at"] == "2026-03-04T12:00:00Z"


def test_entries_come_in_pages(program, client, holder):
    for _ in range(4):
        earn(program, holder)
    path = f"members/{holder.pk}/entries"
    whole = client.get(path).json()["results"]

    page = client.get(f"{path}?page_size=4").json()
    rest = client.get(page["next"]).json()

    assert page["results"] + rest["results"] == whole
    assert len(whole) == 6
    assert rest["next"] is None


def test_lots_tell_what_is_left(program, client, holder):
    path = f"members/{holder.pk}/lots"
    (lot,) = client.get(path).json()["results"]
    wallet = builders.wallet_of(program)
    ledger.spend(holder, wallet.pk, 600, at=builders.NOON, reason="More coffee")

    assert (lot["amount"], lot["remaining"], lot["expires_at"]) == (10, 6, None)
    assert client.get(f"{path}?is_open=true").json()["results"] == []
    problem = problem_in(client.get(f"{path}?is_open=1"), 400, "invalid")
    assert problem["errors"][0]["parameter"] == "is_open"


def test_the_tier_tells_the_way_to_the_next(program, client):
    builders.make_type(program)
    builders.make_tier(program, "Silver", 10)
    builders.make_tier(program, "Gold", 100)
    member = builders.make_member(program)
    earn(program, member, "30")

    body = client.get(f"members/{member.pk}/tier").json()

    assert body["tier"]["name"] == "Silver"
    assert body["score"] == 30
    assert body["next_tier"]["name"] == "Gold"
    assert body["missing"] == 70
    assert [step["tier"] for step in body["history"]] == [body["tier"]["id"]]


def test_the_way_to_the_next_tier_is_told_in_points(program, client):
    wallet = builders.make_wallet(program, code="tenths", decimals=1)
    builders.make_type(program, wallet=wallet)
    builders.make_tier(program, "Silver", 100)
    member = builders.make_member(program)
    earn(program, member, "10.5")

    body = client.get(f"members/{member.pk}/tier").json()

    assert (body["tier"], body["score"], body["missing"]) == (None, 10.5, 89.5)
    assert body["next_tier"]["threshold"] == 100


def test_the_next_tier_is_told_at_once_when_the_tiers_change(program, client):
    builders.make_type(program)
    silver = builders.make_tier(program, "Silver", 100)
    member = builders.make_member(program)
    earn(program, member, "30")
    silver.threshold = 20
    silver.save()

    body = client.get(f"members/{member.pk}/tier").json()

    assert (body["tier"], body["next_tier"]["name"]) == (None, "Silver")
    assert body["missing"] == 0


def test_the_top_tier_has_no_next(program, client):
    builders.make_type(program)
    builders.make_tier(program, "Gold", 10)
    member = builders.make_member(program)
    earn(program, member, "30")

    body = client.get(f"members/{member.pk}/tier").json()

    assert (body["next_tier"], body["missing"]) == (None, None)


def test_segments_tell_when_a_member_came_and_went(program, client):
    member = builders.make_member(program)
    segment = builders.make_segment(program)
    came = {"members": [member.pk], "at": "2026-01-01T00:00:00Z"}
    went = {"members": [member.pk], "at": "2026-02-01T00:00:00Z"}

    assert client.post(f"segments/{segment.pk}/members", came).json() == {"added": 1}
    assert client.post(f"segments/{segment.pk}/members", came).json() == {"added": 0}
    removed = client.post(f"segments/{segment.pk}/members/remove", went)
    assert removed.json() == {"removed": 1}

    assert client.get(f"members/{member.pk}/segments").json()["results"] == [
        {
            "segment": segment.pk,
            "code": segment.code,
            "entered_at": "2026-01-01T00:00:00Z",
            "left_at": "2026-02-01T00:00:00Z",
        }
    ]
    (stay,) = client.get(f"segments/{segment.pk}/members").json()["results"]
    assert stay["member"] == member.pk


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/members"),
        ({"members": []}, "/members"),
        ({"members": ["1"]}, "/members/0"),
        ({"members": [True]}, "/members/0"),
        ({"members": [0]}, "/members/0"),
        ({"members": [1], "at": "tomorrow"}, "/at"),
        ({"members": [1], "who": 1}, "/who"),
    ],
)
def test_members_of_a_segment_are_named_by_number(program, client, body, pointer):
    segment = builders.make_segment(program)

    response = client.post(f"segments/{segment.pk}/members", body)

    problem = problem_in(response, 400, "invalid")
    assert pointer in {where for where, _ in pointers_in(problem)}, problem


def test_members_of_another_program_cannot_enter_a_segment(program, client):
    segment = builders.make_segment(program)
    stranger = builders.make_member(builders.make_program())

    response = client.post(f"segments/{segment.pk}/members", {"members": [stranger.pk]})

    problem_in(response, 422, "unknown_members")
    assert client.get(f"segments/{segment.pk}/members").json()["results"] == []


@pytest.mark.parametrize(
    "path", ["", "/balances", "/entries", "/lots", "/tier", "/segments"]
)
def test_members_of_another_program_are_not_there(client, path):
    stranger = builders.make_member(builders.make_program())

    problem_in(client.get(f"members/{stranger.pk}{path}"), 404, "not_found")


@pytest.mark.parametrize("path", ["members", "members/{}/entries", "members/{}/lots"])
def test_a_page_of_20_asks_as_often_as_a_page_of_2(program, client, path):
    builders.make_type(program)
    member = builders.make_member(program)
    for _ in range(20):
        earn(program, member)
        builders.make_member(program)
    path = path.format(member.pk)

    counts = []
    for size in (2, 20):
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(f"{path}?page_size={size}").json()["results"]) == size
        counts.append(len(captured))

    assert counts[0] == counts[1]
