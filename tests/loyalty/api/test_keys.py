"""Who may call: keys, scopes, units."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from loyalty.models import Channel
from tests import builders
from tests.callers import Caller, caller_for, make_key, problem_in

CHANNEL = {"code": "APP", "name": "App"}


def get(headers):
    return Client().get("/api/v1/channels", headers=headers)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"Authorization": "Bearer {}"}, id="bearer"),
        pytest.param({"Authorization": "bearer {}"}, id="scheme in lower case"),
        pytest.param({"X-API-Key": "{}"}, id="X-API-Key"),
    ],
)
def test_a_key_is_sent_either_way(program, header):
    _, text = make_key(program)

    response = get({name: value.format(text) for name, value in header.items()})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "missing_key", id="none"),
        pytest.param(
            {"Authorization": "Basic dXNlcjpwYXNz"}, "missing_key", id="basic"
        ),
        pytest.param({"Authorization": "Bearer"}, "unknown_key", id="empty"),
        pytest.param({"Authorization": "Bearer a.b"}, "unknown_key", id="made up"),
        pytest.param({"Authorization": "Bearer nonsense"}, "unknown_key", id="no key"),
        pytest.param({"X-API-Key": "a" * 5_000}, "unknown_key", id="long"),
        pytest.param({"X-API-Key": "ä.ö"}, "unknown_key", id="other letters"),
        pytest.param({"X-API-Key": "' OR 1=1 --"}, "unknown_key", id="SQL"),
    ],
)
def test_a_call_without_a_usable_key_is_challenged(program, headers, code):
    response = get(headers)

    problem_in(response, 401, code)
    assert response["WWW-Authenticate"].startswith('Bearer realm="loyalty"')


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"revoked": True}, "revoked_key", id="revoked"),
        pytest.param(
            {"expiry_date": datetime.now(tz=UTC) - timedelta(seconds=1)},
            "expired_key",
            id="expired",
        ),
    ],
)
def test_a_key_that_ended_opens_nothing(program, fields, code):
    client = caller_for(program, **fields)

    read = client.get("channels")
    written = client.post("channels", CHANNEL)

    for response in (read, written):
        problem_in(response, 401, code)
        assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert Channel.objects.count() == 0


def test_only_who_holds_the_whole_key_learns_that_it_was_revoked(program):
    _, text = make_key(program, revoked=True)
    prefix = text.split(".")[0]

    response = Caller(f"{prefix}.guessed").get("channels")

    problem_in(response, 401, "unknown_key")


def test_a_key_that_expires_later_still_opens(program):
    client = caller_for(
        program, expiry_date=datetime.now(tz=UTC) + timedelta(minutes=1)
    )

    assert client.get("channels").status_code == 200


def test_reading_needs_the_read_scope(program):
    client = caller_for(program, can_read=False)

    problem = problem_in(client.get("channels"), 403, "missing_scope")
    assert problem["scope"] == "read"
    assert client.post("channels", CHANNEL).status_code == 201


def test_writing_needs_the_write_scope(program):
    client = caller_for(program, can_write=False)
    row = Channel.objects.create(program=program, **CHANNEL)

    refusals = [
        client.post("channels", {"code": "POS", "name": "Pos"}),
        client.patch(f"channels/{row.pk}", {"name": "Other"}),
        client.delete(f"channels/{row.pk}"),
        client.post("activities", {}),
        client.post("activities/batch", {}),
        client.post("members", {}),
    ]

    for response in refusals:
        assert problem_in(response, 403, "missing_scope")["scope"] == "write"
    assert list(Channel.objects.values_list("name", flat=True)) == ["App"]


def test_a_missing_scope_is_told_before_what_is_there(program):
    client = caller_for(program, can_write=False)

    problem_in(client.delete("channels/999999"), 403, "missing_scope")


def test_a_key_bound_to_units_may_read_but_not_change_the_configuration(program):
    unit = builders.make_unit(program)
    client = caller_for(program, units=[unit])

    assert client.get("channels").status_code == 200
    problem_in(client.post("channels", CHANNEL), 403, "bound_to_business_units")
    problem_in(
        client.patch(f"business-units/{unit.pk}", {"name": "Mine"}),
        403,
        "bound_to_business_units",
    )
    assert Channel.objects.count() == 0


def test_no_key_is_logged(program, caplog):
    caplog.set_level(logging.DEBUG)
    _, text = make_key(program)
    client = Caller(text)

    client.get("channels")
    client.get("nowhere")
    client.post("channels", b"{")
    Caller(f"{text}x").get("channels")

    secret = text.split(".")[1]
    assert secret not in caplog.text


def test_keys_are_stored_as_hashes(program):
    row, text = make_key(program)

    row.refresh_from_db()
    assert text.split(".")[1] not in str(vars(row))
