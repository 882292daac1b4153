"""Reading JSON strictly: exact numbers, no doubled names, text that can be stored.

Floats never come into being: a number that is not a short integer stays the text
it was written as (``NumberText``), for whoever reads it to parse exactly.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from rest_framework.parsers import BaseParser

from loyalty.api.problems import Problem, invalid_at
from loyalty.engine.numbers import NumberText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEPTH_MAX = 32
DATA_CHARACTERS_MAX = 65_536
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def parse_json(raw: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        Problem: 400, naming line and column where the text breaks off.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(
            400,
            "malformed_json",
            f"The body is not UTF-8: byte {error.start + 1} cannot be read.",
        ) from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Problem(
            400,
            "malformed_json",
            f"The body is not JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}.",
            line=error.lineno,
            column=error.colno,
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if b"\\u" in raw or raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
        check_storable(value)
    return value


def check_storable(value: Any) -> None:
    """Refuse text that no database column can hold, and values nested too deep."""
    for pointer, text in _texts(value, "", 0):
        if _UNSTORABLE.search(text):
            raise invalid_at(
                pointer,
                "unstorable_text",
                "Text must not contain NUL or half of a surrogate pair.",
            )


def _texts(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEPTH_MAX:
        raise _too_deep()
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield pointer, name
            yield from _texts(member, f"{pointer}/{escaped(name)}", depth + 1)
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _texts(member, f"{pointer}/{place}", depth + 1)


def escaped(name: str) -> str:
    """Return a member's name as a JSON pointer spells it."""
    return name.replace("~", "~0").replace("/", "~1")


def plain(value: Any, pointer: str) -> Any:
    """Return free data with ordinary numbers, ready to be stored.

    Raises:
        Problem: a number that 64 bits cannot hold.
    """
    if isinstance(value, NumberText):
        return _ordinary(value, pointer)
    if isinstance(value, dict):
        return {
            name: plain(member, f"{pointer}/{escaped(name)}")
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [plain(one, f"{pointer}/{place}") for place, one in enumerate(value)]
    return value


def plain_object(value: Any, pointer: str) -> dict[str, Any]:
    """Return free data that has to be an object of bounded size."""
    if not isinstance(value, dict):
        raise invalid_at(pointer, "not_an_object", "An object is expected here.")
    found: dict[str, Any] = plain(value, pointer)
    if found and len(json.dumps(found)) > DATA_CHARACTERS_MAX:
        raise invalid_at(
            pointer,
            "too_long",
            f"Free data may have at most {DATA_CHARACTERS_MAX:,} characters.",
        )
    return found


def _ordinary(literal: NumberText, pointer: str) -> int | float:
    if literal.lstrip("-").isdigit():
        # Ids of other systems reach this far; orjson and PostgreSQL keep them whole.
        number = int(literal) if len(literal) <= 20 else 1 << 64
        if -(1 << 63) <= number < 1 << 64:
            return number
    elif math.isfinite(real := float(literal)):
        return real
    raise invalid_at(pointer, "number_too_large", "This number is too large.")


def _too_deep() -> Problem:
    return Problem(
        400, "too_deep", f"JSON may be nested at most {DEPTH_MAX} levels deep."
    )


def _integer(literal: str) -> int | NumberText:
    return int(literal) if len(literal) <= 18 else NumberText(literal)


def _refuse_constant(name: str) -> Any:
    raise Problem(400, "malformed_json", f"{name} is not a JSON number.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        # Counting each name would take hours for a body of a million names.
        doubled = next(n for n, _ in pairs if n in seen or seen.add(n))  # type: ignore[func-returns-value]
        raise Problem(
            400,
            "duplicate_member",
            f"The name {json.dumps(doubled)} stands twice in one object.",
        )
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=NumberText,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)


class StrictJsonParser(BaseParser):
    """Reads JSON bodies for views."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value; the edge has bounded the size."""
        raw = stream.body if hasattr(stream, "body") else stream.read()
        return parse_json(raw)
