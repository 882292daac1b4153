"""Reading a batch so that one item that cannot be read never refuses the others.

A body is read strictly as a whole first. Only if that fails is it taken apart, byte by
byte along its brackets and quotes, and each item read on its own: half of a surrogate
pair, NUL, bytes that are not UTF-8, nesting too deep, a name twice or NaN in one item
are that item's. A body whose frame or syntax is broken stays refused as a whole,
because nobody can tell where its items end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from loyalty.api.bodies import StrictJsonParser, parse_json
from loyalty.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]+|,', re.DOTALL)
_MARK = b"\xef\xbb\xbf"


class Unreadable:
    """Stands in the place of an item that cannot be read."""

    def __init__(self, problem: Problem) -> None:
        """Keep what is wrong with it; pointers start at the item."""
        self.problem = problem


class BatchJsonParser(StrictJsonParser):
    """Reads a JSON array of items; an item that cannot be read is ``Unreadable``.

    With ``member`` the array stands under that only name of an object. A single
    object where an array could stand is one item, if there is no ``member``.
    """

    member = ""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value; the edge has bounded the size."""
        raw = stream.body if hasattr(stream, "body") else stream.read()
        try:
            return parse_json(raw)
        except Problem as problem:
            return _item_by_item(raw.removeprefix(_MARK), self.member, problem)


class ActivitiesJsonParser(BatchJsonParser):
    """Reads ``{"activities": […]}``."""

    member = "activities"


def _item_by_item(raw: bytes, member: str, problem: Problem) -> Any:
    frame = rb"\s*"
    if member:
        frame = rb'\s*\{\s*"%s"\s*:\s*' % member.encode()
    start = re.compile(frame).match(raw)
    at = start.end() if start else len(raw)
    if not member and raw[at : at + 1] == b"{":
        return _read(raw, problem)
    if raw[at : at + 1] != b"[":
        raise problem
    items, rest = _items_of(raw, at)
    if rest.strip() != (b"}" if member else b""):
        raise problem
    found = [_read(one, problem) for one in items]
    return {member: found} if member else found


def _items_of(raw: bytes, start: int) -> tuple[list[bytes], bytes]:
    """Return the items of the array at ``start``, and what stands behind it."""
    items: list[bytes] = []
    depth, first = 0, start + 1
    for token in _TOKEN.finditer(raw, start):
        kind, place = raw[token.start()], token.start()
        if kind in b"[{":
            depth += len(token[0])
        elif kind in b"]}":
            if depth <= len(token[0]):
                end = place + depth - 1
                if raw[end] != ord("]"):
                    break
                return [*items, raw[first:end]], raw[end + 1 :]
            depth -= len(token[0])
        elif kind == ord(",") and depth == 1:
            items.append(raw[first:place])
            first = place + 1
    return [], b"the array does not end"


def _read(item: bytes, problem: Problem) -> Any:
    """Return an item; ``problem`` of the whole is raised if its syntax is broken."""
    try:
        return parse_json(item)
    except Problem as own:
        if "line" in own.members:
            raise problem from None
        return Unreadable(own)
