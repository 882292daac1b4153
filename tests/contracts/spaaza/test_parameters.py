"""5.1: what is asked for, read strictly; T-19, T-32."""

import json

import pytest

from activities.models import Interaction
from loyalty.models import Identity
from tests.builders import make_member
from tests.contracts.spaaza.client import (
    NOBODY,
    as_admin,
    as_client,
    as_member,
    as_token,
    done,
    refused,
)

pytestmark = pytest.mark.django_db
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def test_245_no_campaign_is_named(call):
    refused(call.changed(without=("campaign_id",)).send(), 245)
    refused(call.changed(campaign_id="").send(), 245)


def test_t_19_the_parameter_is_campaign_id(call, campaign):
    call = call.changed(without=("campaign_id",), campaign_rule_id=campaign.pk)

    refused(call.send(), 245)


@pytest.mark.parametrize(
    "value",
    ["x", "1.0", "1e3", " 1", "1 ", "0x1", "\u0661", "\0", "1\0", "--1", "true", "1,2"],
)
def test_247_no_integer(member, campaign, value):
    call = as_client(member, campaign)

    assert "campaign_id" in refused(call.changed(campaign_id=value).send(), 247)


@pytest.mark.parametrize(
    "value", [str(NOBODY), "0", "-1", "9" * 18, "9" * 19, "9" * 5_000, "-" + "9" * 40]
)
def test_246_no_such_campaign(member, campaign, value):
    refused(as_client(member, campaign).changed(campaign_id=value).send(), 246)


def test_a_number_with_zeros_before_it_is_the_same_number(call, campaign):
    done(call.changed(campaign_id=f"000{campaign.pk}").send())


@pytest.mark.parametrize("name", ["campaign_id", "chain_id", "user_id"])
def test_416_a_parameter_that_is_given_twice(member, campaign, name):
    call = as_admin(member, campaign)
    call.query[name] = [call.query[name]] * 2

    refused(call.send(), 416)


@pytest.mark.parametrize("one", [as_admin, as_client])
def test_267_nobody_is_named(member, campaign, one):
    call = one(member, campaign)

    refused(call.changed(without=("user_id",)).send(), 267)
    refused(call.changed(user_id="").send(), 267)


@pytest.mark.parametrize(
    "names",
    [
        ("user_id", "member_number"),
        ("member_number", "authentication_point_identifier"),
        ("user_id", "member_number", "authentication_point_identifier"),
    ],
)
@pytest.mark.parametrize("one", [as_admin, as_client, as_member])
def test_416_several_identifiers(member, campaign, one, names):
    call = one(member, campaign).changed(without=("user_id",))

    refused(call.changed(**dict.fromkeys(names, member.pk)).send(), 416)


@pytest.mark.parametrize(
    "value", ["x", "-1", "12345678901", "1.5", " 1", "1\0", "\u0661", "1" * 5_000]
)
def test_154_no_integer_of_ten_digits(member, campaign, value):
    refused(as_admin(member, campaign).changed(user_id=value).send(), 154)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("member_number", "member_number"),
        ("member_number", "loyalty_id"),
        ("member_number", "card"),
        ("authentication_point_identifier", "authentication_point_identifier"),
        ("authentication_point_identifier", "customer_id"),
    ],
)
@pytest.mark.parametrize("one", [as_admin, as_client, as_member, as_token])
def test_a_member_is_found_by_identities(program, member, campaign, one, name, kind):
    Identity.objects.create(program=program, member=member, kind=kind, value="K 1/ä")
    call = one(member, campaign).changed(without=("user_id",), **{name: "K 1/ä"})

    done(call.send())

    assert Interaction.objects.get().member == member


@pytest.mark.parametrize("one", [as_admin, as_client])
@pytest.mark.parametrize(
    "name", ["user_id", "member_number", "authentication_point_identifier"]
)
def test_270_nobody_is_called_so(member, campaign, one, name):
    call = one(member, campaign)
    del call.query["user_id"]

    refused(call.changed(**{name: NOBODY}).send(), 270)


@pytest.mark.parametrize("value", ["\0", "a\0b", "x" * 256])
@pytest.mark.parametrize("name", ["member_number", "authentication_point_identifier"])
def test_419_an_identifier_that_cannot_be_read(member, campaign, name, value):
    call = as_client(member, campaign).changed(without=("user_id",), **{name: value})

    refused(call.send(), 419)


