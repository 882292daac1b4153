"""Keys, methods, sizes and faults: the vendor's words, never HTML."""

import inspect

import pytest

import activities.services.commands
import activities.services.discovering
import campaigns.services.programme
import loyalty.services.channels
from activities.contracts.netcore.views import Upload
from activities.models import Activity
from loyalty.api.contract import refusal_of
from loyalty.errors import LoyaltyError
from loyalty.models import Program
from tests.contracts.netcore.client import NetcoreClient, accepted, failed

pytestmark = pytest.mark.django_db
USE_CASES = (
    activities.services.commands,
    activities.services.discovering,
    campaigns.services.programme,
    loyalty.services.channels,
)
EVERY_REFUSAL = [
    refusal
    for module in USE_CASES
    for _, refusal in inspect.getmembers(module, inspect.isclass)
    if issubclass(refusal, LoyaltyError) and refusal is not LoyaltyError
]


@pytest.mark.parametrize("refusal", EVERY_REFUSAL, ids=lambda one: one.__name__)
def test_every_refusal_of_the_use_cases_has_words_and_a_code(refusal):
    row = refusal_of(Upload.refusals, refusal("…"))

    assert row.status in {400, 401}
    assert row.words
    assert row.code


def test_a_bearer_key_is_taken(client, item):
    accepted(client.upload(item()))


@pytest.mark.parametrize("name", ["api-key", "API-KEY"])
def test_a_key_in_the_newer_header_is_taken(client, item, name):
    accepted(client.upload(item(), Authorization=None, **{name: client.key}))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": None}, id="none"),
        pytest.param({"Authorization": "Bearer wrong"}, id="wrong"),
        pytest.param({"Authorization": "Bearer"}, id="empty"),
        pytest.param({"Authorization": "Basic eDp5"}, id="another scheme"),
        pytest.param({"Authorization": None, "api-key": "wrong"}, id="wrong api-key"),
    ],
)
def test_a_bad_or_missing_key_is_401_in_the_words_of_the_page(client, item, headers):
    response = failed(client.upload(item(), **headers), 401, "Invalid API Key")

    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json().keys() == {"status", "error"}


def test_a_key_of_a_disabled_program_is_invalid(client, item):
    Program.objects.update(is_enabled=False)

    failed(client.upload(item()), 401, "Invalid API Key")


def test_a_key_that_may_only_read_is_403(program, item):
    response = NetcoreClient(program, can_write=False).upload(item())

    assert response.status_code == 403
    assert response.json()["status"] == "error"


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
)
def test_another_method_is_405_with_allow(client, method):
    response = client.upload(b"", method=method)

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    if method != "HEAD":
        failed(response, 405, "Method Not Allowed")


@pytest.mark.parametrize(
    "where", ["/v1/activity/", "/v1/activity/upload/", "/v1/activity/x", "/v1/activity"]
)
def test_an_unknown_path_is_404_in_json(client, where):
    failed(client.upload([], where=where), 404, "Not Found")


def test_a_body_over_10_mb_is_413_in_json(client):
    response = client.upload(b" " * (10 * 1024 * 1024 + 1))

    failed(response, 413, response.json()["error"])


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/xml"])
def test_another_content_type_is_415_in_json(client, item, content_type):
    response = client.upload(item(), **{"Content-Type": content_type})

    failed(response, 415, "Unsupported Media Type")


def test_too_many_requests_are_429_with_retry_after(client, item, settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    response = failed(client.upload(item()), 429, "Too Many Requests")

    assert int(response["Retry-After"]) <= 60


class BrokenStream:
    """A body whose sender has gone."""

    def read(self, *_):
        raise OSError("gone")

    readline = read


def test_a_body_that_breaks_off_is_408(client):
    response = client.http.generic(
        "POST",
        "/v1/activity/upload",
        b"[]",
        "application/json",
        headers={"Authorization": f"Bearer {client.key}"},
        **{"wsgi.input": BrokenStream(), "CONTENT_LENGTH": "2"},
    )

    failed(response, 408, "Request Time Out")


def test_a_bug_is_500_in_the_words_of_the_page(client, item, program, monkeypatch):
    monkeypatch.delattr(Program, "objects")

    failed(client.upload(item()), 500, "Internal Server Error")


@pytest.mark.parametrize(
    "body",
    [
        b'[{"activity_name":"a\\u0000b"}]',
        b'{"identity":"\\ud800"}',
        b'{"activity_name":1,"activity_name":2}',
        b'{"activity_params":{"a":NaN}}',
        b"[" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'[{"activity_params":{"a":' + b"9" * 5000 + b"}}]",
    ],
)
def test_hostile_json_is_400_in_json(client, body):
    response = client.upload(body)

    assert response.status_code == 400
    assert response.json()["status"] == "error"
    assert not Activity.objects.exists()
