"""Outcomes of batches, and activities that come again."""

import orjson
import pytest

from activities.models import Activity
from loyalty.models import Account, AnonymousProfile, ApiKey
from tests.builders import make_unit
from tests.contracts.netcore.client import NetcoreClient, accepted, failed, faults_of
from tests.loyalty.api.test_batches import BAD

pytestmark = pytest.mark.django_db


def test_all_accepted_is_200_and_nothing_but_success(client, item):
    accepted(client.upload([item(), item(activity_name="Visit")]))


def test_some_accepted_is_207_with_counts_and_faults(client, item):
    response = client.upload([item(), item(activity_name=...), item(asset_id="b")])

    assert response.status_code == 207
    assert response.json() == {
        "status": "partial",
        "error": "Missing Parameter - Activity Name",
        "accepted": 2,
        "rejected": 1,
        "errors": [
            {
                "index": 1,
                "field": "activity_name",
                "code": "MISSING_PARAMETER",
                "error": "Missing Parameter - Activity Name",
            }
        ],
    }
    assert Activity.objects.count() == 2


def test_none_accepted_is_400(client, item):
    response = failed(
        client.upload([item(activity_name=...), item(asset_id=...)]),
        400,
        "Missing Parameter - Activity Name",
    )

    assert (response.json()["accepted"], response.json()["rejected"]) == (0, 2)
    assert faults_of(response) == [
        (0, "activity_name", "MISSING_PARAMETER"),
        (1, "asset_id", "MISSING_PARAMETER"),
    ]


@pytest.mark.parametrize(
    "prefer", ["handling=strict", "Handling=Strict", 'respond-async, handling="strict"']
)
def test_strict_handling_records_all_or_none(client, item, prefer):
    response = client.upload([item(), item(asset_id=...)], Prefer=prefer)

    assert faults_of(response) == [(1, "asset_id", "MISSING_PARAMETER")]
    assert (response.json()["status"], response.json()["rejected"]) == ("error", 2)
    assert response["Preference-Applied"] == "handling=strict"
    assert not Activity.objects.exists()


def test_strict_handling_takes_back_what_a_refusal_of_the_use_case_meets(client, item):
    late = item(timestamp="2026-03-04T14:00:00Z", identity="C-2")

    response = client.upload([item(), late], Prefer="handling=strict")

    assert faults_of(response) == [(1, "timestamp", "TIMESTAMP_IN_FUTURE")]
    assert not Activity.objects.exists()
    assert not Account.objects.filter(kind="member").exists()


def test_strict_handling_of_a_good_batch_is_a_success(client, item):
    response = accepted(client.upload([item()], Prefer="handling=strict"))

    assert response["Preference-Applied"] == "handling=strict"


def test_a_refused_item_can_be_mended_and_sent_again(client, item, member):
    client.upload([item(), item(activity_name="Visit", timestamp="soon")])

    accepted(client.upload([item(), item(activity_name="Visit")]))

    assert Activity.objects.count() == 2


def test_a_batch_that_comes_again_is_accepted_and_counts_once(client, item, member):
    batch = [item(), item(activity_name="Visit")]
    accepted(client.upload(batch))

    accepted(client.upload(batch))

    assert Activity.objects.count() == 2
    assert Account.objects.get(member=member).balance == 5


def test_an_item_twice_in_one_batch_counts_once(client, item, member):
    accepted(client.upload([item(), item()]))

    assert Activity.objects.count() == 1
    assert Account.objects.get(member=member).balance == 5


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"activity_name": "PURCHASE"}, id="case of the name"),
        pytest.param({"timestamp": "2026-03-04T12:00:00.9Z"}, id="within the second"),
        pytest.param({"timestamp": "2026-03-04T17:30:00"}, id="zone written or not"),
        pytest.param({"activity_source": "app"}, id="source"),
        pytest.param({"annonid": "cookie-1"}, id="anonymous id beside the identity"),
        pytest.param({"email": "jo@x.org"}, id="email"),
        pytest.param({"more": 1}, id="what the page does not know"),
    ],
)
def test_what_is_no_part_of_the_natural_key_makes_no_other_activity(
    client, item, change
):
    accepted(client.upload(item()))

    accepted(client.upload(item(**change)))

    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"asset_id": "app-1"}, id="asset"),
        pytest.param({"identity": "C-2"}, id="actor"),
        pytest.param({"identity": ..., "annonid": "C-1"}, id="kind of actor"),
        pytest.param({"activity_name": "Visit"}, id="name"),
        pytest.param({"timestamp": "2026-03-04T12:00:01Z"}, id="second"),
        pytest.param({"activity_params": {"a": 1}}, id="params"),
    ],
)
def test_each_part_of_the_natural_key_makes_another_activity(client, item, change):
    accepted(client.upload(item()))

    accepted(client.upload(item(**change)))

    assert Activity.objects.count() == 2


