"""Scripts of other sites call the contract, as the page's sample headers show."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
UNCACHED = "no-cache, no-store, must-revalidate"
PATHS = (
    "/client/users/C-1/sessions",
    "/client/users/anonymous/sessions",
    "/client/users/s-1/activities",
    "/client/users/s-1/activities/a-1",
)


def shows_the_headers_of_the_page(response):
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == UNCACHED
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    return response


def test_every_answer_bears_them(client, payload):
    body = payload("survey")
    sent = {"Origin": "https://shop.example"}

    answers = [
        client.send(body, "a-1", **sent),
        client.send(body, "a-1", **sent),
        client.send({**body, "action": "NOTHING"}, **sent),
        client.send(b"{", **sent),
        client.send(body, Authorization="Bearer x", **sent),
        client.call("s-1/nothing/here/at/all", body),
        client.call("s-1/activities", b"", method="GET"),
        client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID", **sent),
    ]

    found = [shows_the_headers_of_the_page(one).status_code for one in answers]
    assert found == [200, 400, 400, 400, 401, 404, 405, 200]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_key(path):
    response = Client().options(
        path,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )

    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    shows_the_headers_of_the_page(response)
    assert response["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    allowed = response["Access-Control-Allow-Headers"]
    assert allowed == "authorization,content-type"


def test_a_preflight_allows_no_header_that_is_none():
    response = Client().options(
        PATHS[0],
        headers={
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "a: b",
        },
    )

    assert response.status_code == 204
    assert "Access-Control-Allow-Headers" not in response


def test_other_surfaces_are_not_open_to_scripts_of_other_sites():
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    for path in ("/api/v1/activities", "/v1/activity/upload", "/oauth/token"):
        response = Client().options(path, headers=asked)

        assert response.status_code >= 400
        assert "Access-Control-Allow-Origin" not in response
