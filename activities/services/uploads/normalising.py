"""From the text cells of an activity's rows to a normalised, staged row."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from activities.services.uploads.layout import HEAD_COLUMNS, ITEM_COLUMNS, Layout
from activities.services.uploads.refusals import (
    ControlCharacter,
    InvalidData,
    LinesDisagree,
    MissingValue,
    RowRefused,
    TextTooLong,
)
from loyalty.engine.currencies import InvalidCurrency, parse_currency
from loyalty.engine.moments import InvalidMoment, parse_moment
from loyalty.engine.numbers import (
    UNITS_PER_ONE,
    InvalidNumber,
    format_value,
    parse_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from activities.services.uploads.groups import Cells, Group

_TEXT_MAX = 255
_CODE_MAX = 50
_DATA_BYTES_MAX = 64 * 1024
_REMEMBERED = 1 << 16
_SUM_END = 10**14 * UNITS_PER_ONE
_SUM_TOO_LARGE = "The values of the items add up to more than 14 digits."


class NewRow(NamedTuple):
    """An activity ready to be staged."""

    line: int
    member_value: str
    occurred_at: datetime
    key: str
    payload: str


class Refusal(NamedTuple):
    """A refused row: where, what and why."""

    line: int
    field: str
    code: str
    message: str
    raw: list[dict[str, Any]]


class _BadCell(Exception):
    """A cell of the row at ``place`` in its group is wrong."""

    def __init__(self, place: int, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.place, self.field, self.code, self.message = place, field, code, message

    @classmethod
    def of(cls, error: RowRefused, place: int = 0) -> _BadCell:
        return cls(place, error.field, error.code, error.message)


class Normaliser:
    """Turns groups of rows with one layout into rows to be staged."""

    def __init__(
        self,
        layout: Layout,
        zone: tzinfo | None,
        data_of: Callable[[list[Cells]], dict[str, Any]] | None = None,
        *,
        has_default_type: bool,
        row_at: int | None = None,
        types_without_value: frozenset[str] = frozenset(),
    ) -> None:
        """Read moments without a zone in ``zone``; None refuses them.

        ``row_at`` is where the rows of a mapped file hold what they were made from.
        """
        self._row_at = row_at
        self._has_default_type = has_default_type
        places = layout.places
        # A column that the file has not got is read from an empty cell behind
        # the last one.
        absent = len(layout.columns)
        self._lacks_columns = len(places) < len(HEAD_COLUMNS) + len(ITEM_COLUMNS)
        self._head_of = itemgetter(*(places.get(name, absent) for name in HEAD_COLUMNS))
        self._item_of = itemgetter(*(places.get(name, absent) for name in ITEM_COLUMNS))
        self._has_items = layout.has_items
        self._types_without_value = types_without_value
        self._needs_value = layout.needs("value")
        self._needs_item_value = layout.needs("item_value")
        self._data_of = data_of or _data_reader(layout)
        self._moment_of = lru_cache(_REMEMBERED)(lambda text: parse_moment(text, zone))

    def normalise(self, group: Group) -> NewRow | tuple[int, str, str, str]:
        """Return the row to stage, or line, field, code and sentence of a refusal."""
        if group.problem is not None:
            line, error = group.problem
            return line, error.field, error.code, error.message
        try:
            return self._row(group)
        except _BadCell as bad:
            line = group.line_numbers[bad.place]
            return line, bad.field, bad.code, bad.message

    def _row(self, group: Group) -> NewRow:
        rows = group.rows
        if self._lacks_columns:
            for row in rows:
                row.append("")
        head = self._head_of(rows[0])
        if len(rows) > 1:
            self._refuse_disagreement(rows, head)
        key, member, moment_text, activity_type, channel, unit, value, currency = head
        key, member, moment_text = key.strip(), member.strip(), moment_text.strip()
        _check_names(key, member)
        if not activity_type and not self._has_default_type:
            raise _missing("type")
        at, zone_assumed = self._moment(moment_text)
        lines = self._lines(rows) if self._has_items else []
        units = self._value(value, lines, activity_type.strip())
        content = [
            moment_text,
            zone_assumed,
            _code(activity_type, "type") if activity_type else None,
            _code(channel, "channel") if channel else None,
            _code(unit, "business_unit") if unit else None,
            units,
            lines,
            self._data_of(rows),
        ]
        content += self._tail(currency, rows)
        payload = orjson.dumps(content).decode()
        if "\\u0000" in payload:
            _refuse_nul(payload)
        return NewRow(group.line_numbers[0], member, at, key, payload)

    def _tail(self, currency: str, rows: list[Cells]) -> list[Any]:
        """Return what stands behind the rest only where there is something to say."""
        tail: list[Any] = [_currency(currency)] if currency else []
        if self._row_at is not None:
            tail.append([row[self._row_at] for row in rows])
        return tail

    def _refuse_disagreement(self, rows: list[Cells], head: tuple[Any, ...]) -> None:
        head_of = self._head_of
        for place, row in enumerate(rows):
            other = head_of(row)
            if other != head:
                pairs = zip(HEAD_COLUMNS, head, other, strict=True)
                field, first, here = next(p for p in pairs if p[1] != p[2])
                error = LinesDisagree(
                    f"The lines of activity “{head[0]}” differ in {field}: "
                    f"“{first[:60]}” and “{here[:60]}”.",
                    field=field,
                )
                raise _BadCell.of(error, place)

    def _moment(self, text: str) -> tuple[datetime, bool]:
        if not text:
            raise _missing("occurred_at")
        try:
            return self._moment_of(text)
        except InvalidMoment as error:
            raise _BadCell(0, "occurred_at", error.code, str(error)) from None

    def _lines(self, rows: list[Cells]) -> list[tuple[str, int, str, str]]:
        item_of = self._item_of
        lines = []
        for place, row in enumerate(rows):
            item_id, value, quantity, group_id = item_of(row)
            if not item_id:
                if len(rows) > 1 or value or quantity or group_id:
                    raise _missing("item_id", place)
                return []
            if len(item_id) > _TEXT_MAX or len(group_id) > _TEXT_MAX:
                field = "item_id" if len(item_id) > _TEXT_MAX else "item_group"
                raise _too_long(field, _TEXT_MAX, place)
            lines.append(
                (
                    item_id.strip(),
                    self._item_units(value, place),
                    _quantity(quantity, place) if quantity else "",
                    group_id,
                )
            )
        return lines

    def _value(
        self, text: str, lines: list[tuple[str, int, str, str]], activity_type: str
    ) -> int | None:
        """Return the value that the row gives; None leaves it to its lines."""
        if text.strip():
            return _units(text, "value", 0)
        is_expected = activity_type not in self._types_without_value
        if self._needs_value and is_expected and not lines:
            raise _empty_number("value")
        if abs(sum([line[1] for line in lines])) >= _SUM_END:
            raise _BadCell(0, "item_value", InvalidNumber.code, _SUM_TOO_LARGE)
        return None

    def _item_units(self, text: str, place: int) -> int:
        if text.strip():
            return _units(text, "item_value", place)
        if self._needs_item_value:
            raise _empty_number("item_value", place)
        return 0


def _data_reader(layout: Layout) -> Callable[[list[Cells]], dict[str, Any]]:
    """Return how further columns become data: text, or a list where lines differ."""
    extras = layout.extras
    if not extras:
        return lambda _: {}

    def data_of(rows: list[Cells]) -> dict[str, Any]:
        first = rows[0]
        data: dict[str, Any] = {name: first[at] for at, name in extras if first[at]}
        for at, name in extras if len(rows) > 1 else ():
            texts = [row[at] for row in rows]
            if texts.count(first[at]) != len(texts):
                data[name] = texts
        if data and sum(map(len, map(str, data.values()))) > _DATA_BYTES_MAX:
            raise _BadCell.of(
                InvalidData("The further columns hold more than 64 KB.", field="data")
            )
        return data

    return data_of


def _check_names(key: str, member: str) -> None:
    for field, text in (("key", key), ("member", member)):
        if not text:
            raise _missing(field)
        if len(text) > _TEXT_MAX:
            raise _too_long(field, _TEXT_MAX)
        if "\0" in text:
            raise _nul(field)


def _code(text: str, field: str) -> str:
    if len(text) > _CODE_MAX:
        raise _too_long(field, _CODE_MAX)
    return text.strip()


def _currency(text: str) -> str:
    try:
        return parse_currency(text.strip())
    except InvalidCurrency as error:
        raise _BadCell(0, "currency", error.code, str(error)) from None


# Typed: what a JSON number may have, an exponent, the same text in CSV may not.
_parse_value = lru_cache(_REMEMBERED, typed=True)(parse_value)


@lru_cache(_REMEMBERED, typed=True)
def _format_quantity(text: str) -> str:
    return format_value(parse_value(text))


def _units(text: str, field: str, place: int) -> int:
    try:
        return _parse_value(text)
    except InvalidNumber as error:
        raise _BadCell(place, field, error.code, str(error)) from None


def _quantity(text: str, place: int) -> str:
    try:
        return _format_quantity(text)
    except InvalidNumber as error:
        raise _BadCell(place, "item_quantity", error.code, str(error)) from None


def _missing(field: str, place: int = 0) -> _BadCell:
    return _BadCell.of(
        MissingValue(f"The column {field} is empty.", field=field), place
    )


def _empty_number(field: str, place: int = 0) -> _BadCell:
    """Refuse an empty cell: nothing says that it means nothing."""
    message = f"The column {field} is empty. Write 0 if it is worth nothing."
    return _BadCell.of(MissingValue(message, field=field), place)


def _too_long(field: str, limit: int, place: int = 0) -> _BadCell:
    error = TextTooLong(f"{field} has more than {limit} characters.", field=field)
    return _BadCell.of(error, place)


def _nul(field: str) -> _BadCell:
    return _BadCell.of(
        ControlCharacter(f"{field} holds the character NUL.", field=field)
    )


def _refuse_nul(payload: str) -> None:
    """Refuse NUL, which PostgreSQL cannot hold; a written-out escape of it passes."""
    if "\\u0000" in payload.replace("\\\\", ""):
        raise _nul("data")
