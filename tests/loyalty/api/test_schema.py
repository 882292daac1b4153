"""The OpenAPI document and the page that shows it."""

import re

import pytest
import yaml
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.validation import validate_schema

from tests import builders
from tests.callers import make_key, problem_in


@pytest.fixture
def document(db):
    _, key = make_key(builders.make_program(), can_write=False)
    response = Client().get("/api/v1/schema", headers={"X-API-Key": key})
    assert response.status_code == 200, response.content
    return yaml.safe_load(response.content)


@pytest.fixture
def operations(document):
    """Every operation of the native API by method and path."""
    return {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/")
    }


def test_the_document_is_valid_openapi(document):
    validate_schema(document)

    assert document["openapi"].startswith("3.1")


def test_everything_that_the_api_does_is_described(operations):
    assert {
        "post /api/v1/activities",
        "post /api/v1/activities/batch",
        "post /api/v1/activities/simulate",
        "post /api/v1/activities/{id}/reverse",
        "get /api/v1/activities/{id}",
        "post /api/v1/campaigns",
        "patch /api/v1/activity-types/{id}",
        "get /api/v1/reporting-channels",
        "get /api/v1/members/lookup",
        "get /api/v1/members/{id}/entries",
        "get /api/v1/members/{id}/lots",
        "post /api/v1/segments/{id}/members",
    } <= operations.keys()


def test_every_operation_has_a_name_of_its_own_and_a_summary(operations):
    names = [operation["operationId"] for operation in operations.values()]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert all(operation["summary"] for operation in operations.values())


def test_every_operation_tells_its_problems_and_needs_a_key(operations):
    for name, operation in operations.items():
        assert {"400", "401", "403", "404", "429"} <= operation["responses"].keys(), (
            name
        )
        refusal = operation["responses"]["401"]["content"]
        assert list(refusal) == ["application/problem+json"], name
        assert operation["security"] == [{"bearerKey": []}, {"apiKey": []}], name


@pytest.mark.parametrize("rest", ["effect", "effect/groups"])
def test_what_cannot_be_measured_yet_is_told_of(document, rest):
    operation = document["paths"][f"/api/v1/campaigns/{{id}}/{rest}"]["get"]

    conflict = operation["responses"]["409"]

    assert "no_holdout" in conflict["description"]
    assert list(conflict["content"]) == ["application/problem+json"]


def test_every_post_that_writes_tells_of_the_idempotency_key(operations):
    for name, operation in operations.items():
        headers = {one["name"] for one in operation.get("parameters", [])}
        writes = name.startswith("post ") and not name.endswith(
            # The key of a session is told once and kept nowhere.
            ("/simulate", "/login-sessions")
        )
        assert ("Idempotency-Key" in headers) == writes, name


def test_every_list_tells_of_pages(operations):
    paged = [one for one in operations.values() if one["operationId"].endswith("_list")]

    assert len(paged) > 15
    for operation in paged:
        names = {one["name"] for one in operation["parameters"]}
        assert {"cursor", "page_size"} <= names, operation["operationId"]


def test_the_document_is_for_staff_and_for_keys(admin_client):
    problem_in(Client().get("/api/v1/schema"), 401, "missing_key")

    assert admin_client.get("/api/v1/schema").status_code == 200


def test_the_page_is_for_staff(db):
    visitor = Client()
    visitor.force_login(User.objects.create_user("visitor"))

    for one in (Client(), visitor):
        response = one.get("/api/v1/docs")
        assert response.status_code == 302
        assert "/admin/login/" in response["Location"]


def test_the_page_loads_nothing_from_elsewhere(admin_client):
    response = admin_client.get("/api/v1/docs")

    assert response.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', response.content.decode())
    assert addresses
    assert all(one.startswith("/") for one in addresses), addresses
    assert "Content-Security-Policy" in response


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_shows_the_api_without_complaints(browser, live_server):
    User.objects.create_superuser("docs", password="docs")
    page = browser.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{live_server.url}/admin/login/?next=/api/v1/docs")
    page.fill("input[name=username]", "docs")
    page.fill("input[name=password]", "docs")
    page.click("[type=submit]")
    page.locator("#operations-activities-activities_create").wait_for()

    # A long document is drawn only as far as it is in view.
    tags: set[str] = set()
    for _ in range(40):
        headings = page.locator(".opblock-tag")
        tags |= set(headings.evaluate_all("all => all.map(one => one.dataset.tag)"))
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(50)
    assert {"activities", "interactions", "Spaaza"} <= tags
    assert complaints == []
    page.close()
