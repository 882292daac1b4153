"""Keys, methods and errors: two keys in every envelope, and never HTML."""

import inspect
import json
import logging
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory

from activities import services
from activities.contracts.crowdtwist.envelope import CODES, envelope
from activities.contracts.crowdtwist.views import CrowdTwistView, MemberActivities
from activities.services import catalogue, crediting
from loyalty.api.contract import refusal_of
from loyalty.api.problems import Problem
from loyalty.errors import LoyaltyError
from loyalty.models import ApiKey
from loyalty.services import UnknownIdentity
from tests.builders import NOON, make_program
from tests.callers import make_key
from tests.contracts.crowdtwist.client import (
    CrowdTwist,
    error_in,
    fixed,
    listed,
    payload,
)

pytestmark = pytest.mark.django_db

CATALOGUE = "/v2.1/activities/extended"
READ_PATHS = [
    CATALOGUE,
    "/v2/activities",
    "/v2/activities/1/extended",
    "/v2.1/users/1/activities/extended",
    "/v2/users/1/activities/extended",
    "/v2/users/1/activities",
    "/v2/users/1/activity_history",
    "/v2.1/users/1/activity_history",
]


def refused(response):
    assert response.status_code == 403
    assert response["Content-Type"] == "application/json"
    assert response.json() == payload("invalid_auth")
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize("path", READ_PATHS)
def test_t13_without_a_key_it_is_403_invalid_auth(crowdtwist, path):
    refused(crowdtwist.bare(path))


@pytest.mark.parametrize("path", READ_PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-CT-Authorization": "CTApiKey nothing"}, id="unknown"),
        pytest.param({"X-CT-Authorization": "CTApiKey"}, id="empty"),
        pytest.param({"X-CT-Authorization": "CTApiKey "}, id="blank"),
        pytest.param({"X-CT-Authorization": "CTApiV2Auth a:b"}, id="t14: HMAC"),
        pytest.param({"Authorization": "Bearer nothing"}, id="another header"),
    ],
)
def test_t13_with_a_wrong_key_it_is_403_invalid_auth(crowdtwist, path, headers):
    refused(crowdtwist.call("get", path, **headers))


def test_t13_a_good_key_in_another_header_is_no_key(crowdtwist):
    sent = {"Authorization": f"Bearer {crowdtwist.key}"}

    refused(crowdtwist.call("get", CATALOGUE, **sent))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"revoked": True}, id="revoked"),
        pytest.param({"expiry_date": NOON - timedelta(seconds=1)}, id="expired"),
        pytest.param({"can_read": False}, id="may not read"),
    ],
)
def test_t13_a_key_that_may_not_is_403_invalid_auth(crowdtwist, fields):
    ApiKey.objects.update(**fields)

    refused(crowdtwist.get(CATALOGUE))


def test_t13_a_program_that_is_switched_off_is_403_invalid_auth(program, crowdtwist):
    program.is_enabled = False
    program.save()

    refused(crowdtwist.get(CATALOGUE))


def test_a_key_that_may_not_write_cannot_credit(program, alice):
    reader = CrowdTwist(program, can_write=False)
    row = fixed(program, "it")

    refused(
        reader.post(f"/v2/users/{alice.pk}/activities", {"activity_id": str(row.pk)})
    )


def test_the_key_may_stand_in_the_header_with_one_blank(program, crowdtwist):
    fixed(program, "it")
    sent = {"X-CT-Authorization": f"CTApiKey {crowdtwist.key}"}

    assert listed(crowdtwist.call("get", CATALOGUE, **sent)) == ["it"]


def test_the_key_may_stand_in_the_query(program, crowdtwist):
    fixed(program, "it")

    assert listed(crowdtwist.bare(f"{CATALOGUE}?api_key={crowdtwist.key}")) == ["it"]


def test_a_wrong_key_in_the_query_is_403_invalid_auth(crowdtwist):
    refused(crowdtwist.bare(f"{CATALOGUE}?api_key=nothing"))
    refused(crowdtwist.bare(f"{CATALOGUE}?api_key="))


def test_the_header_counts_before_the_query(program, crowdtwist):
    other = make_program()
    fixed(other, "foreign")
    fixed(program, "it")
    _, foreign = make_key(other)

    assert listed(crowdtwist.get(f"{CATALOGUE}?api_key={foreign}")) == ["it"]


@pytest.mark.parametrize("path", READ_PATHS)
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_another_method_is_405_with_allow(crowdtwist, path, method):
    response = crowdtwist.call(method, path)

    assert response.status_code == 405
    assert response["Content-Type"] == "application/json"
    is_credit = path == "/v2/users/1/activities"
    assert response["Allow"] == ("GET, HEAD, POST" if is_credit else "GET, HEAD")
    error_in(response, 405, "invalid")


