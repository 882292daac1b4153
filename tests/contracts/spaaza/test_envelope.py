"""4.1 and 4.2: the shapes of answers; T-18, T-22 to T-26, T-36."""

import logging

import pytest

from activities.contracts.spaaza.codes import CODES
from tests.contracts.spaaza.client import (
    VERSION,
    as_admin,
    as_client,
    as_member,
    done,
    make_staff,
    payload,
    refused,
)

pytestmark = pytest.mark.django_db

# S4's table, word for word: code, name, status.
TABLE = {
    (6, "no_valid_session", 401),
    (68, "permission_denied_or_non_existent", 500),
    (154, "user_id_invalid", 400),
    (217, "chain_id_not_found", 400),
    (228, "auth_method_invalid", 500),
    (238, "myprice_app_not_found", 500),
    (245, "campaign_id_not_present", 400),
    (246, "campaign_id_not_found", 404),
    (247, "campaign_id_invalid", 400),
    (264, "myprice_app_without_entity", 400),
    (265, "authorization_invalid", 400),
    (266, "access_token_invalid", 401),
    (267, "no_valid_user", 401),
    (269, "no_myprice_app", 400),
    (270, "user_not_found", 404),
    (405, "entity_mismatch", 400),
    (416, "multiple_parameter_mismatch", 400),
    (419, "parameter_invalid", 400),
    (424, "access_denied", 400),
    (449, "campaign_not_active", 400),
    (450, "campaign_fully_redeemed", 400),
    (451, "insufficient_points_for_interaction", 400),
}


def off(campaign):
    campaign.is_enabled = False
    campaign.save()


def test_all_22_codes_have_their_names_and_statuses():
    assert {(one.number, name, one.status) for name, one in CODES.items()} == TABLE


def test_t_18_a_success_is_the_seed_s_sample_and_what_was_won(call):
    body = call.send().json()
    for name in ("reward", "rewards"):
        body["results"].pop(name, None)

    assert body == payload("success")


def test_t_25_without_a_version_there_is_one_error(call, campaign):
    off(campaign)

    body = call.send().json()
    body["error"]["description"] = payload("campaign_not_active")["error"][
        "description"
    ]

    assert body == payload("campaign_not_active")


@pytest.mark.parametrize("version", ["1.4.0", "1.4", "1.6.3", "2", "10.0.0", "x", ""])
def test_t_25_from_1_4_0_on_there_is_one_error(call, version):
    call = call.with_headers({VERSION: version}).changed(campaign_id="x")

    refused(call.send(), 247)


@pytest.mark.parametrize("version", ["1.3.9", "1.0.0", "1", "0.9.12", "1.3.99"])
def test_t_25_before_1_4_0_errors_are_a_map_by_code(call, campaign, version):
    off(campaign)

    response = call.with_headers({VERSION: version}).send()

    body = response.json()
    expected = payload("campaign_not_active_before_1_4")
    expected["errors"]["449"]["description"] = body["errors"]["449"]["description"]
    assert (response.status_code, body) == (400, expected)


def test_the_version_header_is_read_in_any_case(call):
    call = call.with_headers({"X-Spaaza-API-version": "1.0.0"}).changed(campaign_id="x")

    assert set(call.send().json()) == {"result", "errors"}


def test_t_24_without_remarks_nothing_is_said_of_warnings(call):
    done(call.send())


def no_permission(member, campaign):
    return as_admin(member, campaign, make_staff("bob", "view_campaign"))


def two_ways(member, campaign):
    call = as_member(member, campaign)
    call.headers |= as_client(member, campaign).headers
    return call


def unknown_app(member, campaign):
    call = as_member(member, campaign)
    return call.with_headers({"X-Spaaza-MyPrice-App-Hostname": "no.example.com"})


@pytest.mark.parametrize(
    ("code", "make"), [(68, no_permission), (228, two_ways), (238, unknown_app)]
)
def test_t_22_three_errors_are_500_and_alarm_nobody(
    member, campaign, code, make, caplog
):
    from django.core.signals import got_request_exception

    heard = []
    got_request_exception.connect(lambda **_: heard.append(1), weak=False)

    with caplog.at_level(logging.DEBUG):
        response = make(member, campaign).send()

    refused(response, code)
    assert response.status_code == 500
    assert not heard
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_t_26_administrators_alone_are_told_why_a_campaign_is_not_active(
    member, campaign
):
    off(campaign)

    told = {
        one.__name__: refused(one(member, campaign).send(), 449)
        for one in (as_admin, as_client, as_member)
    }

    assert told == {
        "as_admin": "The campaign is not active: it is switched off.",
        "as_client": "The campaign is not active.",
        "as_member": "The campaign is not active.",
    }


@pytest.mark.parametrize("context", ["activity", "basket", "internal"])
def test_t_26_another_context_is_449_and_administrators_are_told(
    program, member, context
):
    from tests.builders import make_campaign

    campaign = make_campaign(program, context=context)

    assert "context" in refused(as_admin(member, campaign).send(), 449)
    assert "context" not in refused(as_member(member, campaign).send(), 449)


def test_a_bug_is_answered_in_the_envelope_and_noted(
    member, campaign, monkeypatch, caplog
):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("activities.contracts.spaaza.views.interact", fail)

    response = as_client(member, campaign).send()

    assert response.status_code == 500
    assert response.json()["error"]["name"] == "internal_error"
    assert response.json()["error"]["code"] == 10_500
    assert b"secret" not in response.content
    assert [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_too_many_calls_are_429_in_the_envelope(call, settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    response = call.send()

    assert response.status_code == 429
    assert response.json()["error"]["name"] == "too_many_requests"
    assert int(response["Retry-After"]) <= 60


@pytest.mark.parametrize("name", ["session_key", "access_token", "api_key"])
def test_no_key_is_logged(call, name, caplog):
    secrets = [one for one in call.headers.values() if len(one) > 30]
    call = call.changed(campaign_id="x", **{name: "0123456789secret"})

    with caplog.at_level(logging.DEBUG):
        refused(call.send(), 247)

    assert secrets
    for secret in [*secrets, "0123456789secret"]:
        assert secret not in caplog.text
