"""Names of activities and sources: known, found out, or refused."""

import orjson
import pytest

from activities.models import Activity
from activities.services.discovering import WAITING_MAX, types_named
from loyalty.models import (
    Account,
    ActivityType,
    Channel,
    ConfigurationRevision,
    Program,
    Wallet,
)
from tests.builders import make_channel, make_program, make_type
from tests.contracts.netcore.client import NetcoreClient, accepted, faults_of

pytestmark = pytest.mark.django_db


def test_a_name_is_known_in_any_case(client, item, member):
    accepted(client.upload(item(activity_name="pURCHASE")))

    assert Activity.objects.get().activity_type.code == "Purchase"
    assert Account.objects.get(member=member).balance == 5
    assert ActivityType.objects.count() == 1


def test_of_two_types_the_one_spelled_alike_counts_then_the_oldest(
    client, item, program
):
    make_type(program, "purchase")

    client.upload(
        [item(activity_name="purchase"), item(activity_name="PURCHASE", asset_id="b")]
    )

    codes = Activity.objects.order_by("pk").values_list(
        "activity_type__code", flat=True
    )
    assert list(codes) == ["purchase", "Purchase"]


def test_an_unknown_name_becomes_a_type_without_points_marked_for_review(client, item):
    accepted(client.upload(item(activity_name="Add To Cart")))

    found = ActivityType.objects.get(code="Add To Cart")
    assert (found.name, found.title) == ("Add To Cart", "Add To Cart")
    assert (found.needs_review, found.is_enabled) == (True, True)
    assert found.reward_method == "nothing"
    assert not found.points
    assert Activity.objects.get().activity_type == found
    assert not Account.objects.filter(kind="member").exists()


def test_a_found_out_name_keeps_the_spelling_seen_first(client, item):
    client.upload(
        [item(activity_name="Add To Cart"), item(activity_name="ADD TO CART")]
    )
    client.upload(item(activity_name="add to cart", asset_id="b"))

    codes = ActivityType.objects.filter(needs_review=True).values_list(
        "code", flat=True
    )
    assert list(codes) == ["Add To Cart"]


@pytest.mark.django_db(transaction=True)
def test_names_are_found_out_before_recording_by_whom_is_noted(client, item):
    client.upload(item(activity_name="Add To Cart"))

    revision = ConfigurationRevision.objects.latest("number")
    assert revision.actor == "API key till"
    assert "activity type" in revision.changed
    assert Activity.objects.get().decision["revision"] == revision.number


def test_what_was_found_out_can_be_made_to_earn(client, item, member):
    client.upload(item(activity_name="Visit"))
    found = ActivityType.objects.get(code="Visit")
    found.reward_method, found.points, found.needs_review = "fixed", 7, False
    found.save()

    client.upload(item(activity_name="visit", asset_id="b"))

    assert Account.objects.get(member=member).balance == 7


def test_so_many_names_wait_for_review_that_no_more_are_taken(client, item, program):
    types_named(program.pk, [f"Name {n}" for n in range(WAITING_MAX)])

    response = client.upload([item(), item(activity_name="One more")])

    assert faults_of(response, 207) == [(1, "activity_name", "TOO_MANY_NEW_NAMES")]
    assert not ActivityType.objects.filter(code="One more").exists()


def test_a_program_without_a_wallet_finds_out_nothing(item, frozen):
    program = make_program()
    make_channel(program, "WEBSITE")
    Wallet.objects.filter(program=program).delete()

    response = NetcoreClient(program).upload(item())

    assert faults_of(response) == [(0, "activity_name", "TOO_MANY_NEW_NAMES")]


def test_a_refused_item_finds_out_nothing(client, item):
    client.upload(item(activity_name="Visit", timestamp="soon"))

    assert not ActivityType.objects.filter(code="Visit").exists()


@pytest.mark.parametrize(
    ("source", "code"), [("web", "WEBSITE"), ("app", "APP"), ("WEB", "WEBSITE")]
)
def test_web_and_app_are_channels(client, item, source, code):
    accepted(client.upload(item(activity_source=source)))

    assert Activity.objects.get().channel.code == code


