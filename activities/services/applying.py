"""Writing what was decided: rows of activities, then the points."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from activities.services import draws
from activities.services.commands import Recorded
from activities.services.records import json_of
from campaigns.services import budgets, quests
from loyalty import ledger
from loyalty.engine.baskets import value_of
from loyalty.engine.money import converted, rate_text
from loyalty.engine.numbers import format_value
from loyalty.ledger.awards import post_tier_changes
from loyalty.ledger.holdings import (
    copy_lines,
    copy_moment,
    copy_text,
    reserve_ids,
)
from loyalty.models import TierCause
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from activities.services.batch import Batch, Draft
    from activities.services.commands import RecordActivity
    from loyalty.engine.decisions import Award

_ACTIVITY_COLUMNS = (
    "id, program_id, source, key, fingerprint, member_id, anonymous_profile_id,"
    " activity_type_id, channel_id, business_unit_id, occurred_at, occurred_at_text,"
    " zone_assumed, received_at, created_at, is_late, value, currency, items, data,"
    " decision, upload_id, key_scope, holds_key, is_return,"
    " rate, counted_value"
)

# Prices repeat.
_price = lru_cache(maxsize=16_384)(format_value)


def enrol_new_members(batch: Batch) -> None:
    """Write the members, identities and profiles that the batch met first."""
    program_id = batch.programme.program_id
    now = batch.now
    used = {draft.member_id for draft in batch.drafts} | batch.kept_members
    fresh = {pair: one for pair, one in batch.new_members.items() if one in used}
    copy_lines(
        "loyalty_member",
        "id, program_id, enrolled_at, is_blocked, attributes",
        [f"{one}\t{program_id}\t{now}\tf\t{{}}\n" for one in fresh.values()],
    )
    copy_lines(
        "loyalty_identity",
        "program_id, member_id, kind, value, key",
        [
            f"{program_id}\t{one}\t{copy_text(kind)}\t{copy_text(value)}\t"
            f"{copy_text(batch.identity_keys[kind, value][1])}\n"
            # In one order everywhere, so that two batches cannot block each other.
            for (kind, value), one in sorted(
                (fresh | batch.new_identities).items(),
                key=lambda item: batch.identity_keys[item[0]],
            )
        ],
    )
    used_profiles = {draft.anonymous_profile_id for draft in batch.drafts}
    copy_lines(
        "loyalty_anonymousprofile",
        "id, program_id, anonymous_id, created_at, merged_into_id",
        [
            f"{one}\t{program_id}\t{copy_text(anonymous_id)}\t{now}\t"
            f"{_null(batch.owner_of(one))}\n"
            for anonymous_id, one in batch.new_profiles.items()
            if one in used_profiles
        ],
    )


def write_activities(
    batch: Batch, late_after: timedelta, upload_id: int | None
) -> None:
    """Write the activity rows with their decision records; one COPY."""
    fresh = [draft for draft in batch.drafts if not draft.activity_id]
    ids = reserve_ids("activities_activity", len(fresh))
    lines = []
    for activity_id, draft in zip(ids, fresh, strict=True):
        draft.activity_id = activity_id
        lines.append(_line(draft, batch, late_after, upload_id))
        batch.outcomes[draft.place] = Recorded(
            activity_id, draft.member_id, decision=draft.decision
        )
    copy_lines("activities_activity", _ACTIVITY_COLUMNS, lines)


def _line(
    draft: Draft, batch: Batch, late_after: timedelta, upload_id: int | None
) -> str:
    command = draft.command
    is_late = command.received_at - command.occurred_at > late_after
    units = value_of(command.units, command.lines)
    value = "\\N" if units is None else format_value(units)
    is_return = draft.facts is not None and draft.facts.is_return
    decision = json_of(draft.decision, batch.programme) if draft.decision else "{}"
    return (
        f"{draft.activity_id}\t{batch.programme.program_id}\t"
        f"{copy_text(command.source)}\t"
        f"{copy_text(command.key)}\t\\\\x{draft.fingerprint.hex()}\t"
        f"{_null(draft.member_id)}\t{_null(draft.anonymous_profile_id)}\t"
        f"{draft.rule.offer.id}\t{_null(draft.channel_id)}\t"
        f"{_null(draft.business_unit_id)}\t{copy_moment(command.occurred_at)}\t"
        f"{copy_text(command.occurred_at_text)}\t{_flag(command.zone_assumed)}\t"
        f"{copy_moment(command.received_at)}\t{copy_moment(batch.now)}\t"
        f"{_flag(is_late)}\t{value}\t{command.currency}\t"
        f"{_items(draft)}\t{_data(draft)}\t{copy_text(decision)}\t"
        f"{_null(upload_id)}\t{copy_text(_own_scope(command))}\tt\t"
        f"{_flag(is_return)}\t{_counted(draft, units)}\n"
    )


def _own_scope(command: RecordActivity) -> str:
    """Return the scope of the key where it is not the source itself."""
    return "" if command.key_scope == command.source else command.key_scope


def _counted(draft: Draft, units: int | None) -> str:
    """Return the rate and the value that counts, where the activity was converted."""
    if draft.rate is None:
        return "\\N\t\\N"
    value = "\\N" if units is None else format_value(converted(units, draft.rate))
    return f"{rate_text(draft.rate)}\t{value}"


def _items(draft: Draft) -> str:
    lines = draft.command.lines
    if not lines:
        return "[]"
    rows = []
    for line in lines:
        row = {"item_id": line.item_id, "value": _price(line.units)}
        if line.quantity:
            row["quantity"] = line.quantity
        if line.group_id:
            row["group_id"] = line.group_id
        rows.append(row)
    return copy_text(orjson.dumps(rows).decode())


def _data(draft: Draft) -> str:
    data = draft.command.data
    return copy_text(orjson.dumps(data).decode()) if data else "{}"


def post_points(batch: Batch) -> None:
    """Credit the awards, remember completions, move tiers and quests."""
    postings = []
    completions = []
    for draft in batch.drafts:
        if draft.decision is None or draft.member_id is None:
            continue
        at = draft.command.occurred_at
        postings += [
            ledger.AwardPosting(
                draft.member_id,
                award.offer.wallet,
                award.points,
                award.offer.bucket.value,
                award.offer.id,
                award.business_unit_id,
                draft.activity_id,
                at,
            )
            for award in draft.decision.awards
            if award.points
        ]
        completions += [
            (draft.member_id, counted.offer_id, at, counted.is_paid, draft.activity_id)
            for counted in draft.decision.counted
        ]
    ledger.post_awards(batch.programme, postings, batch.holdings, batch.now)
    ledger.post_completions(completions)
    _move_tiers(batch)
    quests.write_steps(_steps_of(batch), batch.now)


def issue_vouchers(batch: Batch) -> None:
    """Give the vouchers that were awarded."""
    vouchers.issue(
        [
            vouchers.Order(
                batch.programme.program_id,
                award.offer.voucher_type_id,
                draft.member_id,
                award.offer.id,
                draft.activity_id,
                draft.command.occurred_at,
            )
            for draft, award in _awards_of(batch)
            if award.offer.voucher_type_id is not None and draft.member_id is not None
        ],
        now=batch.now,
    )


def _awards_of(batch: Batch) -> Iterator[tuple[Draft, Award]]:
    for draft in batch.drafts:
        if draft.decision is not None:
            for award in draft.decision.awards:
                yield draft, award


def write_draws(batch: Batch) -> None:
    """Keep the draws, so that anybody can draw them again."""
    drawn = [
        draws.Drawn(draft.member_id, draft.activity_id, draft.command.occurred_at, one)
        for draft in batch.drafts
        if draft.decision is not None and draft.member_id is not None
        for one in draft.decision.draws
    ]
    draws.write(batch.programme.program_id, drawn, batch.now)


def take_from_budgets(batch: Batch) -> None:
    """Count the awards against the budgets they fall under.

    Raises:
        Overtaken: what was decided on is not left.
    """
    budgets.take(
        [award for _, award in _awards_of(batch)],
        batch.programme.offers,
        is_locked=batch.locks_usage,
    )


def _steps_of(batch: Batch) -> list[quests.Taken]:
    return [
        quests.Taken(
            draft.member_id, draft.activity_id, draft.command.occurred_at, step
        )
        for draft in batch.drafts
        if draft.decision is not None and draft.member_id is not None
        for step in draft.decision.quest_steps
    ]


def _move_tiers(batch: Batch) -> None:
    rows: list[tuple[int, int | None, datetime, str, int, int | None]] = []
    current: dict[int, int | None] = {}
    for draft in sorted(batch.drafts, key=lambda one: one.order):
        change = draft.decision.tier_change if draft.decision else None
        if change is None or draft.member_id is None:
            continue
        rows.append(
            (
                draft.member_id,
                change.tier_id,
                change.since,
                TierCause.THRESHOLD.value,
                change.score,
                draft.activity_id,
            )
        )
        current[draft.member_id] = change.tier_id
    post_tier_changes(rows, current)


def _null(number: int | None) -> str:
    return "\\N" if number is None else str(number)


def _flag(claim: bool) -> str:  # noqa: FBT001 (a column's value)
    return "t" if claim else "f"
