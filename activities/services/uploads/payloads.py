"""The normalised command as it waits in a staged row.

The row has columns of its own for what it is sorted by: member, moment and key.
The payload is a JSON array of the rest::

    [occurred_at_text, zone_assumed, type, channel, business_unit, units,
     [[item_id, units, quantity, group_id], ...], data, currency, {"member": ...}]

``type``, ``channel`` and ``business_unit`` are null where the file names none, and
the upload's defaults hold; ``units`` is null where the value is the sum of the
items; ``currency`` is left out where the file names none. The row's column of the
member holds by what it is compared, so that all spellings of a member stay together;
the last part is how the file spells it, where that differs. Rows of a
mapped file carry a list of their lines as they stood, before that last part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from activities.models import UploadFormat
from activities.services.commands import Line, RecordActivity
from loyalty.engine.numbers import format_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from activities.models import Upload
    from activities.services.uploads.normalising import NewRow
    from loyalty.engine.identities import IdentityRules


_WITHOUT_CURRENCY = 8
_MEMBER_CHARACTERS_MAX = 255


class StagedRow(NamedTuple):
    """One staged row as it is read back."""

    id: int
    line: int
    member_value: str
    occurred_at: datetime
    key: str
    payload: str


def command_reader(upload: Upload) -> Callable[[StagedRow], RecordActivity]:
    """Return the function that turns staged rows of ``upload`` into commands."""
    source, kind, received_at = upload.source, upload.identity_kind, upload.created_at
    default_type = upload.default_activity_type
    default_channel = upload.default_channel
    default_unit = upload.default_business_unit
    type_code = default_type.code if default_type else ""
    channel_code = default_channel.code if default_channel else None
    unit_code = default_unit.code if default_unit else None
    loads, line_of = orjson.loads, Line._make

    def command_of(row: StagedRow) -> RecordActivity:
        content = loads(row.payload)
        text, zone_assumed, activity_type, channel, unit, units, items, data = content[
            :_WITHOUT_CURRENCY
        ]
        if units is None and items:
            units = sum([item[1] for item in items])
        return RecordActivity(
            source=source,
            key=row.key,
            activity_type=activity_type or type_code,
            occurred_at=row.occurred_at,
            occurred_at_text=text,
            received_at=received_at,
            zone_assumed=zone_assumed,
            member=(kind, member_of(row, content)),
            channel=channel or channel_code,
            business_unit=unit or unit_code,
            units=units,
            lines=tuple(map(line_of, items)),
            data=data,
            currency=_currency_of(content),
            is_from_file=True,
        )

    return command_of


def rows_as_in_file(upload: Upload, row: StagedRow) -> list[dict[str, Any]]:
    """Return what stood in the file for a staged row, by its columns."""
    content = orjson.loads(row.payload)
    parts = content[_WITHOUT_CURRENCY:]
    stood = next((one for one in parts if isinstance(one, list)), None)
    if stood is not None:
        return [dict(zip(upload.columns, cells, strict=False)) for cells in stood]
    text, _, activity_type, channel, unit, units, items, data = content[
        :_WITHOUT_CURRENCY
    ]
    head = {
        "key": row.key,
        "member": member_of(row, content),
        "occurred_at": text,
        "type": activity_type,
        "channel": channel,
        "business_unit": unit,
        "value": None if units is None else format_value(units),
        "currency": _currency_of(content) or None,
    }
    if upload.format == UploadFormat.JSON_LINES:
        return [_as_object(head, items, data)]
    rows = []
    for place, item in enumerate(items or [None]):
        row_data = {
            name: value[place] if isinstance(value, list) else value
            for name, value in data.items()
        }
        rows.append(
            {name: value or "" for name, value in head.items()}
            | (_item_columns(item) if item else {})
            | row_data
        )
    return rows


def keyed(row: NewRow, rules: IdentityRules, kind: str) -> NewRow:
    """Return a row that stands under the key of its member, and keeps its spelling."""
    key = rules.key_of(kind, row.member_value)
    if key == row.member_value or len(key) > _MEMBER_CHARACTERS_MAX:
        return row
    spelled = orjson.dumps({"member": row.member_value}).decode()
    return row._replace(member_value=key, payload=f"{row.payload[:-1]},{spelled}]")


def member_of(row: StagedRow, content: list[Any] | None = None) -> str:
    """Return the member as the file spells it."""
    parts = orjson.loads(row.payload) if content is None else content
    last = parts[-1] if len(parts) > _WITHOUT_CURRENCY else None
    return str(last["member"]) if isinstance(last, dict) else row.member_value


def column_in_file(upload: Upload, name: str) -> str:
    """Return what the upload's file calls a field."""
    columns: dict[str, str] = (upload.mapping or {}).get("columns", {})
    return next((column for column, one in columns.items() if one == name), name)


def _currency_of(content: list[Any]) -> str:
    found = content[_WITHOUT_CURRENCY:]
    return found[0] if found and isinstance(found[0], str) else ""


def _item_columns(item: list[Any]) -> dict[str, str]:
    return {
        "item_id": item[0],
        "item_value": format_value(item[1]),
        "item_quantity": item[2],
        "item_group": item[3],
    }


def _as_object(
    head: dict[str, Any], items: list[list[Any]], data: dict[str, Any]
) -> dict[str, str]:
    content = {name: value for name, value in head.items() if value is not None}
    if items:
        names = ("item_id", "value", "quantity", "group_id")
        content["items"] = [
            {
                name: format_value(value) if name == "value" else value
                for name, value in zip(names, item, strict=True)
                if value != ""
            }
            for item in items
        ]
    if data:
        content["data"] = data
    return {"text": orjson.dumps(content).decode()}
