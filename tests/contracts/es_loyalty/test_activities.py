"""Activities: what is accepted, what it earns, what is answered."""

from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import Activity
from loyalty.models import Account, Channel, Partner
from tests.builders import (
    make_campaign,
    make_channel,
    make_member,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
)
from tests.callers import make_key
from tests.contracts.es_loyalty.client import refused

pytestmark = pytest.mark.django_db
GUID = "7247c5dc-3573-470b-9df3-6d2d87e7116e"
ZEROS = {"base": 0, "bonus": 0, "targeted": 0, "total": 0}
FIVE = {"base": 5, "bonus": 0, "targeted": 0, "total": 5}


# --- Request ----------------------------------------------------


def test_the_activity_id_of_the_path_is_echoed(client, payload):
    response = client.send(payload("survey"), "receipt-4711")

    assert response.status_code == 200
    assert response.json() == {
        "activityId": "receipt-4711",
        "type": "SURVEY_RESPONSE",
        "earned": {"Grocery & Co.": {"loyalty": FIVE}},
    }


@pytest.mark.parametrize("end", [None, "", "%20"])
def test_without_an_activity_id_a_guid_is_made(client, payload, end):
    activity_id = client.send(payload("survey"), end).json()["activityId"]

    assert str(UUID(activity_id)) == activity_id
    assert Activity.objects.get().key == activity_id


def test_everything_sent_is_kept(client, payload, member):
    client.send(payload("survey"), "a-1")

    activity = Activity.objects.get()
    assert (activity.source, activity.key) == ("es_loyalty", "a-1")
    assert activity.member == member
    assert activity.activity_type.code == "SURVEY_RESPONSE"
    assert activity.channel.code == "APP"
    assert activity.business_unit.code == "grocery"
    assert activity.occurred_at_text == "2026-03-04T12:00:00Z"
    assert activity.data == {
        "correlationId": "s-1",
        "note": "Answered the autumn survey",
        "extendedData": payload("survey")["extendedData"],
    }


@pytest.mark.parametrize("action", [..., None, "", "  ", "NONE", 7, "survey_response"])
def test_an_action_that_is_none_of_the_programs_is_refused(client, payload, action):
    refused(client.send(payload("survey", action=action)), "Action not found")


def test_a_disabled_action_is_refused(client, payload, program):
    make_type(program, "OLD", is_enabled=False)

    refused(client.send(payload("survey", action="OLD")), "Action not found")


def test_text_is_trimmed(client, payload):
    body = payload(
        "survey",
        action=" SURVEY_RESPONSE ",
        channel=" APP ",
        businessUnit=" Grocery & Co. ",
        when=" 2026-03-04T12:00:00Z ",
    )

    assert client.send(body).json()["type"] == "SURVEY_RESPONSE"


# --- Channel ----------------------------------------------------


def test_a_channel_left_out_is_the_programs_default(client, payload, program):
    program.default_channel = "STORE"
    program.save()

    client.send(payload("survey", channel=...))

    assert Activity.objects.get().channel.code == "STORE"


def test_a_channel_left_out_without_a_default_is_refused(client, payload, program):
    program.default_channel = ""
    program.save()

    refused(client.send(payload("survey", channel=...)), "Channel not found")


@pytest.mark.parametrize("channel", [None, "", " \t ", 7, {}, "x" * 51])
@pytest.mark.parametrize("default", ["", "APP"])
def test_a_channel_that_is_sent_is_never_blank(
    client, payload, program, channel, default
):
    program.default_channel = default
    program.save()

    refused(client.send(payload("survey", channel=channel)), "Channel not found")


def test_an_unknown_channel_is_accepted_and_listed_for_review(client, payload):
    response = client.send(payload("survey", channel="KIOSK"))

    assert response.status_code == 200
    channel = Channel.objects.get(code="KIOSK")
    assert channel.needs_review
    assert Activity.objects.get().channel == channel


def test_an_unknown_channel_earns_what_a_listed_one_does(client, payload, program):
    make_campaign(program, channels=[make_channel(program, "KIOSK")])

    one = client.send(payload("survey", channel="KIOSK")).json()
    other = client.send(payload("survey", channel="BOOTH")).json()

    assert one["earned"]["Grocery & Co."]["loyalty"]["bonus"] == 10
    assert other["earned"]["Grocery & Co."]["loyalty"]["bonus"] == 0


def test_an_unknown_channel_is_refused_where_channels_are_closed(
    client, payload, program
):
    program.has_closed_channels = True
    program.save()

    refused(client.send(payload("survey", channel="KIOSK")), "Channel not found")
    assert not Channel.objects.filter(code="KIOSK").exists()


