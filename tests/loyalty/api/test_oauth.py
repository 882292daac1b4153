"""Access tokens: who gets one, what it opens, how long."""

import base64
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from loyalty.models import AccessToken, ApiKey
from loyalty.services.access_tokens import forget_expired_tokens
from tests.builders import NOON, make_program, make_unit
from tests.callers import Caller, make_key

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
HOUR = timedelta(hours=1)


@pytest.fixture
def frozen():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def program(db, frozen):
    return make_program()


def credentials(text):
    client_id, _, secret = text.partition(".")
    return {"client_id": client_id, "client_secret": secret}


def ask(form, content_type=FORM, **headers) -> Any:
    """``form`` may be the fields, or bytes to send as they are."""
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    return Client(raise_request_exception=False).generic(
        "POST", "/oauth/token", body, content_type, headers=headers
    )


def token_of(text, **fields):
    form = {"grant_type": "client_credentials", **credentials(text), **fields}
    response = ask(form)
    assert response.status_code == 200, response.content
    return response.json()


def basic(text):
    client_id, _, secret = text.partition(".")
    encoded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def denied(response, status, error):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"] == error
    assert set(response.json()) <= {"error", "error_description"}
    assert response["Cache-Control"] == "no-store"
    return response


def test_a_token_is_given_for_the_two_parts_of_an_api_key(program):
    _, text = make_key(program)

    response = ask({"grant_type": "client_credentials", **credentials(text)})

    body = response.json()
    assert len(body.pop("access_token")) == 43
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "read write"}
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")


def test_credentials_may_come_as_http_basic(program):
    _, text = make_key(program)

    response = ask({"grant_type": "client_credentials"}, **basic(text))

    assert response.status_code == 200


def test_only_the_digest_of_a_token_is_kept(program):
    _, text = make_key(program)

    token = token_of(text)["access_token"]

    row = AccessToken.objects.get()
    assert len(bytes(row.digest)) == 32
    assert token not in str(vars(row))


def test_a_token_opens_what_its_key_opens(program):
    _, text = make_key(program, units=[make_unit(program)])
    token = token_of(text)["access_token"]

    assert Caller(token).get("members").status_code == 200
    answers = [Caller(one).post("members", {}) for one in (text, token)]
    assert answers[0].content == answers[1].content


def test_a_scope_asks_for_less(program):
    _, text = make_key(program)

    body = token_of(text, scope="read")

    assert body["scope"] == "read"
    caller = Caller(body["access_token"])
    assert caller.get("members").status_code == 200
    assert caller.post("members", {}).json()["code"] == "missing_scope"


@pytest.mark.parametrize("scope", ["write", "read write", "admin", "read admin"])
def test_a_scope_that_the_key_does_not_have_is_refused(program, scope):
    _, text = make_key(program, can_write=False)
    form = {"grant_type": "client_credentials", **credentials(text), "scope": scope}

    denied(ask(form), 400, "invalid_scope")


def test_a_key_that_may_do_nothing_gets_no_token(program):
    _, text = make_key(program, can_read=False, can_write=False)

    response = ask({"grant_type": "client_credentials", **credentials(text)})

    denied(response, 400, "invalid_scope")


def test_a_token_lives_one_hour(program, frozen):
    _, text = make_key(program)
    caller = Caller(token_of(text)["access_token"])

    frozen.shift(HOUR - timedelta(seconds=1))
    assert caller.get("members").status_code == 200
    frozen.shift(timedelta(seconds=1))
    assert caller.get("members").json()["code"] == "expired_key"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"revoked": True}, "revoked_key"),
        ({"expiry_date": NOON}, "expired_key"),
    ],
)
def test_whatever_closes_the_key_closes_its_tokens(program, change, code):
    _, text = make_key(program)
    caller = Caller(token_of(text)["access_token"])

    ApiKey.objects.update(**change)

    assert caller.get("members").json()["code"] == code