def test_the_catalogue_cannot_be_posted_to(crowdtwist):
    response = crowdtwist.post(CATALOGUE, {})

    error_in(response, 405, "invalid")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/",
        "/v2.1",
        "/v2.1/",
        "/v2.1/activities",
        "/v2.1/activities/extended/",
        "/v2/activities/",
        "/v2/users/a/b/activities",
        "/v2.1/rewards",
        "/v2/users//activities",
        "/v2/%ff",
    ],
)
def test_an_unknown_path_is_404_in_the_envelope(crowdtwist, path):
    error_in(crowdtwist.get(path), 404, "page_not_found")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("", 200),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=b", 415),
        ("text/xml", 415),
    ],
)
def test_a_credit_is_json(program, crowdtwist, alice, content_type, status):
    row = fixed(program, "it")

    response = Client().generic(
        "POST",
        f"/v2/users/{alice.pk}/activities",
        f'{{"activity_id": "{row.pk}"}}'.encode(),
        content_type,
        headers={"X-CT-Authorization": f"CTApiKey {crowdtwist.key}"},
    )

    if status == 200:
        assert response.json() == {"awarded": True}
    else:
        error_in(response, status, "invalid")


def test_a_body_that_is_too_large_is_413_in_the_envelope(crowdtwist, alice):
    response = crowdtwist.call(
        "post", f"/v2/users/{alice.pk}/activities", b" " * 10_500_000
    )

    error_in(response, 413, "invalid")


def test_too_many_calls_are_429_in_the_envelope(crowdtwist, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    crowdtwist.get(CATALOGUE)

    response = crowdtwist.get(CATALOGUE)

    error_in(response, 429, "too_many_requests")
    assert int(response["Retry-After"]) <= 60


def test_a_host_that_is_not_ours_is_400_in_the_envelope(crowdtwist):
    fixed(crowdtwist.program, "it")
    for number in range(11):
        fixed(crowdtwist.program, f"it {number}")
    sent = {
        "X-CT-Authorization": f"CTApiKey {crowdtwist.key}",
        "Host": "elsewhere.example",
    }

    response = crowdtwist.call("get", CATALOGUE, **sent)

    error_in(response, 400, "invalid")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_whatever_a_client_accepts_it_gets_json(program, crowdtwist, accept):
    sent = {"X-CT-Authorization": f"CTApiKey {crowdtwist.key}", "Accept": accept}

    response = crowdtwist.call("get", CATALOGUE, **sent)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "query",
    [
        "page=1&page=2",
        "page[]=1",
        "%",
        "%00=%00",
        "page=%ff",
        "page_size=%F0%9F%98%80",
        "&&&&",
        "=",
        "a" * 5000,
        "id_type=%00",
    ],
)
@pytest.mark.parametrize("path", [CATALOGUE, "/v2/activities"])
def test_a_strange_query_is_answered_all_the_same(crowdtwist, path, query):
    assert crowdtwist.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    "who",
    [
        "%ff",
        "%ED%A0%80",
        "%F0%9F%98%80",
        "%0A",
        "%25",
        "a" * 3000,
        "..",
        "%2e%2e",
        "'--",
    ],
)
@pytest.mark.parametrize("id_type", ["id", "email", "third_party_id"])
@pytest.mark.parametrize(
    "path",
    [
        "/v2.1/users/{}/activities/extended",
        "/v2/users/{}/activities",
        "/v2.1/users/{}/activity_history",
    ],
)
def test_a_strange_member_is_not_found(crowdtwist, path, who, id_type):
    address = f"{path.format(who)}?id_type={id_type}"

    error_in(crowdtwist.get(address), 404, "page_not_found")


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        pytest.param(500, "internal_error", "internal_error", id="a bug"),
        pytest.param(401, "unknown_key", "invalid_auth", id="a bad key"),
        pytest.param(403, "missing_scope", "invalid_auth", id="no scope"),
        pytest.param(404, "not_found", "page_not_found", id="no such path"),
        pytest.param(409, "conflict", "invalid", id="a conflict"),
        pytest.param(429, "rate_limited", "too_many_requests", id="too often"),
        pytest.param(400, "invalid_date", "invalid_date", id="the vendor's own"),
    ],
)
def test_every_problem_gets_a_code_of_the_vendor(status, code, told):
    response = envelope(Problem(status, code, "Why."), RequestFactory().get("/v2"))

    assert json.loads(response.content)["error"] == told
    assert response.status_code == (403 if status == 401 else status)


@pytest.mark.parametrize("path", READ_PATHS)
def test_no_log_holds_a_key_from_the_query(crowdtwist, caplog, path):
    with caplog.at_level(logging.DEBUG):
        crowdtwist.bare(f"{path}?api_key={crowdtwist.key}")

    assert crowdtwist.key not in caplog.text
    assert all(crowdtwist.key not in repr(one.__dict__) for one in caplog.records)


def refusals_in(module):
    """Return the refusals that a module of use cases names."""
    return {
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, LoyaltyError) and one is not LoyaltyError
    }


@pytest.mark.parametrize(
    "refusal",
    sorted(
        refusals_in(services) | refusals_in(crediting) | {UnknownIdentity},
        key=str,
    ),
)
def test_every_refusal_of_a_credit_has_words_of_the_vendor(refusal):
    row = refusal_of(MemberActivities.refusals, refusal("why"))

    assert 400 <= row.status < 500
    assert row.code in CODES
    assert row.words.endswith(".")


@pytest.mark.parametrize(
    "refusal",
    sorted(refusals_in(catalogue) | {UnknownIdentity}, key=str),
)
def test_every_refusal_of_a_list_has_words_of_the_vendor(refusal):
    row = refusal_of(CrowdTwistView.refusals, refusal("why"))

    assert row.code in CODES
