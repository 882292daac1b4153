"""Wrong credentials are slowed down, by the address that they come from."""

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from loyalty.api.client_address import ClientAddress
from tests import builders
from tests.callers import caller_for, make_key, problem_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    cache.clear()
    settings.API_FAILED_SIGN_INS_PER_MINUTE = 3
    with time_machine.travel("2026-03-04T12:00:15Z", tick=False):
        yield


def wrong_key(address="10.0.0.1"):
    return Client().get(
        "/api/v1/channels",
        headers={"X-API-Key": "abcdefgh." + "x" * 32},
        REMOTE_ADDR=address,
    )


def wrong_client(address="10.0.0.1"):
    form = "grant_type=client_credentials&client_id=abcdefgh&client_secret=x"
    content_type = "application/x-www-form-urlencoded"
    return Client().post("/oauth/token", form, content_type, REMOTE_ADDR=address)


@pytest.mark.parametrize("call", [wrong_key, wrong_client])
def test_after_so_many_failures_an_address_has_to_wait(call):
    statuses = [call().status_code for _ in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    assert call()["Retry-After"] == "45"
    assert call("10.0.0.2").status_code == 401


def test_a_good_key_from_the_same_address_is_served():
    _, key = make_key(builders.make_program())
    for _ in range(5):
        wrong_key()

    good = Client().get(
        "/api/v1/channels", headers={"X-API-Key": key}, REMOTE_ADDR="10.0.0.1"
    )

    assert good.status_code == 200


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, ", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_adds(
    rf, forwarded, address
):
    request = rf.get("/", headers={"X-Forwarded-For": forwarded})

    ClientAddress(lambda _: None)(request)  # type: ignore[arg-type, return-value]

    assert request.META["REMOTE_ADDR"] == address


@pytest.mark.parametrize(
    "path", ["/api/v1/channels", "/api/v1/nowhere", "/oauth/token"]
)
def test_a_host_that_is_not_the_sites_is_refused(path):
    caller_for(builders.make_program())

    response = Client().get(path, headers={"host": "evil.example"})

    assert response.status_code == 400


def test_the_schema_is_drawn_once(monkeypatch):
    _, key = make_key(builders.make_program())
    asking = Client(headers={"X-API-Key": key})
    first = asking.get("/api/v1/schema")
    monkeypatch.setattr(
        "drf_spectacular.views.SpectacularAPIView.get",
        lambda *_, **__: pytest.fail("drawn again"),
    )

    again = asking.get("/api/v1/schema")

    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]


def test_a_wrong_host_is_a_problem():
    problem = Client().get("/api/v1/channels", headers={"host": "evil.example"})

    problem_in(problem, 400, "bad_request")