def test_a_scope_taken_from_the_key_is_taken_from_its_tokens(program):
    _, text = make_key(program)
    caller = Caller(token_of(text)["access_token"])

    ApiKey.objects.update(can_write=False)

    assert caller.post("members", {}).json()["code"] == "missing_scope"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="none"),
        pytest.param({"client_id": "abc"}, id="no secret"),
        pytest.param({"client_id": "abc", "client_secret": "x"}, id="unknown"),
        pytest.param({"client_id": "é", "client_secret": "é"}, id="not ASCII"),
    ],
)
def test_unknown_clients_are_refused(program, form):
    response = ask({"grant_type": "client_credentials", **form})

    denied(response, 401, "invalid_client")
    assert response["WWW-Authenticate"] == 'Basic realm="loyalty"'


def test_a_wrong_secret_is_refused(program):
    row, _ = make_key(program)
    form = {"grant_type": "client_credentials", "client_id": row.prefix}

    denied(ask({**form, "client_secret": "x" * 32}), 401, "invalid_client")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic w6k", "Basic /w==", "Basic é", "Basic ÿ", "B"]
)
def test_credentials_that_cannot_be_read_are_refused(program, header):
    response = ask({"grant_type": "client_credentials"}, Authorization=header)

    denied(response, 401, "invalid_client")


@pytest.mark.parametrize("change", [{"revoked": True}, {"expiry_date": NOON}])
def test_a_closed_key_gets_no_token(program, change):
    _, text = make_key(program)
    ApiKey.objects.update(**change)

    response = ask({"grant_type": "client_credentials", **credentials(text)})

    denied(response, 401, "invalid_client")


@pytest.mark.parametrize(
    ("grant", "error"),
    [
        ("password", "unsupported_grant_type"),
        ("authorization_code", "unsupported_grant_type"),
        ("refresh_token", "unsupported_grant_type"),
        ("", "invalid_request"),
    ],
)
def test_no_other_grant_is_offered(program, grant, error):
    _, text = make_key(program)

    denied(ask({"grant_type": grant, **credentials(text)}), 400, error)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(
            b'{"grant_type":"client_credentials"}', "application/json", id="J"
        ),
        pytest.param(b"\xff\xfe", FORM, id="not UTF-8"),
        pytest.param(b"grant_type=a&grant_type=b", FORM, id="doubled"),
        pytest.param(b"", FORM, id="nothing"),
        pytest.param(b"%", FORM, id="broken escape"),
        pytest.param(b"client_id=a%00", FORM, id="NUL"),
        pytest.param(b"grant_type=client_credentials;x", FORM, id="semicolon"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(program, body, content_type):
    response = ask(body, content_type)

    assert 400 <= response.status_code < 500
    assert set(response.json()) <= {"error", "error_description"}


@pytest.mark.parametrize("query", ["a", "a=%zz", "%00", "a=%ff", "é", "="])
def test_a_strange_query_is_never_a_bug(program, query):
    _, text = make_key(program)
    sent = {"grant_type": "client_credentials", **credentials(text)}

    response = Client(raise_request_exception=False).generic(
        "POST", "/oauth/token", urlencode(sent).encode(), FORM, QUERY_STRING=query
    )

    assert response.status_code in {200, 400}, response.content
    assert response["Content-Type"] == "application/json"


def test_another_method_is_refused_with_allow(program):
    response = Client().get("/oauth/token")

    assert denied(response, 405, "invalid_request")["Allow"] == "POST"


def test_credentials_in_the_address_are_refused(program):
    _, text = make_key(program)
    form = urlencode({"grant_type": "client_credentials", **credentials(text)})

    response = Client().post(f"/oauth/token?{form}", "", FORM)

    denied(response, 400, "invalid_request")


def test_no_secret_stands_in_the_logs(program, caplog):
    _, text = make_key(program)

    with caplog.at_level(logging.DEBUG):
        token = token_of(text)["access_token"]
        ask({"grant_type": "password", **credentials(text)})

    assert credentials(text)["client_secret"] not in caplog.text
    assert token not in caplog.text


def test_tokens_are_forgotten_when_they_expire(program):
    _, text = make_key(program)
    token_of(text)

    assert forget_expired_tokens(at=NOON + HOUR - timedelta(seconds=1)) == 0
    assert forget_expired_tokens(at=NOON + HOUR) == 1
