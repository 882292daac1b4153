"""How the paths of vendors stand in the OpenAPI description."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from loyalty.api.schema import IDEMPOTENCY_KEY, ApiSchema

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

    from loyalty.api.contract import Contract, SentKey

_ALWAYS = (400, 401, 403, 404, 405, 429, 500)
_WITH_BODY = (409, 413, 415, 422)


class SiteSchema(ApiSchema):
    """Describes an operation: of our own API, or of a vendor's contract.

    Those of a contract are grouped by it and have the vendor's error body.
    """

    @property
    def _contract(self) -> Contract | None:
        return getattr(self.view, "contract", None)

    def get_tags(self) -> list[str]:
        """Return the name under which people look for the operation."""
        if self._contract is None:
            return super().get_tags()
        return [self._contract.title]

    def get_operation_id(self) -> str:
        """Return a name made of the contract, the path and the method."""
        if self._contract is None:
            return super().get_operation_id()
        words = "".join(c if c.isalnum() else " " for c in self.path).split()
        return "_".join([self._contract.name, self.method.lower(), *words])

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with its errors."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None or self._contract is None:
            return operation
        handler = getattr(self.view, self.method.lower(), None)
        if getattr(handler, "takes_idempotency_key", False):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        has_body = self.method in {"POST", "PUT", "PATCH"}
        error = dict(self._contract.error_schema)
        for status in (*_ALWAYS, *(_WITH_BODY if has_body else ())):
            operation["responses"].setdefault(str(status), _response(status, error))
        return operation


def _response(status: int, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": schema}},
    }


class ContractScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The places in which a vendor's clients send their key."""

    target_class = "loyalty.api.contract.ContractAuthentication"
    match_subclasses = True

    @property
    def name(self) -> list[str]:  # type: ignore[override]
        """Return one name for each place."""
        return [f"{self.target.prefix}{_name_of(key)}" for key in self.target.keys]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Describe the places."""
        return [_definition(key) for key in self.target.keys]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Any of them will do."""
        return [{name: []} for name in self.name]


def _name_of(key: SentKey) -> str:
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
