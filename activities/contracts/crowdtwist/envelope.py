"""The two-key errors of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.api.contract import Contract, answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.api.problems import Problem

NO_ACCESS = "Invalid access credentials."

# The vendor's codes; whatever else is wrong with a request is "invalid".
CODES = frozenset(
    {
        "internal_error",
        "invalid",
        "invalid_amount",
        "invalid_auth",
        "invalid_date",
        "missing_data",
        "not_unique",
        "page_not_found",
    }
)
_CODE_OF_STATUS = {
    404: "page_not_found",
    # The vendor documents a ceiling of requests, and no answer to crossing it.
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
    507: "storage_full",
}


def envelope(problem: Problem, _request: HttpRequest) -> HttpResponse:
    """Return a problem as ``{"error", "message"}``.

    Whatever is wrong with a key is 403 and tells nothing about the key.
    """
    if problem.status in {401, 403}:
        return answer({"error": "invalid_auth", "message": NO_ACCESS}, 403)
    code = problem.code
    if code not in CODES:
        code = _CODE_OF_STATUS.get(problem.status, "invalid")
    return answer(
        {"error": code, "message": problem.detail}, problem.status, problem.headers
    )


CONTRACT = Contract(
    name="crowdtwist",
    title="CrowdTwist",
    prefixes=("/v2/", "/v2.1/"),
    envelope=envelope,
    error_schema={
        "type": "object",
        "required": ["error", "message"],
        "properties": {
            "error": {
                "type": "string",
                "description": "A code for programs.",
                "example": "invalid_auth",
            },
            "message": {
                "type": "string",
                "description": "A sentence for people.",
                "example": NO_ACCESS,
            },
        },
    },
)
