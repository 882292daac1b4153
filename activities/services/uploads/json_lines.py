"""JSON Lines: an object with its items on each line, or flat rows as in CSV."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from activities.services.uploads.groups import (
    ITEMS_MAX,
    BadRow,
    Cells,
    Group,
    bare,
    rows_by_key,
)
from activities.services.uploads.layout import (
    HEAD_COLUMNS,
    ITEM_COLUMNS,
    KNOWN_COLUMNS,
    REFUSED_COLUMNS,
    Layout,
)
from activities.services.uploads.refusals import (
    BrokenLine,
    InvalidData,
    InvalidItems,
    InvalidText,
    MissingValue,
    RowRefused,
    TooManyItems,
)
from loyalty.engine.numbers import NumberText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Every line becomes the same cells: the known columns, the data, the line itself.
DATA_AT = len(KNOWN_COLUMNS)
LAYOUT = Layout(
    (*KNOWN_COLUMNS, "data", "text"),
    {name: place for place, name in enumerate(KNOWN_COLUMNS)},
    has_blanks=True,
)
_ITEM_NAMES = ("item_id", "value", "quantity", "group_id")
_NUMBERS = frozenset({"value", "item_value"})
_DATA_BYTES_MAX = 64 * 1024
# Every object and list takes far more memory than its two brackets.
_BRACKETS_MAX = 100_000
_NO_ITEM = ("", "", "", "")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object; like the API, refuse a name that comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        # Counting each name would take hours for a body of a million names.
        doubled = next(n for n, _ in pairs if n in seen or seen.add(n))  # type: ignore[func-returns-value]
        raise ValueError(f"the name “{doubled[:100]}” stands twice in one object")
    return found


_decode = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=NumberText,
    parse_constant=_refuse_constant,
).decode


class JsonLines:
    """The activities of a JSON Lines text.

    ``has_flat_rows`` tells, once it is read, whether any activity was written as
    one row for each line item.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Read ``lines``."""
        self._lines = lines
        self.has_flat_rows = False

    def groups(self) -> Iterator[Group]:
        """Yield the activities."""
        return rows_by_key(self._rows(), key_at=0)

    def _rows(self) -> Iterator[tuple[int, Cells | BadRow | Group]]:
        for number, text in enumerate(self._lines, start=1):
            line = text.strip()
            if not line:
                continue
            try:
                content = _object_of(line)
            except BrokenLine as error:
                yield number, BadRow(bare(error), _blank(line))
                continue
            if "item_id" in content:
                self.has_flat_rows = True
            yield number, _row(number, content, line)


def _row(number: int, content: dict[str, Any], line: str) -> Cells | BadRow | Group:
    is_flat = "item_id" in content
    try:
        if is_flat:
            return _flat_row(content, line)
        return _whole_group(number, content, line)
    except RowRefused as error:
        key = content.get("key")
        if is_flat:
            key = key if isinstance(key, str) else None
            return BadRow(bare(error), _blank(line), key)
        group = Group(number, _blank(line))
        group.spoil(number, bare(error))
        return group


def _blank(line: str) -> Cells:
    return [*[""] * DATA_AT, None, line]


def _object_of(line: str) -> dict[str, Any]:
    if line.count("{") + line.count("[") > _BRACKETS_MAX:
        raise BrokenLine(
            f"The line holds more than {_BRACKETS_MAX:,} objects and lists."
        )
    try:
        content = _decode(line)
        if "\\ud" in line.lower():
            # Half of a surrogate pair is no character, and cannot be stored.
            orjson.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error).split(": line")[0][:200]
        raise BrokenLine(f"The line is no JSON: {reason}.") from None
    if not isinstance(content, dict):
        raise BrokenLine("The line is no JSON object.")
    return content


def _flat_row(content: dict[str, Any], line: str) -> Cells:
    cells: Cells = [_text(content.get(name), name) for name in KNOWN_COLUMNS]
    return [*cells, _data(content), line]


def _whole_group(number: int, content: dict[str, Any], line: str) -> Group:
    head = [_text(content.get(name), name) for name in HEAD_COLUMNS]
    data = _data(content)
    items = content.get("items")
    items = [] if items is None else items
    if not isinstance(items, list):
        raise InvalidItems("“items” is not a list.", field="items")
    if len(items) > ITEMS_MAX:
        raise TooManyItems(
            f"An activity has at most {ITEMS_MAX:,} line items.", field="items"
        )
    rows = [[*head, *_item(item), data, line] for item in items]
    group = Group(number, rows[0] if rows else [*head, *_NO_ITEM, data, line])
    for row in rows[1:]:
        group.add(number, row)
    return group


def _item(item: Any) -> list[str]:
    if not isinstance(item, dict):
        raise InvalidItems("Each of “items” is an object.", field="items")
    texts = [
        _text(item.get(name), column)
        for name, column in zip(_ITEM_NAMES, ITEM_COLUMNS, strict=True)
    ]
    if not texts[0]:
        raise InvalidItems("An item has no “item_id”.", field="item_id")
    return texts


def _text(value: Any, field: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        if field in _NUMBERS and not value.strip():
            raise MissingValue(
                f"“{field}” is empty. Write 0 if it is worth nothing.", field=field
            )
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidText(f"“{field}” is neither text nor a number.", field=field)


def _data(content: dict[str, Any]) -> dict[str, Any] | None:
    data = content.get("data")
    if data is not None and not isinstance(data, dict):
        raise InvalidData("“data” is not an object.", field="data")
    extras = content.keys() - _RESERVED
    if not extras and not data:
        return None
    merged = {name: content[name] for name in content if name in extras} | (data or {})
    try:
        plain: dict[str, Any] = _plain(merged)
        size = len(orjson.dumps(plain))
    except (orjson.JSONEncodeError, RecursionError):
        raise InvalidData(
            "“data” is nested too deeply or holds a number too large.", field="data"
        ) from None
    if size > _DATA_BYTES_MAX:
        raise InvalidData("“data” holds more than 64 KB.", field="data")
    return plain


_RESERVED = frozenset(
    (*KNOWN_COLUMNS, *REFUSED_COLUMNS, "refused_text", "items", "data")
)


def _plain(value: Any) -> Any:
    """Return the value with its numbers as JSON numbers; they are data, not amounts."""
    if isinstance(value, NumberText):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
