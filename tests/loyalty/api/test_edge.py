"""Every answer under /api/ is JSON, whatever is sent."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import clear_url_caches, path

import config.urls
from loyalty.models import Channel
from tests.callers import problem_in

MEGABYTES_11 = 11 * 1024 * 1024


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/channels", "/api/v1/nowhere"],
)
def test_a_path_that_is_not_there_is_a_problem(client, path):
    problem = problem_in(client.get(path), 404, "not_found")

    assert problem["instance"] == path


@pytest.mark.parametrize(
    "path",
    ["channels/0", "channels/x", "channels/" + "9" * 30, "channels/1/", "channels/%00"],
)
def test_a_row_that_is_not_there_is_a_problem(client, path):
    problem_in(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "channels", "GET, POST, HEAD"),
        ("delete", "activities", "GET, POST"),
        ("post", "categories", "GET"),
        ("options", "channels", "GET"),
        ("trace", "channels", "GET"),
        ("get", "activities/batch", "POST"),
    ],
)
def test_another_method_is_refused_and_told_which_are_allowed(
    client, method, path, allowed
):
    response = client.call(method, path, None)

    problem_in(response, 405, "method_not_allowed")
    offered = {name.strip() for name in response["Allow"].split(",")}
    assert {name.strip() for name in allowed.split(",")} <= offered
    assert method.upper() not in offered


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense"],
)
def test_another_content_type_is_refused(client, content_type):
    response = client.post("channels", b"<a/>", Content_Type=content_type)

    problem = problem_in(response, 415, "unsupported_media_type")
    assert "application/json" in problem["detail"]


def test_json_may_name_its_character_set(client):
    response = client.post(
        "channels",
        {"code": "APP", "name": "App"},
        Content_Type="application/json; charset=utf-8",
    )

    assert response.status_code == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
def test_only_json_is_spoken(client, accept):
    problem_in(client.get("channels", Accept=accept), 406, "not_acceptable")


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "application/*", "text/html, */*;q=0.1", ""],
)
def test_whoever_takes_json_gets_it(client, accept):
    response = client.get("channels", Accept=accept)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


def test_a_body_of_11_megabytes_is_refused(client):
    body = b'{"code": "' + b"x" * MEGABYTES_11 + b'"}'

    problem = problem_in(client.post("channels", body), 413, "body_too_large")

    assert "10 MB" in problem["detail"]
    assert Channel.objects.count() == 0


def test_a_body_of_just_10_megabytes_is_read(client):
    body = b'{"code": 7, "name": "App"}'
    body += b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE - len(body))

    problem_in(client.post("channels", body), 400, "invalid")


@pytest.mark.parametrize("length", ["-1", "x", "9" * 40, "1e9"])
def test_a_content_length_that_is_no_number_is_no_error_of_ours(client, length):
    response = client.post(
        "channels", {"code": "APP", "name": "App"}, Content_Length=length
    )

    assert response.status_code < 500


def test_a_query_in_another_encoding_is_no_error_of_ours(client):
    problem_in(client.get("channels?code=%FF%00"), 400, "invalid")


def fails(request):
    raise RuntimeError("secret words")


@pytest.fixture
def broken_path():
    config.urls.urlpatterns.append(path("api/v1/broken", fails))
    clear_url_caches()
    yield "/api/v1/broken"
    config.urls.urlpatterns.pop()
    clear_url_caches()


def test_even_a_bug_answers_json_and_tells_nothing(client, broken_path):
    response = client.get(broken_path)

    problem_in(response, 500, "internal_error")
    assert b"secret words" not in response.content


def test_answers_are_not_kept_by_caches(client):
    assert client.get("channels")["Cache-Control"] == "no-store"


def test_a_session_opens_no_resource(admin_client):
    response = admin_client.get("/api/v1/channels")

    problem_in(response, 401, "missing_key")


def test_no_cookie_is_set(program, client):
    assert not client.get("channels").cookies
    assert not Client().get("/api/v1/channels").cookies