def test_a_disabled_channel_is_refused(client, payload):
    refused(client.send(payload("survey", channel="POS")), "Channel not found")


@pytest.mark.parametrize("wrong", [{"action": "NONE"}, {"when": "soon"}, {"note": 7}])
def test_a_refused_activity_lists_no_channel(client, payload, wrong):
    client.send(payload("survey", channel="KIOSK", **wrong))

    assert not Channel.objects.filter(code="KIOSK").exists()


def test_so_many_new_channels_wait_for_review_and_no_more(
    client, payload, program, monkeypatch
):
    monkeypatch.setattr("loyalty.services.channels.WAITING_MAX", 1)
    client.send(payload("survey", channel="KIOSK"))

    refused(client.send(payload("survey", channel="BOOTH")), "Channel not found")
    assert client.send(payload("survey", channel="KIOSK")).status_code == 200


# --- Business unit ----------------------------------------------


@pytest.mark.parametrize("unit", [..., None, "", "  "])
def test_no_business_unit_means_the_offers_of_every_unit(
    client, payload, program, unit
):
    for code in ("grocery", "garden"):
        row = program.businessunit_set.get(code=code)
        make_campaign(program, business_unit=row, points=7)

    earned = client.send(payload("survey", businessUnit=unit)).json()["earned"]

    assert earned["Grocery & Co."] == earned["Garden.Shop"]
    assert earned["Garden.Shop"]["loyalty"] == {**ZEROS, "bonus": 7, "total": 7}


def test_a_business_unit_means_its_own_offers_and_everybodys(client, payload, program):
    garden = program.businessunit_set.get(code="garden")
    make_campaign(program, business_unit=garden, points=7)
    make_campaign(program, points=2)

    earned = client.send(payload("survey")).json()["earned"]

    assert earned == {
        "Grocery & Co.": {"loyalty": {"base": 5, "bonus": 2, "targeted": 0, "total": 7}}
    }


@pytest.mark.parametrize("unit", ["grocery", "GROCERY & CO.", "Grocery", 7, [], True])
def test_a_business_unit_is_named_to_the_letter(client, payload, unit):
    response = client.send(payload("survey", businessUnit=unit))

    refused(response, "Provided business unit is not valid")


def test_a_disabled_business_unit_is_refused(client, payload):
    response = client.send(payload("survey", businessUnit="Closed"))

    refused(response, "Provided businessUnit is disabled")


def test_a_key_bound_to_units_sends_for_these_only(client, payload, program):
    garden = program.businessunit_set.get(code="garden")
    _, client.key = make_key(program, units=[garden])

    assert client.send(payload("survey", businessUnit="Garden.Shop")).status_code == 200
    response = client.send(payload("survey"))
    assert response.status_code == 403
    assert response.json()["errorCode"] == "FORBIDDEN"


# --- When -------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(..., id="absent"),
        pytest.param(None, id="null"),
        pytest.param("", id="blank"),
        pytest.param("yesterday", id="words"),
        pytest.param(1772625600000, id="milliseconds"),
        pytest.param("1772625600", id="digits"),
        pytest.param("2026-02-30T12:00:00Z", id="no such day"),
        pytest.param("2026-W10-3", id="week date"),
        pytest.param("20260304T120000Z", id="basic format"),
        pytest.param("2026-03-04T24:00:00Z", id="24 o'clock"),
        pytest.param("2026-03-04T13:00:01Z", id="more than an hour ahead"),
        pytest.param("9999-12-31T23:59:59-01:00", id="beyond the calendar"),
        pytest.param({"$date": 1}, id="object"),
    ],
)
def test_a_when_that_is_no_time_is_refused(client, payload, when):
    refused(client.send(payload("survey", when=when)), "When not found")


def test_an_hour_ahead_is_accepted(client, payload):
    response = client.send(payload("survey", when="2026-03-04T13:00:00Z"))

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("when", "occurred_at", "assumed"),
    [
        ("2026-03-04T12:00:00Z", "2026-03-04T12:00:00+00:00", False),
        ("2026-03-04t17:30:00+05:30", "2026-03-04T12:00:00+00:00", False),
        ("2026-03-04T17:30:00+0530", "2026-03-04T12:00:00+00:00", False),
        ("2026-03-04T11:59:60z", "2026-03-04T11:59:59+00:00", False),
        ("2026-03-04T16:30:00", "2026-03-04T11:00:00+00:00", True),
        ("2026-03-04", "2026-03-03T18:30:00+00:00", True),
    ],
)
def test_local_times_and_days_are_read_in_the_programs_zone(
    client, payload, program, when, occurred_at, assumed
):
    program.time_zone = "Asia/Kolkata"
    program.save()

    client.send(payload("survey", when=when))

    activity = Activity.objects.get()
    assert activity.occurred_at == datetime.fromisoformat(occurred_at)
    assert activity.occurred_at_text == when
    assert activity.zone_assumed is assumed


