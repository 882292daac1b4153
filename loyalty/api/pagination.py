"""Pages of lists: bounded, stable while rows are added, opaque cursors."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from loyalty.api.problems import invalid_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request
    from rest_framework.views import APIView

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
_CURSOR = re.compile(r"\d{1,18}")


class NewestFirst(BasePagination):
    """Pages in descending order of the primary key.

    A row added meanwhile never shifts a page, because a page starts after the
    last number of the one before.
    """

    descends = True
    page_query_param = "cursor"

    def paginate_queryset(
        self,
        queryset: Any,
        request: Request,
        view: APIView | None = None,
    ) -> list[Any]:
        """Return the rows of the page; one query."""
        self._request = request
        size = _page_size(request)
        cursor = request.query_params.get("cursor")
        if cursor:
            comparison = "pk__lt" if self.descends else "pk__gt"
            queryset = queryset.filter(**{comparison: _decoded(cursor)})
        rows = list(queryset.order_by("-pk" if self.descends else "pk")[: size + 1])
        self._next = rows[size - 1].pk if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page and the address of the next one."""
        return Response({"results": data, "next": self._next_link()})

    def _next_link(self) -> str | None:
        if self._next is None:
            return None
        query = self._request.query_params.copy()
        query["cursor"] = _encoded(self._next)
        return f"{self._request.path}?{query.urlencode()}"

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the parameters."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "schema": {"type": "string"},
                "description": "Where the page starts; taken from `next`.",
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": PAGE_SIZE_MAX,
                    "default": PAGE_SIZE,
                },
                "description": f"Rows in a page, at most {PAGE_SIZE_MAX}.",
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {
                    "type": ["string", "null"],
                    "description": "Path of the next page; null on the last one.",
                    "example": "/api/v1/activities?cursor=MTIz",
                },
            },
        }


class OldestFirst(NewestFirst):
    """Pages in ascending order of the primary key."""

    descends = False


def page_of(rows: Iterable[Any]) -> dict[str, Any]:
    """Return a list that is bounded by its nature in the shape of a page."""
    return {"results": list(rows), "next": None}


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return PAGE_SIZE
    if re.fullmatch(r"\d{1,4}", text, re.ASCII) and 1 <= int(text) <= PAGE_SIZE_MAX:
        return int(text)
    raise invalid_parameter(
        "page_size", "invalid", f"A page has 1 to {PAGE_SIZE_MAX} rows."
    )


def _encoded(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not _CURSOR.fullmatch(text):
        raise invalid_parameter("cursor", "invalid", "Take the cursor from “next”.")
    return int(text)
