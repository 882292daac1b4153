"""Telling the same request from another one under the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.models import Activity
from activities.services.commands import KeyReused, Recorded, fingerprint_of
from loyalty.engine.numbers import format_value, parse_value

if TYPE_CHECKING:
    from activities.services.commands import RecordActivity


def replay_of(program_id: int, command: RecordActivity) -> Recorded | None:
    """Return the activity that stands under the command's key; None if it is free.

    For contracts that answer a repeated request like the first time whatever has
    become of its words, its moment or its member since.

    Raises:
        KeyReused: the key stands for another request.
    """
    found = (
        Activity.objects.filter(
            program=program_id, source=command.source, key=command.key
        )
        .values_list("pk", "member", "fingerprint")
        .first()
    )
    if found is None:
        return None
    activity_id, member_id, fingerprint = found
    if bytes(fingerprint) != fingerprint_of(command):
        differing = differing_fields(activity_id, command)
        raise KeyReused(
            f"The key “{command.key}” was used for another request. "
            f"It differs in: {', '.join(differing)}.",
            field="key",
            differing=differing,
        )
    return Recorded(activity_id, member_id, is_replay=True)


def differing_fields(activity_id: int, command: RecordActivity) -> list[str]:
    """Return the names of the fields in which ``command`` differs from the row.

    Only fields that the row still tells are compared; one query, on the rare
    path of a reused key.
    """
    row = Activity.objects.select_related(
        "activity_type__wallet", "channel", "business_unit"
    ).get(pk=activity_id)
    stored = {
        "type": row.activity_type.code,
        "channel": row.channel.code if row.channel else None,
        "business_unit": row.business_unit.code if row.business_unit else None,
        "occurred_at": row.occurred_at,
        "value": None if row.value is None else format_value(parse_value(row.value)),
        "items": [_spelled(item) for item in row.items],
        "data": row.data,
        "points": _given_points(row),
        "currency": row.currency,
    }
    return _named(stored, _told(command))


def differing_commands(one: RecordActivity, other: RecordActivity) -> list[str]:
    """Return the names of the fields in which two commands of a batch differ."""
    return _named(_told(one), _told(other))


def _named(stored: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    differing = [name for name in asked if asked[name] != stored[name]]
    return differing or ["member"]


def _told(command: RecordActivity) -> dict[str, Any]:
    return {
        "type": command.activity_type,
        "channel": command.channel,
        "business_unit": command.business_unit,
        "occurred_at": command.occurred_at,
        "value": None if command.units is None else format_value(command.units),
        "items": [
            _spelled(
                {
                    "item_id": line.item_id,
                    "value": format_value(line.units),
                    "quantity": line.quantity,
                    "group_id": line.group_id,
                }
            )
            for line in command.lines
        ],
        "data": command.data,
        "points": command.given_points,
        "currency": command.currency,
    }


def _given_points(row: Activity) -> int | None:
    given: int | None = row.decision.get("given")
    if given is None:
        return None
    return int(given // 10**row.activity_type.wallet.decimals)


def _spelled(item: dict[str, str]) -> tuple[str, str, str, str]:
    return (
        item["item_id"],
        item.get("value", "0"),
        item.get("quantity", ""),
        item.get("group_id", ""),
    )
