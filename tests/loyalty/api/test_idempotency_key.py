"""``Idempotency-Key`` on writes other than activities."""

import pytest

from loyalty.models import Channel, IdempotentResponse
from tests import builders
from tests.callers import caller_for, problem_in

APP = {"code": "APP", "name": "App"}
KEY = {"Idempotency_Key": "k-1"}


def test_the_same_request_is_answered_byte_for_byte(client):
    first = client.post("channels", APP, **KEY)
    Channel.objects.update(name="Renamed meanwhile")

    second = client.post("channels", b' {"name":"App", "code":"APP"} ', **KEY)

    assert second.status_code == first.status_code == 201
    assert second.content == first.content
    assert second["Content-Type"] == first["Content-Type"]
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Channel.objects.count() == 1


def test_another_body_is_refused_and_told_apart(client):
    client.post("channels", APP, **KEY)

    response = client.post("channels", {"code": "POS", "name": "App"}, **KEY)

    problem = problem_in(response, 422, "key_reused")
    assert problem["differing"] == ["code"]
    assert problem["errors"][0]["header"] == "Idempotency-Key"
    assert Channel.objects.count() == 1


def test_another_path_is_refused(client):
    client.post("channels", APP, **KEY)

    response = client.post("tags", {"name": "App"}, **KEY)

    assert problem_in(response, 422, "key_reused")["differing"] == ["path"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"code": "APP"}, id="a member is missing"),
        pytest.param(b"{", id="broken JSON"),
        pytest.param({"code": "TAKEN", "name": "App"}, id="the code is taken"),
    ],
)
def test_a_refused_request_leaves_its_key_free(program, client, body):
    builders.make_channel(program, "TAKEN")
    refused = client.post("channels", body, **KEY)

    recorded = client.post("channels", APP, **KEY)

    assert 400 <= refused.status_code < 500
    assert recorded.status_code == 201
    assert "Idempotency-Replayed" not in recorded


def test_programs_do_not_share_keys(client):
    client.post("channels", APP, **KEY)
    other = caller_for(builders.make_program())

    response = other.post("channels", APP, **KEY)

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


@pytest.mark.parametrize(
    "key", ["", " ", '""', '"open', "two words", "ä", "k" * 256, '"' + "k" * 256 + '"']
)
def test_a_key_that_cannot_be_one_is_refused(client, key):
    response = client.post("channels", APP, Idempotency_Key=key)

    problem = problem_in(response, 400, "invalid")
    assert problem["errors"][0]["header"] == "Idempotency-Key"
    assert Channel.objects.count() == 0


@pytest.mark.parametrize("key", ["k" * 255, '"two words"', r'"a \"quoted\" key"'])
def test_any_visible_key_will_do(client, key):
    client.post("channels", APP, Idempotency_Key=key)

    again = client.post("channels", APP, Idempotency_Key=key)

    assert again["Idempotency-Replayed"] == "true"
    assert IdempotentResponse.objects.count() == 1


def test_without_a_key_nothing_is_kept(client):
    client.post("channels", APP)

    assert IdempotentResponse.objects.count() == 0
