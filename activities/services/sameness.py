"""What activities mean, stored or on their way in, to be compared by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.models import Activity
from loyalty.engine.numbers import parse_value
from loyalty.engine.sameness import Meaning, actor_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from activities.services.batch import Draft


def meaning_of(draft: Draft) -> Meaning:
    """Return what a draft means; its actor is known."""
    command = draft.command
    return Meaning(
        way=(command.source, command.is_from_file),
        actor=actor_of(draft.member_id, draft.anonymous_profile_id),
        profile=draft.anonymous_profile_id,
        type=draft.rule.offer.id,
        channel=draft.channel_id,
        business_unit=draft.business_unit_id,
        occurred_at=command.occurred_at,
        units=command.units,
        lines=lines_of(
            (line.item_id, line.units, line.quantity, line.group_id)
            for line in command.lines
        ),
        data=command.data,
        points=command.given_points,
        currency=command.currency,
    )


def stored_meanings(activity_ids: Collection[int]) -> dict[int, Meaning]:
    """Return what stored activities mean, by number; one query."""
    if not activity_ids:
        return {}
    rows = Activity.objects.select_related("activity_type__wallet")
    return {row.pk: _meaning_of_row(row) for row in rows.filter(pk__in=activity_ids)}


def _meaning_of_row(row: Activity) -> Meaning:
    return Meaning(
        way=(row.source, row.upload_id is not None),
        actor=actor_of(row.member_id, row.anonymous_profile_id),
        profile=row.anonymous_profile_id,
        type=row.activity_type_id,
        channel=row.channel_id,
        business_unit=row.business_unit_id,
        occurred_at=row.occurred_at,
        units=None if row.value is None else parse_value(row.value),
        lines=lines_of(
            (
                item["item_id"],
                parse_value(item.get("value", "0")),
                item.get("quantity", ""),
                item.get("group_id", ""),
            )
            for item in row.items
        ),
        data=row.data,
        points=_given_points(row),
        currency=row.currency,
    )


def _given_points(row: Activity) -> int | None:
    given: int | None = row.decision.get("given")
    if given is None:
        return None
    return int(given // 10**row.activity_type.wallet.decimals)
