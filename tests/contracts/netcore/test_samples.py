"""The page's own samples, broken as they are and mended."""

import json

import pytest

from activities.models import Activity
from loyalty.models import Account, ActivityType, Member
from tests.contracts.netcore.client import accepted, failed, faults_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["page_single.txt", "page_bulk.txt"])
def test_the_samples_of_the_page_are_no_json_and_refused(client, payload, name):
    response = client.upload(payload(name))

    assert response.status_code == 400
    assert response.json()["error"].startswith("The body is not JSON")
    assert not Activity.objects.exists()


def test_the_mended_single_sample_is_accepted(client, payload):
    accepted(client.upload(payload("single.json")))

    activity = Activity.objects.get()
    sent = json.loads(payload("single.json"))[0]
    assert activity.data["activity_params"] == sent["activity_params"]
    assert activity.data["asset_id"] == "sdbsjdh623jhmsndbkfs"
    assert activity.source == "netcore"


def test_the_mended_bulk_sample_is_accepted(client, payload):
    accepted(client.upload(payload("bulk.json")))

    assert Activity.objects.count() == 3
    found = ActivityType.objects.filter(needs_review=True).values_list("code")
    assert {code for (code,) in found} == {"Checkout", "Add To Cart"}
    member = Member.objects.get(identities__value="CUSTOMER_ID")
    assert Account.objects.get(member=member).balance == 5


def test_items_without_an_asset_inherit_none_from_the_first(client, payload):
    response = client.upload(payload("bulk_without_assets.json"))

    assert faults_of(response, 207) == [
        (1, "asset_id", "MISSING_PARAMETER"),
        (2, "asset_id", "MISSING_PARAMETER"),
    ]
    assert Activity.objects.count() == 1


def test_numbers_and_texts_of_products_are_kept_as_they_were_sent(client, payload):
    client.upload(payload("bulk.json"))

    params = [one.data["activity_params"] for one in Activity.objects.order_by("pk")]
    assert [one["total_item_qty"] for one in params] == [2, "2", "2"]
    prices = [one["items"][0]["price"] for one in params]
    assert prices == [250.0, "250.0", "250.0"]


def test_one_activity_may_come_without_its_array(client, item):
    accepted(client.upload(item()))

    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"[]", "Bad Request - the array is empty", id="empty array"),
        pytest.param(
            b"null",
            "Bad Request - send an activity or an array of activities",
            id="null",
        ),
        pytest.param(
            b'"x"',
            "Bad Request - send an activity or an array of activities",
            id="text",
        ),
        pytest.param(
            b"1.5",
            "Bad Request - send an activity or an array of activities",
            id="number",
        ),
        pytest.param(
            b"[" + b",".join([b"{}"] * 1001) + b"]",
            "Bad Request - at most 1,000 activities at a time; these are 1,001",
            id="more than 1,000",
        ),
    ],
)
def test_a_body_without_activities_is_refused(client, body, words):
    failed(client.upload(body), 400, words)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"{'a':1}", b"[{},]"])
def test_a_body_that_is_no_json_is_refused(client, body):
    response = client.upload(body)

    assert response.status_code == 400
    assert response.json().keys() == {"status", "error"}


def test_an_empty_body_is_an_activity_without_anything(client):
    failed(client.upload(b""), 400, "Missing Parameter - Activity Name")
