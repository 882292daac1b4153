"""Pages as this vendor counts them: nothing that a client asks for is an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.utils.encoding import escape_uri_path

if TYPE_CHECKING:
    from rest_framework.request import Request

_INTEGER = re.compile(r"(-?)(\d+)", re.ASCII)
_BEYOND_ALL = 10**18


class Sizes(NamedTuple):
    """The page size of one path, and the largest; they differ from path to path."""

    default: int
    largest: int


class Page(NamedTuple):
    """What to show of a list: ``[start, stop)``, and the pages around it."""

    total: int
    pages: int
    start: int
    stop: int
    next_number: int | None
    previous_number: int | None


def page_of(total: int, number_text: str | None, size: int) -> Page:
    """Return the page that was asked for.

    Args:
        total: rows in the whole list.
        number_text: as sent. What is no integer means the first page; an integer
            out of range an empty page that leads to the nearest one.
        size: rows in a page.
    """
    pages = -(-total // size)
    number = _integer(number_text)
    if number is None:
        number = 1
    if not pages:
        return Page(0, 0, 0, 0, None, None)
    if number <= 0:
        return Page(total, pages, 0, 0, 1, None)
    if number > pages:
        return Page(total, pages, 0, 0, None, pages)
    return Page(
        total,
        pages,
        (number - 1) * size,
        min(number * size, total),
        number + 1 if number < pages else None,
        number - 1 if number > 1 else None,
    )


def size_of(text: str | None, sizes: Sizes) -> int:
    """Return the page size that was asked for, within the path's bounds."""
    size = _integer(text)
    if size is None or size <= 0:
        return sizes.default
    return min(size, sizes.largest)


def paging(page: Page, size: int, request: Request) -> dict[str, Any]:
    """Return the paging object. Links are whole addresses without the key.

    The table of the source calls the previous link ``prev_page``, its sample
    ``previous_page``: both are there.
    """
    previous = _link(page.previous_number, size, request)
    return {
        "total": page.total,
        "pages": page.pages,
        "next_page": _link(page.next_number, size, request),
        "prev_page": previous,
        "previous_page": previous,
    }


def _link(number: int | None, size: int, request: Request) -> str | None:
    if number is None:
        return None
    sent = request.query_params
    query: dict[str, object] = {"page": number}
    if "page_size" in sent:
        query["page_size"] = size
    if sent.get("id_type"):
        query["id_type"] = sent["id_type"]
    # Empty, as the sample shows it: a key in a link would end up in logs.
    query["api_key"] = ""
    address = request.build_absolute_uri(escape_uri_path(request.path))
    return f"{address}?{urlencode(query)}"


def _integer(text: str | None) -> int | None:
    match = _INTEGER.fullmatch(text or "")
    if match is None:
        return None
    sign, digits = match.groups()
    # Longer ones are beyond every page, and slow to read.
    number = int(digits) if len(digits) <= 18 else _BEYOND_ALL
    return -number if sign else number