def test_an_activity_older_than_the_program_accepts_is_refused(
    client, payload, program
):
    program.acceptance_days = 2
    program.save()

    assert (
        client.send(payload("survey", when="2026-03-02T12:00:00Z")).status_code == 200
    )
    refused(
        client.send(payload("survey", when="2026-03-02T11:59:59Z")), "When not found"
    )


@pytest.mark.parametrize(
    ("when", "is_late"),
    [("2026-03-03T12:00:00Z", False), ("2026-03-03T11:59:59Z", True)],
)
def test_a_late_activity_earns_and_is_marked(client, payload, when, is_late):
    response = client.send(payload("survey", when=when))

    assert response.json()["earned"]["Grocery & Co."]["loyalty"] == FIVE
    assert Activity.objects.get().is_late is is_late


# --- Note, extended data, loyalty id ----------------------------


def attributes(count, **members):
    return [{"name": f"n{n}", "value": "v", **members} for n in range(count)]


def test_extended_data_of_20_attributes_is_kept(client, payload):
    client.send(payload("survey", extendedData=attributes(20)))

    assert Activity.objects.get().data["extendedData"] == attributes(20)


@pytest.mark.parametrize("value", ["text", 7, -0.5, True, None])
def test_contents_of_extended_data_are_not_validated(client, payload, value):
    sent = [{"name": "a", "value": value, "more": value}, {}]

    client.send(payload("survey", extendedData=sent))

    assert Activity.objects.get().data["extendedData"] == sent


def test_more_than_20_attributes_are_refused_not_cut(client, payload):
    response = client.send(payload("survey", extendedData=attributes(21)))

    refused(response, "extendedData exceeds the allowed size")
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        pytest.param("x" * 5095, 200, id="5120 bytes"),
        pytest.param("x" * 5096, 400, id="5121 bytes"),
        pytest.param("é" * 2547, 200, id="5119 bytes, half the letters"),
        pytest.param("é" * 2548, 400, id="5121 bytes, half the letters"),
    ],
)
def test_extended_data_is_measured_in_bytes(client, payload, letters, status):
    # [{"name":"a","value":""}] has 25 bytes.
    sent = [{"name": "a", "value": letters}]

    assert client.send(payload("survey", extendedData=sent)).status_code == status


def test_numbers_are_measured_as_they_are_written(client):
    number = b"0." + b"1" * 5095  # 5120 bytes with what is around it
    body = (
        b'{"action":"SURVEY_RESPONSE","when":"2026-03-04","extendedData":'
        b'[{"name":"a","value":%s}]}'
    )

    assert client.send(body % number).status_code == 200
    refused(
        client.send(body % (number + b"1")), "extendedData exceeds the allowed size"
    )


@pytest.mark.parametrize("value", [{"deep": 1}, ["deep"], [], {}])
def test_nested_extended_data_is_refused(client, payload, value):
    response = client.send(
        payload("survey", extendedData=[{"name": "a", "value": value}])
    )

    refused(response, "extendedData allows only top-level attributes")


@pytest.mark.parametrize("sent", [{"a": "b"}, "text", 7, ["text"], [[]], [None]])
def test_extended_data_is_a_list_of_objects(client, payload, sent):
    refused(
        client.send(payload("survey", extendedData=sent)), "extendedData is not valid"
    )


@pytest.mark.parametrize("name", ["note", "extendedData", "loyaltyId", "businessUnit"])
def test_null_is_as_good_as_absent(client, payload, name):
    assert client.send(payload("survey", **{name: None})).status_code == 200


@pytest.mark.parametrize(("letters", "status"), [(1000, 200), (1001, 400)])
def test_a_note_has_at_most_1000_characters(client, payload, letters, status):
    assert client.send(payload("survey", note="n" * letters)).status_code == status


@pytest.mark.parametrize("note", [7, True, [], {}])
def test_a_note_is_text(client, payload, note):
    refused(client.send(payload("survey", note=note)), "note is not valid")


