"""Writing JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rest_framework.request import Request

_ANYTHING = frozenset({"", "*/*", "application/json"})


class JsonRenderer(BaseRenderer):
    """Writes JSON in UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes; nothing at all for an empty answer."""
        return b"" if data is None else json_bytes(data)


def json_bytes(data: Any) -> bytes:
    """Return a value as JSON."""
    try:
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)
    except TypeError:
        # Free data may hold whole numbers of any length.
        whole = _with_long_numbers(data)
        return orjson.dumps(whole, default=str, option=orjson.OPT_UTC_Z)


def _with_long_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_long_numbers(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_long_numbers(one) for one in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return orjson.Fragment(str(value).encode())
    return value


class Negotiation(DefaultContentNegotiation):
    """The framework's negotiation, with a short way for what most clients send."""

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],  # type: ignore[override]
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer that the client accepts; 406 if none."""
        if request.META.get("HTTP_ACCEPT", "") in _ANYTHING:
            return renderers[0], renderers[0].media_type
        found: tuple[BaseRenderer, str] = super().select_renderer(request, renderers)
        return found
