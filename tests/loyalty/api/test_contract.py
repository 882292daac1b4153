"""The base of vendors' contracts, by a made-up one."""

import logging
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import clear_url_caches, path

from config.urls import urlpatterns as site
from loyalty.api import edge
from loyalty.api.bodies import StrictJsonParser
from loyalty.api.contract import (
    BEARER,
    Contract,
    ContractView,
    Refusal,
    answer,
    in_header,
    in_query,
    refusal_of,
    serve,
)
from loyalty.api.form_bodies import FormParser, MultipartParser
from loyalty.errors import LoyaltyError
from tests.builders import make_program
from tests.callers import make_key

JSON = "application/json"


class TooShy(LoyaltyError):
    code = "too_shy"


class TooShyToday(TooShy):
    code = "too_shy_today"


def envelope(problem, request):
    return HttpResponse(
        orjson.dumps({"oops": problem.detail, "kind": problem.code}),
        status=problem.status,
        content_type=JSON,
        headers=problem.headers,
    )


CONTRACT = Contract("acme", "Acme", ("/acme/",), envelope)


class Echo(ContractView):
    contract = CONTRACT
    keys = (BEARER, in_header("X-Token", "Acme"), in_query("api_key"))
    parser_classes = [StrictJsonParser, FormParser, MultipartParser]
    refusals = {TooShy: Refusal(418, "Acme is shy.", "shy")}

    def get(self, request, name):
        return answer({"name": name, "caller": self.caller.name})

    def post(self, request, name):
        if name == "shy":
            raise TooShyToday("not today")
        if name == "bug":
            raise ZeroDivisionError("secret words")
        body = request.data
        return answer(dict(body.lists()) if hasattr(body, "lists") else body)


urlpatterns = [*site, path("acme/echo/<str:name>", Echo.as_view())]


@pytest.fixture
def acme(db, settings, monkeypatch):
    """A client of Acme, its key beside it."""
    monkeypatch.setattr(edge, "_manners", dict(edge._manners))
    serve(CONTRACT)
    settings.ROOT_URLCONF = __name__
    clear_url_caches()
    client: Any = Client(raise_request_exception=False)
    client.key = make_key(make_program())[1]
    yield client
    clear_url_caches()


def bearer(client):
    return {"Authorization": f"Bearer {client.key}"}


def oops(response, status, kind):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == JSON
    assert response.json()["kind"] == kind
    return response


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": "Bearer {}"}, id="bearer"),
        pytest.param({"Authorization": "bearer  {} "}, id="case and blanks"),
        pytest.param({"X-Token": "Acme {}"}, id="a scheme of its own"),
    ],
)
def test_a_key_is_found_in_every_header_of_the_contract(acme, headers):
    sent = {name: text.format(acme.key) for name, text in headers.items()}

    response = acme.get("/acme/echo/jo", headers=sent)

    assert response.json() == {"name": "jo", "caller": "till"}
    assert response["Cache-Control"] == "no-store"


def test_a_key_is_found_in_the_query(acme):
    assert acme.get(f"/acme/echo/jo?api_key={acme.key}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        pytest.param({}, "missing_key", id="none"),
        pytest.param({"X-Token": "Other abc"}, "missing_key", id="another scheme"),
        pytest.param({"Authorization": "Bearer nothing"}, "unknown_key", id="wrong"),
        pytest.param({"Authorization": "Bearer a\0.b"}, "unknown_key", id="NUL"),
    ],
)
def test_a_call_without_a_good_key_is_answered_401_in_the_envelope(acme, headers, kind):
    response = oops(acme.post("/acme/echo/jo", headers=headers), 401, kind)

    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_key_without_the_scope_is_answered_403_in_the_envelope(acme):
    _, acme.key = make_key(make_program(), can_write=False)

    response = acme.post("/acme/echo/jo", b"{}", JSON, headers=bearer(acme))

    oops(response, 403, "missing_scope")


@pytest.mark.parametrize("where", ["/acme/", "/acme", "/acme/none", "/acme/echo/a/b"])
def test_an_unknown_path_is_answered_404_in_the_envelope(acme, where):
    oops(acme.get(where), 404, "not_found")