@pytest.mark.parametrize("source", ["CRM", "crm"])
def test_another_source_counts_if_a_channel_is_called_so(client, item, program, source):
    make_channel(program, "CRM")

    accepted(client.upload(item(activity_source=source)))

    assert Activity.objects.get().channel.code == "CRM"


def test_any_other_source_is_refused(client, item):
    response = client.upload([item(), item(activity_source="CRM")])

    assert faults_of(response, 207) == [(1, "activity_source", "UNKNOWN_SOURCE")]
    assert not Channel.objects.filter(code="CRM").exists()


def test_a_disabled_source_is_refused(client, item, program):
    make_channel(program, "CRM", is_enabled=False)

    response = client.upload(item(activity_source="CRM"))

    assert faults_of(response) == [(0, "activity_source", "DISABLED_SOURCE")]


def test_the_channels_of_web_and_app_are_listed_when_first_used(client, item):
    Channel.objects.all().delete()

    accepted(client.upload(item()))

    found = Channel.objects.get()
    assert (found.code, found.needs_review) == ("WEBSITE", True)


def test_a_program_may_take_no_new_channels(client, item):
    Channel.objects.all().delete()
    Program.objects.update(has_closed_channels=True)

    response = client.upload(item())

    assert faults_of(response) == [(0, "activity_source", "UNKNOWN_SOURCE")]


@pytest.mark.parametrize(
    ("value", "points"),
    [
        pytest.param(b"250.99", 250, id="number"),
        pytest.param(b'"250.0"', 250, id="text"),
        pytest.param(b"7", 7, id="integer"),
        pytest.param(b"1e3", 1000, id="exponent"),
        pytest.param(b'" 50 "', 50, id="blanks"),
        pytest.param(b"36.900000000000006", 36, id="noise"),
        pytest.param(b"null", 0, id="null"),
        pytest.param(b'""', 0, id="empty"),
    ],
)
def test_a_type_may_say_where_its_value_stands(client, item, program, value, points):
    kind = make_type(program, "Order", value_param="total")
    body = orjson.dumps(item(activity_name="order"))

    accepted(
        client.upload(
            body.replace(
                b'"activity_params":{}', b'"activity_params":{"total":%s}' % value
            )
        )
    )

    activity = Activity.objects.get(activity_type=kind)
    awards = activity.decision["awards"]
    assert sum(one["points"] for one in awards) == points


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b'"\xd9\xa5\xd9\xa0"', id="other digits"),
        pytest.param(b'"1e2"', id="exponent in text"),
        pytest.param(b'"1,50"', id="comma"),
        pytest.param(b'"free"', id="a word"),
        pytest.param(b"12.3456789", id="too many decimals"),
        pytest.param(b"1e14", id="too large"),
        pytest.param(b"true", id="truth"),
        pytest.param(b'{"a":1}', id="object"),
        pytest.param(b"[1]", id="list"),
    ],
)
def test_a_value_that_is_not_a_number_is_a_fault_and_never_worth_nothing(
    client, item, program, value
):
    make_type(program, "Order", value_param="total")
    good = item(activity_name="order", activity_params={"total": 5})
    bad = item(activity_name="order", activity_params={"total": "@"})
    body = orjson.dumps([good, bad]).replace(b'"@"', value)

    response = client.upload(body)

    assert faults_of(response, 207) == [(1, "activity_params/total", "INVALID_VALUE")]
    assert [one.value for one in Activity.objects.all()] == [5]


def test_a_param_that_is_no_value_may_hold_anything(client, item, program):
    make_type(program, "Order", value_param="total")
    params = {"total": 5, "tax": "free", "id": 9_999_999_999_999_999_999}

    accepted(client.upload(item(activity_name="order", activity_params=params)))

    assert Activity.objects.get().data["activity_params"] == params


def test_without_its_value_an_activity_is_worth_nothing(client, item, program):
    make_type(program, "Order", value_param="total")

    accepted(client.upload(item(activity_name="Order", activity_params={"sum": 5})))

    assert Activity.objects.get().value is None


def test_a_value_below_zero_is_refused_where_the_type_takes_none(client, item, program):
    make_type(program, "Order", value_param="total", allows_negative_value=False)

    response = client.upload(item(activity_name="Order", activity_params={"total": -5}))

    assert faults_of(response) == [(0, "activity_params", "NEGATIVE_VALUE")]
