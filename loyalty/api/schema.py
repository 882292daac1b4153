"""The OpenAPI description: security, idempotency and problems on every operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "/api/v1/"
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Your name for this request, quoted or bare. Repeated with the "
    "same body it acts once and is answered like the first time, with "
    "`Idempotency-Replayed: true`; with another body it is refused (422).",
    "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `errors` names each wrong part.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "example": "urn:loyalty:problem:invalid"},
        "title": {"type": "string", "example": "Invalid"},
        "status": {"type": "integer", "example": 400},
        "detail": {"type": "string", "example": "Text is expected here."},
        "instance": {"type": "string", "example": "/api/v1/activities"},
        "code": {"type": "string", "example": "invalid"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer into the body.",
                        "example": "/type",
                    },
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                    "code": {"type": "string", "example": "not_text"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
}
_ALWAYS = {
    "400": "Something in the request is wrong; `errors` points at it.",
    "401": "No usable API key.",
    "403": "The key lacks the scope, or is bound to other business units.",
    "404": "Nothing here in the program of the key.",
    "405": "Not with this method.",
    "406": "Only JSON is spoken.",
    "429": "Too many requests in this minute; see `Retry-After`.",
}
_WITH_BODY = {
    "409": "In conflict with what is stored, or a request with this key is under way.",
    "413": "The body is larger than 10 MB.",
    "415": "The body is of another type than the operation reads.",
    "422": "Understood and refused: the code says why.",
}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The two ways to send a key."""

    target_class = "loyalty.api.authentication.KeyAuthentication"
    name = ["bearerKey", "apiKey"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Describe them."""
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "`Authorization: Bearer <key>`",
            },
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Either will do."""
        return [{"bearerKey": []}, {"apiKey": []}]


class ApiSchema(AutoSchema):
    """Adds the key header to the operations that honour it."""

    def get_override_parameters(self) -> list[Any]:
        """Return no further parameters."""
        return []

    def get_summary(self) -> str:
        """Return the line that stands beside the path."""
        return self._paragraphs()[0].replace("\n", " ").rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # as its base has it
        """Return what else there is to say."""
        return "\n\n".join(self._paragraphs()[1:])

    def _paragraphs(self) -> list[str]:
        return str(super().get_description()).strip().split("\n\n")

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation, with the header where it is honoured."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        if getattr(handler, "takes_idempotency_key", False):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        return operation

    def get_operation_id(self) -> str:
        """Return the name of the client's method: activities_create."""
        words = self.path.removeprefix(PREFIX).replace("-", "_").split("/")
        nouns = [word for word in words if word and not word.startswith("{")]
        action = str(
            getattr(self.view, "action", self.method_mapping[self.method.lower()])
        )
        if action == "partial_update":
            action = "update"
        return "_".join([*nouns, action] if nouns[-1] != action else nouns)


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation the problems that it can answer with.

    Those of vendors' contracts have errors of their own.
    """
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for method, operation in _operations(result):
        expected = dict(_ALWAYS)
        if method in {"post", "patch", "delete"}:
            expected |= _WITH_BODY
        for status, meaning in expected.items():
            operation["responses"].setdefault(status, _response(meaning))
        _complete(operation["responses"])
    return result


def _complete(responses: dict[str, Any]) -> None:
    """Give problems that a view tells of by their sentence alone their document."""
    for status, response in responses.items():
        if status >= "400" and "content" not in response:
            responses[status] = _response(response["description"])


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in result.get("paths", {}).items():
        if path.startswith("/api/"):
            yield from methods.items()


def _response(meaning: str) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}
            }
        },
    }
