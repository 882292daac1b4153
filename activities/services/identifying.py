"""What becomes of anonymous activities once their person is known.

The profile is merged into the member once, for good. Its activities become the
member's and keep their moments; the program says whether, and how far back, they
also earn. What earns is decided with the batch, by the same rules and the same
ledger as everything else, as an activity that arrives late: one award each, so
that every point names its activity and is taken back with it.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from activities.models import Activity
from activities.services.batch import Draft
from activities.services.commands import Line, RecordActivity, Refused
from activities.services.records import json_of
from activities.services.twins import twins_among
from loyalty.engine.facts import EVER
from loyalty.engine.money import scaled_rate
from loyalty.engine.numbers import parse_value
from loyalty.ledger.holdings import copy_lines, copy_text
from loyalty.models import Program, RetroPoints

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from activities.services.batch import Batch, Merge
    from loyalty.engine.programme import TypeRule


class Policy(NamedTuple):
    """What a program does with earlier activities of people who become known."""

    moves_history: bool
    points: str
    hours: int

    def pays_from(self, now: datetime) -> datetime | None:
        """Return from when on earlier activities earn; None if they never do."""
        if not self.moves_history or self.points == RetroPoints.OFF:
            return None
        if self.points == RetroPoints.ALL:
            return EVER
        return now - timedelta(hours=self.hours)


def policy_of(program_id: int) -> Policy:
    """Return the program's policy; one query."""
    columns = ("moves_anonymous_history", "retro_points", "retro_hours")
    return Policy(*Program.objects.values_list(*columns).get(pk=program_id))


def find_earlier(batch: Batch) -> None:
    """Add earlier activities that are to earn now to the drafts; three queries.

    Merges and identities that nobody is left to ask for are dropped first.
    """
    _drop_unasked(batch)
    if not batch.merges:
        return
    pays_from = policy_of(batch.programme.program_id).pays_from(batch.now)
    if pays_from is None:
        return
    for draft in batch.drafts:
        if draft.member_id is None and draft.command.occurred_at >= pays_from:
            draft.member_id = batch.owner_of(draft.anonymous_profile_id or 0)
    fresh = set(batch.new_profiles.values())
    batch.drafts += _stored_drafts(batch, batch.merges.keys() - fresh, pays_from)


def _drop_unasked(batch: Batch) -> None:
    # Nobody and nothing new is written that no activity names.
    unwritten = set(batch.new_members.values())
    unwritten -= {draft.member_id for draft in batch.drafts} | batch.kept_members
    unwritten_profiles = set(batch.new_profiles.values())
    unwritten_profiles -= {draft.anonymous_profile_id for draft in batch.drafts}
    named = {draft.command.member for draft in batch.drafts}
    keys = {batch.identity_keys[pair] for pair in named if pair is not None}
    batch.merges = {
        profile_id: merge
        for profile_id, merge in batch.merges.items()
        if merge.member_id not in unwritten
        and profile_id not in unwritten_profiles
        and not _is_refused(merge, batch)
    }
    batch.new_identities = {
        pair: one
        for pair, one in batch.new_identities.items()
        if batch.identity_keys[pair] in keys
    }


def _is_refused(merge: Merge, batch: Batch) -> bool:
    return merge.place >= 0 and isinstance(batch.outcomes[merge.place], Refused)


def _stored_drafts(
    batch: Batch, profile_ids: Iterable[int], pays_from: datetime
) -> list[Draft]:
    rules = {rule.offer.id: rule for rule in batch.programme.types.values()}
    rows = list(
        Activity.objects.filter(
            anonymous_profile__in=list(profile_ids),
            member=None,
            reversal=None,
            occurred_at__gte=pays_from,
        )
    )
    # What came again under the member's own name has been paid.
    owners = [batch.owner_of(row.anonymous_profile_id or 0) or 0 for row in rows]
    paid = twins_among([row.pk for row in rows], owners) if rows else set()
    return [
        _draft_of(row, rules[row.activity_type_id], batch)
        for row in rows
        if row.pk not in paid
    ]


def _draft_of(row: Activity, rule: TypeRule, batch: Batch) -> Draft:
    command = RecordActivity(
        source=row.source,
        key=row.key,
        activity_type=rule.code,
        occurred_at=row.occurred_at,
        occurred_at_text=row.occurred_at_text,
        received_at=row.received_at,
        units=None if row.value is None else parse_value(row.value),
        lines=tuple(
            Line(
                item["item_id"],
                parse_value(item.get("value", "0")),
                item.get("quantity", ""),
                item.get("group_id", ""),
            )
            for item in row.items
        ),
        currency=row.currency,
    )
    return Draft(
        place=-1,
        command=command,
        rule=rule,
        channel_id=row.channel_id,
        business_unit_id=row.business_unit_id,
        rate=None if row.rate is None else scaled_rate(row.rate),
        member_id=batch.owner_of(row.anonymous_profile_id or 0),
        anonymous_profile_id=row.anonymous_profile_id,
        activity_id=row.pk,
    )


def carry_out_merges(batch: Batch) -> None:
    """Give the profiles and their activities to the members, and log it."""
    if not batch.merges:
        return
    policy = policy_of(batch.programme.program_id)
    profile_ids = list(batch.merges)
    member_ids = [merge.member_id for merge in batch.merges.values()]
    with connection.cursor() as cursor:
        # Locked since their owner was looked up; new ones were written with it.
        cursor.execute(
            "UPDATE loyalty_anonymousprofile p SET merged_into_id = v.member_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS v(profile_id, member_id)"
            " WHERE p.id = v.profile_id AND p.merged_into_id IS NULL",
            [profile_ids, member_ids],
        )
    moved = _moved(profile_ids, member_ids) if policy.moves_history else Counter()
    copy_lines(
        "activities_profilemerge",
        "profile_id, member_id, source, points_policy, activity_count, created_at",
        [
            f"{one}\t{merge.member_id}\t{copy_text(merge.source)}\t{policy.points}\t"
            f"{moved[one]}\t{batch.now}\n"
            for one, merge in batch.merges.items()
        ],
    )
    copy_lines(
        "activities_latedecision",
        "activity_id, merge_id, decision, created_at",
        [
            f"{draft.activity_id}\t{draft.anonymous_profile_id}\t"
            f"{copy_text(json_of(draft.decision, batch.programme))}\t{batch.now}\n"
            for draft in batch.drafts
            if draft.place < 0 and draft.decision is not None
        ],
    )


def _moved(profile_ids: list[int], member_ids: list[int]) -> Counter[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH moved AS (UPDATE activities_activity a SET member_id = v.member_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS v(profile_id, member_id)"
            " WHERE a.anonymous_profile_id = v.profile_id AND a.member_id IS NULL"
            " RETURNING a.anonymous_profile_id AS profile_id)"
            " SELECT profile_id, count(*) FROM moved GROUP BY 1",
            [profile_ids, member_ids],
        )
        return Counter(dict(cursor.fetchall()))
