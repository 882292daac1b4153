"""The contract in the OpenAPI document."""

import pytest
import yaml

from tests.contracts.crowdtwist.client import CrowdTwist

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations(crowdtwist: CrowdTwist):
    """Every operation under the contract's heading, by method and path."""
    sent = {"X-API-Key": crowdtwist.key}
    response = crowdtwist.call("get", "/api/v1/schema", **sent)
    assert response.status_code == 200, response.content
    return {
        f"{method} {path}": operation
        for path, methods in yaml.safe_load(response.content)["paths"].items()
        for method, operation in methods.items()
        if operation["tags"] == ["CrowdTwist"]
    }


def test_every_path_is_described_under_one_heading(operations):
    assert set(operations) == {
        "get /v2.1/activities/extended",
        "get /v2/activities",
        "get /v2/activities/{activity_id}/extended",
        "get /v2.1/users/{user_id}/activities/extended",
        "get /v2/users/{user_id}/activities/extended",
        "get /v2/users/{user_id}/activities",
        "post /v2/users/{user_id}/activities",
        "get /v2/users/{user_id}/activity_history",
        "get /v2.1/users/{user_id}/activity_history",
    }


def test_both_places_of_the_key_are_described(operations):
    for operation in operations.values():
        assert operation["security"] == [
            {"header-x-ct-authorization": []},
            {"query-api_key": []},
        ]


def test_errors_are_described_in_the_vendors_envelope(operations):
    refused = operations["get /v2.1/activities/extended"]["responses"]["403"]

    schema = refused["content"]["application/json"]["schema"]
    assert schema["required"] == ["error", "message"]