@pytest.mark.parametrize("card", ["6000111", "6000222", 6000222, " 6000222 ", "", None])
def test_any_card_of_the_account_will_do(client, payload, card):
    assert client.send(payload("survey", loyaltyId=card)).status_code == 200


@pytest.mark.parametrize("card", ["6000333", "C-1", 1, 0.5, True, []])
def test_a_card_of_somebody_else_is_refused(client, payload, program, card):
    other = make_member(program, "other")
    other.identities.create(program=program, kind="loyalty_id", value="6000333")

    refused(
        client.send(payload("survey", loyaltyId=card)),
        "LoyaltyId specified is not associated with this Account",
    )


def test_a_session_of_nobody_has_no_card(client, payload):
    client.open("anonymous", {"correlationId": "nobody"})

    refused(
        client.send(payload("survey", loyaltyId="6000111"), None, "nobody"),
        "LoyaltyId specified is not associated with this Account",
    )


def test_members_that_nobody_knows_are_ignored(client, payload):
    assert client.send(payload("survey", callId="x", nonsense=[1])).status_code == 200


# --- Response ---------------------------------------------------


def test_base_bonus_and_targeted_add_up_to_the_total(client, payload, program, member):
    make_campaign(program, points=10)
    make_campaign(
        program, points=100, included_segments=[make_segment(program, [member])]
    )
    make_campaign(program, points=1000, minimum_tier=make_tier(program, "Gold", 0))
    make_campaign(program, points=9, included_segments=[make_segment(program)])

    earned = client.send(payload("survey")).json()["earned"]

    sums = earned["Grocery & Co."]["loyalty"]
    assert sums["total"] == sums["base"] + sums["bonus"] + sums["targeted"]
    assert (sums["base"], sums["bonus"]) == (5, 10)
    assert sums["targeted"] in {100, 1100}
    assert Account.objects.get(member=member).balance == sums["total"]


def test_a_unit_that_is_named_stands_there_with_zeros(client, payload, program):
    make_type(program, "VISIT", reward_method="nothing", points=0)

    earned = client.send(payload("survey", action="VISIT")).json()["earned"]

    assert earned == {"Grocery & Co.": {"loyalty": ZEROS}}


def test_without_a_unit_only_those_that_paid_stand_there(client, payload, program):
    make_type(program, "VISIT", reward_method="nothing", points=0)

    response = client.send(payload("survey", action="VISIT", businessUnit=...))

    assert response.json()["earned"] == {}
    assert Activity.objects.count() == 1


def test_names_of_units_are_data_and_stay_as_they_are(client, payload, program):
    make_unit(program, "odd", name="Café.No 1 – “née” earned")

    earned = client.send(
        payload("survey", businessUnit="Café.No 1 – “née” earned")
    ).json()["earned"]

    assert list(earned) == ["Café.No 1 – “née” earned"]


def test_points_of_no_unit_stand_under_the_partner_else_the_program(
    client, payload, program
):
    partner = Partner.objects.create(program=program, name="Sunny Petrol")
    make_type(program, "REFUEL", reward_method="fixed", points=3, partner=partner)

    ours = client.send(payload("survey", businessUnit=...)).json()
    theirs = client.send(payload("survey", action="REFUEL", businessUnit=...)).json()

    assert ours["earned"] == {"Complete Journey": {"loyalty": FIVE}}
    assert list(theirs["earned"]) == ["Sunny Petrol"]


def test_each_wallet_stands_beside_the_other_in_its_own_unit(client, payload, program):
    cash = make_wallet(program, code="cashback", name="Cashback", decimals=2)
    make_campaign(program, wallet=cash, points="0.35")

    earned = client.send(payload("survey")).json()["earned"]["Grocery & Co."]

    assert earned["loyalty"]["total"] == 5
    assert earned["cashback"] == {
        "base": 0,
        "bonus": 0.35,
        "targeted": 0,
        "total": 0.35,
    }


def test_an_activity_that_earns_nothing_is_kept(client, payload, program):
    make_type(program, "VISIT", reward_method="nothing", points=0)

    client.send(payload("survey", action="VISIT"), "v-1")

    refused(client.send(payload("survey"), "v-1"), "ActivityID already exists")


def test_a_call_costs_the_same_for_one_campaign_and_for_twelve(
    client, payload, program
):
    make_campaign(program)
    client.send(payload("survey"))
    with CaptureQueriesContext(connection) as few:
        client.send(payload("survey"))
    for _ in range(11):
        make_campaign(program)
    client.send(payload("survey"))

    with CaptureQueriesContext(connection) as many:
        client.send(payload("survey"))

    assert len(many) == len(few)
