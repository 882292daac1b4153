"""Recording many activities in one call."""

import orjson
import pytest

from activities.models import Activity
from tests import builders
from tests.callers import pointers_in, problem_in, purchase_body
from tests.loyalty.api.test_batches import BAD

KEY = {"Idempotency_Key": "file-9"}


def keyless(member, **members):
    body = purchase_body(member, **members)
    del body["key"]
    return body


def batch_of(*bodies):
    return {"activities": list(bodies)}


def test_a_batch_is_answered_in_the_order_it_was_sent(program, client, member):
    bodies = [
        purchase_body(member, key="b", value="2"),
        purchase_body(member, key="a", value="1"),
    ]

    response = client.post("activities/batch", batch_of(*bodies))

    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["recorded"], body["refused"]) == (2, 0)
    assert [one["index"] for one in body["results"]] == [0, 1]
    assert [one["status"] for one in body["results"]] == [201, 201]
    assert [one["activity"]["key"] for one in body["results"]] == ["b", "a"]
    totals = [one["activity"]["totals"]["loyalty"]["total"] for one in body["results"]]
    assert totals == [2, 1]


def test_a_batch_earns_what_its_activities_earn_alone(program, client, member):
    builders.make_campaign(program, cap_count=1, frequency_period_id=2, points=10)
    other = builders.make_member(program)
    alone = [
        client.post("activities", purchase_body(other, key=f"alone-{n}")).json()
        for n in range(3)
    ]

    batch = client.post(
        "activities/batch",
        batch_of(*(purchase_body(member, key=f"together-{n}") for n in range(3))),
    ).json()

    together = [one["activity"] for one in batch["results"]]
    assert [one["totals"] for one in together] == [one["totals"] for one in alone]


def test_refused_items_do_not_hinder_the_others(client, member):
    bodies = [
        purchase_body(member),
        purchase_body(member, key="till-2", type="NOBODY"),
        purchase_body(member, key="till-3", value="1e5"),
    ]

    response = client.post("activities/batch", batch_of(*bodies))

    assert response.status_code == 207, response.content
    body = response.json()
    assert (body["recorded"], body["refused"]) == (1, 2)
    assert [one["status"] for one in body["results"]] == [201, 422, 400]
    problems = [one["problem"] for one in body["results"][1:]]
    assert pointers_in(problems[0]) == [("/activities/1/type", "unknown_activity_type")]
    assert pointers_in(problems[1]) == [("/activities/2/value", "invalid_number")]
    assert Activity.objects.count() == 1


def test_a_batch_with_nothing_to_record_is_one_problem(client, member):
    bodies = [purchase_body(member, type="NOBODY"), 7]

    response = client.post("activities/batch", batch_of(*bodies))

    problem = problem_in(response, 400, "nothing_recorded")
    assert pointers_in(problem) == [
        ("/activities/0/type", "unknown_activity_type"),
        ("/activities/1", "not_an_object"),
    ]
    assert problem["refused"] == 2
    assert Activity.objects.count() == 0


def test_a_strict_batch_records_all_or_none(client, member):
    bodies = [purchase_body(member), purchase_body(member, key="t", type="NOBODY")]

    response = client.post(
        "activities/batch", batch_of(*bodies), Prefer="handling=strict"
    )

    problem = problem_in(response, 400, "nothing_recorded")
    assert pointers_in(problem) == [("/activities/1/type", "unknown_activity_type")]
    assert Activity.objects.count() == 0
    assert client.post("activities", bodies[0]).status_code == 201


def test_a_strict_batch_without_faults_is_recorded(client, member):
    response = client.post(
        "activities/batch", batch_of(purchase_body(member)), Prefer="handling=strict"
    )

    assert response.status_code == 200, response.content
    assert response["Preference-Applied"] == "handling=strict"


def test_a_repeated_batch_is_answered_byte_for_byte(client, member):
    body = batch_of(keyless(member), keyless(member, value="3"))
    first = client.post("activities/batch", body, **KEY)

    second = client.post("activities/batch", body, **KEY)

    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert set(Activity.objects.values_list("key", flat=True)) == {
        "file-9/0",
        "file-9/1",
    }


def test_what_was_refused_can_be_mended_and_sent_again(client, member):
    body = batch_of(keyless(member), keyless(member, type="NOBODY"))
    client.post("activities/batch", body, **KEY)
    body["activities"][1]["type"] = "PURCHASE"

    response = client.post("activities/batch", body, **KEY)

    assert response.status_code == 200, response.content
    assert Activity.objects.count() == 2


def test_one_key_twice_in_a_batch_is_one_activity(client, member):
    twice = [purchase_body(member), purchase_body(member)]

    response = client.post("activities/batch", batch_of(*twice))

    first, second = (one["activity"]["id"] for one in response.json()["results"])
    assert first == second
    assert Activity.objects.count() == 1


def test_one_key_with_two_bodies_in_a_batch_is_refused(client, member):
    bodies = [purchase_body(member), purchase_body(member, value="99")]

    response = client.post("activities/batch", batch_of(*bodies))

    assert [one["status"] for one in response.json()["results"]] == [201, 422]
    problem = response.json()["results"][1]["problem"]
    assert problem["code"] == "key_reused"
    assert problem["differing"] == ["value"]


def test_a_thousand_activities_are_a_batch(program, client):
    members = [builders.make_member(program) for _ in range(10)]
    bodies = [
        purchase_body(members[n % 10], key=f"till-{n}", value="1") for n in range(1_000)
    ]

    response = client.post("activities/batch", batch_of(*bodies))

    assert response.status_code == 200, response.content[:500]
    assert response.json()["recorded"] == 1_000


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        pytest.param([], "", "invalid_batch", id="a bare list"),
        pytest.param({}, "", "invalid_batch", id="nothing"),
        pytest.param(
            {"activities": [], "more": 1}, "", "invalid_batch", id="another member"
        ),
        pytest.param({"activities": {}}, "/activities", "not_a_list", id="an object"),
        pytest.param({"activities": []}, "/activities", "empty", id="an empty list"),
        pytest.param(
            {"activities": [{}] * 1_001}, "/activities", "too_many", id="1,001 items"
        ),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(client, body, pointer, code):
    response = client.post("activities/batch", orjson.dumps(body))

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [(pointer, code)]
    assert Activity.objects.count() == 0


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_item_that_cannot_be_read_is_refused_and_the_others_are_recorded(
    client, member, bad
):
    good = [orjson.dumps(purchase_body(member, key=key)) for key in ("a", "b")]
    whole = orjson.dumps(purchase_body(member, data="@")).replace(b'"@"', bad)
    body = b",".join([good[0], whole, good[1]])

    response = client.post("activities/batch", b'{"activities": [' + body + b"]}")

    assert response.status_code == 207, response.content[:500]
    found = response.json()["results"]
    assert [one["status"] for one in found] == [201, 400, 201]
    for error in found[1]["problem"].get("errors", []):
        assert error["pointer"].startswith("/activities/1")
    assert Activity.objects.count() == 2


def test_a_strict_batch_with_an_item_that_cannot_be_read_records_nothing(
    client, member
):
    bad = orjson.dumps(purchase_body(member, key="@")).replace(b"@", b"\\ud83d")
    body = orjson.dumps(purchase_body(member, key="a")) + b"," + bad

    response = client.post(
        "activities/batch",
        b'{"activities": [' + body + b"]}",
        Prefer="handling=strict",
    )

    problem = problem_in(response, 400, "nothing_recorded")
    assert pointers_in(problem) == [("/activities/1/key", "unstorable_text")]
    assert not Activity.objects.exists()