def test_params_are_the_same_however_they_are_written(client, item):
    written = (
        b'{"a": 250.0, "b": {"c": 1, "d": "x"}}',
        b'{ "b":{"d":"\\u0078","c":1.0},"a":250 }',
    )
    for params in written:
        body = orjson.dumps(item()).replace(
            b'"activity_params":{}', b'"activity_params":' + params
        )
        accepted(client.upload(body))

    assert Activity.objects.count() == 1


def test_a_text_and_a_number_in_params_are_not_the_same(client, item):
    accepted(client.upload(item(activity_params={"qty": 2})))
    accepted(client.upload(item(activity_params={"qty": "2"})))

    assert Activity.objects.count() == 2


def test_an_activity_that_comes_again_merges_no_unknown_profile(client, item):
    accepted(client.upload(item()))

    accepted(client.upload(item(annonid="cookie-1")))

    assert not AnonymousProfile.objects.exists()


def test_a_batch_may_have_1000_items_of_13_products(client, item, program):
    product = {
        "product_name": "Maybelline New York Instant Age Rewind " * 3,
        "l1_category": "Makeup",
        "l2_category": "Moisturizers",
        "mrp": 620.3,
        "price": 496.8,
        "quantity": 1,
    }
    batch = [
        item(
            identity=f"C-{place % 50}",
            timestamp=f"2026-03-04T{place // 3600:02}:{place // 60 % 60:02}"
            f":{place % 60:02}Z",
            activity_params={"items": [product] * 13},
        )
        for place in range(1000)
    ]
    raw = orjson.dumps(batch)
    assert len(raw) > 2_621_440

    accepted(client.upload(raw))

    assert Activity.objects.count() == 1000
    balances = Account.objects.filter(kind="member").values_list("balance", flat=True)
    assert list(balances) == [100] * 50


def test_a_batch_takes_as_many_queries_as_one_activity(
    client, item, member, django_assert_max_num_queries
):
    client.upload(item(activity_name="Visit"))
    with django_assert_max_num_queries(60) as single:
        client.upload(item())

    with django_assert_max_num_queries(len(single)):
        accepted(client.upload([item(asset_id=f"asset-{n}") for n in range(100)]))


def test_the_unit_of_the_key_is_the_unit_of_its_activities(program, item):
    unit = make_unit(program)

    accepted(NetcoreClient(program, units=[unit]).upload(item()))

    assert Activity.objects.get().business_unit == unit


def test_a_key_of_several_units_is_refused(program, item):
    client = NetcoreClient(program, units=[make_unit(program), make_unit(program, "b")])

    failed(client.upload(item()), 403, "This API key has several business units.")
    assert ApiKey.objects.exists()


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_item_that_cannot_be_read_is_a_fault_and_the_others_are_stored(
    client, item, bad
):
    good = [orjson.dumps(item(asset_id=name)) for name in ("a", "b")]
    whole = orjson.dumps(item(activity_params={"text": "@"})).replace(b'"@"', bad)

    response = client.upload(b"[" + b",".join([good[0], whole, good[1]]) + b"]")

    ((index, _, code),) = faults_of(response, 207)
    assert (index, code) == (1, "UNREADABLE")
    assert Activity.objects.count() == 2

    again = client.upload(b"[" + b",".join(good) + b"]")
    accepted(again)
    assert Activity.objects.count() == 2


def test_a_strict_batch_with_an_item_that_cannot_be_read_stores_nothing(client, item):
    bad = orjson.dumps(item(asset_id="@")).replace(b"@", b"\\ud83d")
    body = b"[" + orjson.dumps(item()) + b"," + bad + b"]"

    response = client.upload(body, Prefer="handling=strict")

    assert faults_of(response) == [(1, "asset_id", "UNREADABLE")]
    assert not Activity.objects.exists()


def test_one_item_that_cannot_be_read_is_told_by_its_place(client, item):
    bad = orjson.dumps(item(asset_id="@")).replace(b"@", b"\\u0000")

    assert faults_of(client.upload(bad)) == [(0, "asset_id", "UNREADABLE")]