def test_a_path_with_nul_is_answered_404_in_the_envelope(acme):
    oops(acme.get("/acme/echo/a%00b", headers=bearer(acme)), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_another_method_is_answered_405_with_allow(acme, method):
    response = getattr(acme, method)("/acme/echo/jo", headers=bearer(acme))

    oops(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "kind"),
    [
        pytest.param(b"{", JSON, 400, "malformed_json", id="not JSON"),
        pytest.param(b'{"a": NaN}', JSON, 400, "malformed_json", id="NaN"),
        pytest.param(b"\xff", JSON, 400, "malformed_json", id="not UTF-8"),
        pytest.param(b'{"a":1,"a":2}', JSON, 400, "duplicate_member", id="doubled"),
        pytest.param(b'{"a":"\\u0000"}', JSON, 400, "invalid", id="NUL"),
        pytest.param(b"[" * 2000, JSON, 400, "too_deep", id="deep and cut off"),
        pytest.param(b"[" * 99 + b"]" * 99, JSON, 400, "too_deep", id="deep"),
        pytest.param(b"<a/>", "text/xml", 415, "unsupported_media_type", id="XML"),
        pytest.param(b" " * 10_500_000, JSON, 413, "body_too_large", id="large"),
        pytest.param(
            b"x" * 10_500_000,
            "multipart/form-data; boundary=b",
            413,
            "body_too_large",
            id="large form",
        ),
        pytest.param(
            b"x", "multipart/form-data", 400, "malformed_form", id="no boundary"
        ),
        pytest.param(
            b"a=%00",
            "application/x-www-form-urlencoded",
            400,
            "invalid",
            id="NUL in a form",
        ),
        pytest.param(
            b"a=1&" * 10_001,
            "application/x-www-form-urlencoded",
            400,
            "bad_request",
            id="too many fields",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_the_envelope(
    acme, body, content_type, status, kind
):
    response = acme.generic(
        "POST", "/acme/echo/jo", body, content_type, headers=bearer(acme)
    )

    oops(response, status, kind)


def test_numbers_arrive_as_they_were_written(acme):
    body = b'{"a": 0.10, "b": 7}'

    response = acme.post("/acme/echo/jo", body, JSON, headers=bearer(acme))

    assert response.json() == {"a": "0.10", "b": 7}


def test_a_body_without_a_type_is_read_as_json(acme):
    response = acme.generic(
        "POST", "/acme/echo/jo", b'{"a":1}', "", headers=bearer(acme)
    )

    assert response.json() == {"a": 1}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_json_is_answered_whatever_is_asked_for(acme, accept):
    response = acme.get("/acme/echo/jo", headers={"Accept": accept, **bearer(acme)})

    assert response["Content-Type"] == JSON


def test_forms_are_read_where_the_contract_takes_them(acme):
    url = "application/x-www-form-urlencoded"

    plain = acme.post("/acme/echo/jo", "a=1&a=2&b=", url, headers=bearer(acme))
    multipart = acme.post("/acme/echo/jo", {"a": ["1", "2"]}, headers=bearer(acme))

    assert plain.json() == {"a": ["1", "2"], "b": [""]}
    assert multipart.json() == {"a": ["1", "2"]}


def test_a_refusal_is_worded_by_the_table_of_the_view(acme):
    response = acme.post("/acme/echo/shy", b"{}", JSON, headers=bearer(acme))

    oops(response, 418, "shy")
    assert response.json()["oops"] == "Acme is shy."


def test_a_refusal_without_a_row_is_a_bug():
    with pytest.raises(KeyError, match="too_shy"):
        refusal_of({}, TooShy("no"))


def test_a_bug_is_answered_500_in_the_envelope_and_logged_without_the_key(acme, caplog):
    where = f"/acme/echo/bug?api_key={acme.key}"

    with caplog.at_level(logging.DEBUG):
        response = acme.post(where, b"{}", JSON)

    oops(response, 500, "internal_error")
    assert "secret" not in response.content.decode()
    assert "Internal error at /acme/echo/bug" in caplog.text
    assert acme.key not in caplog.text


def test_a_longer_prefix_answers_before_a_shorter_one(monkeypatch):
    monkeypatch.setattr(edge, "_manners", {})
    for prefix in ("/v2/", "/v2/users/", "/api/"):
        edge.answer_under(prefix, edge.Manner(envelope))

    found = [edge.prefix_of(one) for one in ("/v2/users", "/v2/userses", "/v3", "/v2")]

    assert found == ["/v2/users/", "/v2/", None, "/v2/"]


@pytest.mark.parametrize("prefix", ["/", "", "acme/", "/acme"])
def test_a_prefix_that_would_take_too_much_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        edge.answer_under(prefix, edge.Manner(envelope))
