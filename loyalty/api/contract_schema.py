"""How the paths of vendors stand in the OpenAPI description."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from loyalty.api.schema import IDEMPOTENCY_KEY

if TYPE_CHECKING:
    from loyalty.api.contract import ContractView, SentKey

_ALWAYS = (400, 401, 403, 404, 405, 429, 500)
_WITH_BODY = (409, 413, 415, 422)


class ContractSchema(AutoSchema):
    """Groups operations by contract and gives them the vendor's error body."""

    view: ContractView  # type: ignore[override]

    def get_tags(self) -> list[str]:
        """Return the name under which people look for the operation."""
        return [self.view.contract.title]

    def get_override_parameters(self) -> list[Any]:
        """Return no further parameters."""
        return []

    def get_operation_id(self) -> str:
        """Return a name made of the contract, the path and the method."""
        words = "".join(c if c.isalnum() else "_" for c in self.path).split("_")
        return "_".join(
            [self.view.contract.name, self.method.lower(), *filter(None, words)]
        )

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with its errors."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        has_body = self.method in {"POST", "PUT", "PATCH"}
        handler = getattr(self.view, self.method.lower(), None)
        if getattr(handler, "takes_idempotency_key", False):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        for status in (*_ALWAYS, *(_WITH_BODY if has_body else ())):
            operation["responses"].setdefault(str(status), self._error(status))
        return operation

    def _error(self, status: int) -> dict[str, Any]:
        schema = dict(self.view.contract.error_schema)
        return {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }


class ContractScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The places in which a vendor's clients send their key."""

    target_class = "loyalty.api.contract.ContractAuthentication"

    @property
    def name(self) -> list[str]:  # type: ignore[override]
        """Return one name for each place."""
        return [_name_of(key) for key in self.target.keys]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Describe the places."""
        return [_definition(key) for key in self.target.keys]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Any of them will do."""
        return [{name: []} for name in self.name]


def _name_of(key: SentKey) -> str:
    if key.scheme.lower() == "bearer":
        return "bearerKey"
    return f"{key.place}-{key.name}".lower()


def _definition(key: SentKey) -> dict[str, Any]:
    if key.scheme.lower() == "bearer":
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer <key>`",
        }
    found = {"type": "apiKey", "in": key.place, "name": key.name}
    if key.scheme:
        found["description"] = f"`{key.name}: {key.scheme} <key>`"
    return found
