"""What holds for every vendor's contract: nothing but JSON, no key told."""

import gzip
import logging
import re

import pytest
import yaml
from django.test import Client

import config.urls
from activities.contracts.urls import CONTRACTS, urlpatterns
from loyalty.api import edge
from tests.builders import make_program
from tests.callers import make_key

pytestmark = pytest.mark.django_db
PREFIXES = [prefix for contract in CONTRACTS for prefix in contract.prefixes]


def example_of(pattern):
    """Return a path that the pattern matches."""
    route = re.sub(r"<[^>]*>", "1", str(pattern.pattern))
    return "/" + route.replace("^", "").replace("$", "").replace("\\Z", "")


PATHS = sorted({example_of(pattern) for pattern in urlpatterns})


@pytest.fixture
def http():
    return Client(raise_request_exception=False)


def is_json(response):
    assert response["Content-Type"].startswith("application/json"), response.content
    assert isinstance(response.json(), dict)
    return response


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_answered_at_the_edge(path):
    assert edge.prefix_of(path) in PREFIXES


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("end", ["", "nothing/here", "%00", "../..", "é?a=%ff"])
def test_an_unknown_path_is_answered_in_json(http, prefix, end):
    response = is_json(http.post(f"{prefix}{end}", b"{}", "application/json"))

    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["options", "trace", "put", "head"])
def test_another_method_is_never_answered_with_html(http, path, method):
    response = getattr(http, method)(path)

    assert 400 <= response.status_code < 500
    assert "html" not in response["Content-Type"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_wrong_key_is_refused_in_json_and_told_to_nobody(http, path, method, caplog):
    secret = "abcdefgh.0123456789abcdefghijklmnopqrstuv"
    places = ("Authorization", "X-API-Key", "api-key", "X-CT-Authorization")
    schemes = {"Authorization": "Bearer ", "X-CT-Authorization": "CTApiKey "}
    headers = {name: f"{schemes.get(name, '')}{secret}" for name in places}

    with caplog.at_level(logging.DEBUG):
        response = is_json(
            getattr(http, method)(f"{path}?api_key={secret}", headers=headers)
        )

    assert 400 <= response.status_code < 500
    assert secret not in caplog.text
    assert secret.encode() not in response.content


@pytest.mark.parametrize("path", [path for path in PATHS if "/oauth/" not in path])
def test_a_bug_is_answered_500_in_json_and_told_to_nobody(
    http, path, monkeypatch, caplog
):
    def fail(*_):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("loyalty.api.contract.caller_of", fail)
    _, key = make_key(make_program())
    headers = {"Authorization": f"Bearer {key}", "X-API-Key": key}

    with caplog.at_level(logging.DEBUG):
        response = is_json(http.get(f"{path}?api_key={key}", headers=headers))

    assert response.status_code == 500
    assert b"secret" not in response.content
    assert key not in caplog.text


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.name)
def test_every_path_is_described_under_the_heading_of_its_contract(contract, http):
    _, key = make_key(make_program(), can_write=False)
    document = yaml.safe_load(
        http.get("/api/v1/schema", headers={"X-API-Key": key}).content
    )
    described = {
        re.sub(r"{[^}]*}", "1", path): operations
        for path, operations in document["paths"].items()
        if f"{path}/".startswith(contract.prefixes)
    }

    # A path that ends in a slash is another spelling, not described again.
    ours = {path for path in PATHS if f"{path}/".startswith(contract.prefixes)}
    assert set(described) == {path for path in ours if not path.endswith("/")}
    for operations in described.values():
        assert {tuple(one["tags"]) for one in operations.values()} == {
            (contract.title,)
        }


def test_no_two_contracts_answer_the_same_path():
    assert len(set(PREFIXES)) == len(PREFIXES)
    sources = [contract.name for contract in CONTRACTS]
    assert len(set(sources)) == len(sources)


EVERY_WAY_IN = [*PATHS, "/api/v1/activities", "/api/v1/activities/batch"]


@pytest.mark.parametrize("path", [*EVERY_WAY_IN, "/api/v1/uploads"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "gzip, gzip"])
def test_a_packed_body_is_answered_415_without_being_read(http, path, encoding):
    body = gzip.compress(b"[" + b" " * 100_000 + b"]")

    response = http.post(
        path, body, "application/json", headers={"Content-Encoding": encoding}
    )

    # RFC 6749 has 400 for every request that cannot be read.
    expected = 400 if path.startswith("/oauth/") else 415
    assert response.status_code == expected, response.content
    assert response["Accept-Encoding"] == "identity"
    assert "json" in response["Content-Type"]


@pytest.mark.parametrize("path", EVERY_WAY_IN)
def test_a_body_that_says_that_it_is_as_it_is_is_read(http, path):
    headers = {"Content-Encoding": "identity"}

    response = http.post(path, b"{}", "application/json", headers=headers)

    assert response.status_code != 415


def readable_paths():
    """Return an example of every path of every surface that has a GET."""
    found = []

    def walk(patterns, prefix):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, prefix + str(pattern.pattern))
                continue
            view = getattr(pattern.callback, "cls", None)
            actions = getattr(pattern.callback, "actions", None)
            names = actions if actions is not None else dir(view)
            if view is not None and "get" in names:
                route = re.sub(
                    r"\(\?P<[^>]*>[^)]*\)|<[^>]*>", "1", prefix + str(pattern.pattern)
                )
                found.append("/" + re.sub(r"[\^$]|\\Z", "", route))

    walk(config.urls.urlpatterns, "")
    return sorted({path for path in found if not path.startswith("/admin")})


@pytest.mark.parametrize("path", readable_paths())
def test_head_is_answered_where_get_is(path, http):
    _, key = make_key(make_program())
    headers = {
        "Authorization": f"Bearer {key}",
        "X-API-Key": key,
        "X-CT-Authorization": f"CTApiKey {key}",
    }
    if path.startswith(("/v2", "/partner-api")):
        del headers["Authorization"]

    read = http.get(path, headers=headers)
    head = http.head(path, headers=headers)

    assert head.status_code == read.status_code, (read.content, head.content)
    assert head.status_code not in (405, 500)
    assert head.content == b""