@pytest.mark.parametrize("one", [as_member, as_token])
@pytest.mark.parametrize(
    "name", ["user_id", "member_number", "authentication_point_identifier"]
)
def test_t_32_a_user_who_names_somebody_else_is_refused(
    program, member, campaign, one, name
):
    other = make_member(program, "other")
    Identity.objects.create(
        program=program, member=other, kind="member_number", value="other"
    )
    value = other.pk if name == "user_id" else "other"

    refused(one(member, campaign).changed(**{name: value}).send(), 424)
    refused(one(member, campaign).changed(**{name: NOBODY}).send(), 424)


@pytest.mark.parametrize("one", [as_member, as_token])
def test_t_32_a_user_may_name_itself(member, campaign, one):
    call = one(member, campaign)

    done(call.changed(user_id=member.pk).send())
    done(call.changed(member_number="M-7").send())
    done(call.changed(authentication_point_identifier="crm-7").send())


def test_unknown_parameters_are_ignored(call):
    done(call.changed(username="x", colour="red", **{"user_id[]": "1"}).send())


# T-20: POST is our own alias.


@pytest.mark.parametrize("content_type", [JSON, FORM, f"{JSON}; charset=utf-8"])
def test_t_20_post_takes_parameters_in_the_body(member, campaign, content_type):
    call = as_client(member, campaign)
    values = dict(call.query)
    call.query = {}
    data = json.dumps(values) if JSON in content_type else None
    data = data or "&".join(f"{name}={value}" for name, value in values.items())

    done(call.send("post", data=data, content_type=content_type))

    assert Interaction.objects.count() == 1


def test_t_20_post_takes_parameters_in_the_query_and_no_body(call):
    done(call.send("post"))


def test_post_takes_some_here_and_some_there(member, campaign):
    call = as_client(member, campaign)
    body = json.dumps({"user_id": call.query.pop("user_id")})

    done(call.send("post", data=body, content_type=JSON))


def test_416_the_same_parameter_in_query_and_body(member, campaign):
    call = as_client(member, campaign)
    body = json.dumps({"campaign_id": campaign.pk})

    refused(call.send("post", data=body, content_type=JSON), 416)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"campaign_id": null, "user_id": 1}', 245),
        ('{"campaign_id": true, "user_id": 1}', 247),
        ('{"campaign_id": 1.0, "user_id": 1}', 247),
        ('{"campaign_id": [1], "user_id": 1}', 247),
        ('{"campaign_id": {"a": 1}, "user_id": 1}', 247),
        ('{"campaign_id": 1e400, "user_id": 1}', 247),
        (f'{{"campaign_id": {"9" * 50}, "user_id": 1}}', 246),
        ('{"campaign_id": "CAMPAIGN", "user_id": [1]}', 154),
        ('{"campaign_id": "CAMPAIGN", "user_id": false}', 154),
        ('{"campaign_id": "CAMPAIGN", "user_id": null}', 267),
        ('{"campaign_id": "CAMPAIGN", "member_number": {}}', 419),
        ('{"campaign_id": "CAMPAIGN", "member_number": "a\\u0000"}', 419),
        ('{"campaign_id": "CAMPAIGN", "member_number": "\\ud800"}', 419),
        ('{"campaign_id": 1, "campaign_id": 2}', 419),
        ("{", 419),
        ("[]", 419),
        ("null", 419),
        ('"text"', 419),
        ("", 245),
        (b"\xff\xfe", 419),
        ("[" * 10_000, 419),
        ('{"a": NaN}', 419),
    ],
    ids=lambda one: str(one)[:60],
)
def test_strange_bodies_are_refused_in_the_envelope(member, campaign, body, code):
    call = as_client(member, campaign)
    call.query = {}
    if isinstance(body, str):
        body = body.replace("CAMPAIGN", str(campaign.pk))

    refused(call.send("post", data=body, content_type=JSON), code)

    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    "raw", ["%", "%zz", "%ff", "\xff", "&&=&", "a" * 5_000, "%00=%00"]
)
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_strange_queries_are_refused_in_the_envelope(
    client, member, campaign, raw, method
):
    headers = as_client(member, campaign).headers

    for query in (
        raw,
        f"campaign_id={raw}",
        f"campaign_id={campaign.pk}&user_id={raw}",
    ):
        response = client.generic(
            method.upper(), f"/interact-campaign?{query}", headers=headers
        )
        assert 400 <= response.status_code < 500
        assert response["Content-Type"] == "application/json"
    assert not Interaction.objects.exists()


def test_very_many_parameters_are_answered_in_the_envelope(client, member, campaign):
    headers = as_client(member, campaign).headers
    query = "&".join(f"a{number}=1" for number in range(2_000))

    refused(client.get(f"/interact-campaign?{query}", headers=headers), 245)
