"""Gathering the facts of a whole batch, with a fixed number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from activities.services.commands import (
    BlockedMember,
    KeyReused,
    UnknownMember,
    fingerprint_of,
)
from activities.services.replaying import differing_commands, differing_fields
from activities.services.standing import load_standings
from campaigns.services import budgets, items, quests
from loyalty import ledger
from loyalty.engine.conditions import attempts_window_of, window_of
from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import (
    ActivityFacts,
    Completion,
    Item,
    MemberHistory,
)
from loyalty.ledger.holdings import reserve_ids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from activities.services.batch import Batch, Draft
    from loyalty.engine.facts import Offer


def find_members(batch: Batch, *, may_enrol: bool) -> None:
    """Give every draft its member, or refuse it; two queries at most.

    Unknown identities are enrolled by the apply step if ``may_enrol``, else
    refused.
    """
    known, by_number = _members(batch)
    waiting: list[Draft] = []
    kept: list[Draft] = []
    for draft in batch.drafts:
        command = draft.command
        if command.anonymous_id is not None:
            kept.append(draft)
            continue
        if command.member is not None:
            found = known.get(command.member)
        else:
            found = by_number.get(command.member_id or 0)
        if found is None:
            if may_enrol and command.member is not None:
                waiting.append(draft)
                kept.append(draft)
            else:
                _refuse_unknown(batch, draft)
            continue
        draft.member_id, is_blocked = found
        if is_blocked:
            error = BlockedMember("This member is blocked.", field="member")
            batch.refuse(draft.place, error)
            continue
        kept.append(draft)
    batch.drafts = kept
    _number_new_members(batch, waiting)
    _find_profiles(batch)


def _members(
    batch: Batch,
) -> tuple[dict[tuple[str, str], tuple[int, bool]], dict[int, tuple[int, bool]]]:
    program_id = batch.programme.program_id
    pairs = {d.command.member for d in batch.drafts if d.command.member is not None}
    numbers = {
        d.command.member_id for d in batch.drafts if d.command.member_id is not None
    }
    known: dict[tuple[str, str], tuple[int, bool]] = {}
    by_number: dict[int, tuple[int, bool]] = {}
    with connection.cursor() as cursor:
        if pairs:
            cursor.execute(
                "SELECT i.kind, i.value, i.member_id, m.is_blocked"
                " FROM unnest(%s::text[], %s::text[]) AS v(kind, value)"
                " JOIN loyalty_identity i ON i.program_id = %s"
                " AND i.kind = v.kind AND i.value = v.value"
                " JOIN loyalty_member m ON m.id = i.member_id",
                [[kind for kind, _ in pairs], [one for _, one in pairs], program_id],
            )
            for kind, value, member_id, is_blocked in cursor.fetchall():
                known[kind, value] = (member_id, is_blocked)
        if numbers:
            cursor.execute(
                "SELECT id, is_blocked FROM loyalty_member"
                " WHERE program_id = %s AND id = ANY(%s)",
                [program_id, list(numbers)],
            )
            by_number = {row[0]: (row[0], row[1]) for row in cursor.fetchall()}
    return known, by_number


def _refuse_unknown(batch: Batch, draft: Draft) -> None:
    command = draft.command
    if command.member is not None:
        kind, value = command.member
        sentence = f"Nobody has the {kind} “{value}”."
    else:
        sentence = f"There is no member {command.member_id}."
    batch.refuse(draft.place, UnknownMember(sentence, field="member"))


def _number_new_members(batch: Batch, waiting: list[Draft]) -> None:
    if not waiting:
        return
    wanted = {draft.command.member for draft in waiting}
    identities = sorted(pair for pair in wanted if pair is not None)
    ids = reserve_ids("loyalty_member", len(identities))
    batch.new_members = dict(zip(identities, ids, strict=True))
    for draft in waiting:
        if draft.command.member is not None:
            draft.member_id = batch.new_members[draft.command.member]


def _find_profiles(batch: Batch) -> None:
    drafts = [d for d in batch.drafts if d.command.anonymous_id is not None]
    if not drafts:
        return
    wanted = sorted({draft.command.anonymous_id or "" for draft in drafts})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT anonymous_id, id FROM loyalty_anonymousprofile"
            " WHERE program_id = %s AND anonymous_id = ANY(%s)",
            [batch.programme.program_id, wanted],
        )
        profiles = dict(cursor.fetchall())
    missing = [one for one in wanted if one not in profiles]
    if missing:
        ids = reserve_ids("loyalty_anonymousprofile", len(missing))
        batch.new_profiles = dict(zip(missing, ids, strict=True))
        profiles.update(batch.new_profiles)
    for draft in drafts:
        draft.anonymous_profile_id = profiles[draft.command.anonymous_id]


def lock_members(batch: Batch) -> None:
    """Lock every member that the batch may credit, by primary key."""
    fresh = set(batch.new_members.values())
    ids = {draft.member_id for draft in batch.drafts if draft.member_id} - fresh
    if ids:
        ledger.lock_members(ids)


def answer_known_keys(batch: Batch) -> None:
    """Take out the drafts whose key stands already, in the table or the batch.

    After the locks: another request with the same key and member has committed
    by now, or waits for this one.
    """
    stored = _stored_keys(batch)
    first: dict[tuple[str, str], Draft] = {}
    kept: list[Draft] = []
    for draft in batch.drafts:
        draft.fingerprint = fingerprint_of(draft.command)
        name = (draft.command.source, draft.command.key)
        if name in stored:
            activity_id, member_id, fingerprint = stored[name]
            if fingerprint == draft.fingerprint:
                batch.replay(draft.place, activity_id, member_id)
            else:
                differing = differing_fields(activity_id, draft.command)
                batch.refuse(draft.place, _reused(draft, differing))
        elif name in first:
            if first[name].fingerprint == draft.fingerprint:
                batch.echoes.append((draft.place, first[name]))
            else:
                differing = differing_commands(first[name].command, draft.command)
                batch.refuse(draft.place, _reused(draft, differing))
        else:
            first[name] = draft
            kept.append(draft)
    batch.drafts = kept


def _stored_keys(
    batch: Batch,
) -> dict[tuple[str, str], tuple[int, int | None, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.source, a.key, a.id, a.member_id, a.fingerprint"
            " FROM unnest(%s::text[], %s::text[]) AS v(source, key)"
            " JOIN activities_activity a ON a.program_id = %s"
            " AND a.source = v.source AND a.key = v.key",
            [
                [draft.command.source for draft in batch.drafts],
                [draft.command.key for draft in batch.drafts],
                batch.programme.program_id,
            ],
        )
        return {
            (source, key): (activity_id, member_id, bytes(fingerprint))
            for source, key, activity_id, member_id, fingerprint in cursor.fetchall()
        }


def _reused(draft: Draft, differing: list[str]) -> KeyReused:
    return KeyReused(
        f"The key “{draft.command.key}” was used for another request. "
        f"It differs in: {', '.join(differing)}.",
        field="key",
        differing=differing,
    )


def gather_histories(batch: Batch) -> None:
    """Load what the members bring along: tiers, scores, segments."""
    member_ids = {draft.member_id for draft in batch.drafts if draft.member_id}
    histories: dict[int | None, MemberHistory] = {
        member_id: MemberHistory() for member_id in member_ids
    }
    histories[None] = MemberHistory(is_known=False)
    batch.histories = histories
    known = sorted(member_ids - set(batch.new_members.values()))
    if not known:
        return
    batch.holdings = ledger.holdings_of(known)
    scoring = batch.programme.scoring_wallet_ids
    for (member_id, wallet_id), holding in batch.holdings.items():
        if wallet_id in scoring:
            histories[member_id].score += holding.lifetime_earned
    load_standings(batch.programme, {one: histories[one] for one in known})


def find_candidates(batch: Batch) -> None:
    """Complete the facts of each draft; find the campaigns and quests it could meet."""
    programme = batch.programme
    listed = items.lists_of(
        programme,
        {line.item_id for draft in batch.drafts for line in draft.command.lines},
    )
    for draft in batch.drafts:
        command = draft.command
        # Lines that stand on no list in use cannot matter to any campaign.
        matching = [
            Item(line.item_id, line.units, list_ids)
            for line in command.lines
            if (list_ids := listed.get(line.item_id))
        ]
        draft.facts = ActivityFacts(
            command.occurred_at,
            draft.rule.offer.id,
            command.units or 0,
            draft.channel_id,
            draft.business_unit_id,
            tuple(matching),
            _scaled(command.given_points, draft.rule.offer.wallet.decimals),
        )
        lists = frozenset().union(*[item.list_ids for item in matching])
        draft.candidates = programme.index.candidates(
            command.occurred_at,
            draft.rule.offer.id,
            draft.business_unit_id,
            draft.channel_id,
            segments_at(batch.histories[draft.member_id], command.occurred_at),
            lists,
        )
        if programme.quests:
            draft.quests = programme.quest_index.candidates(
                command.occurred_at,
                draft.rule.offer.id,
                command.units or 0,
                command.lines,
            )


def gather_quests(batch: Batch) -> None:
    """Load what the members have done in the quests that the batch touches."""
    touched = [(one.member_id, one.quests) for one in batch.drafts if one.quests]
    members = {member_id for member_id, _ in touched if member_id is not None}
    fresh = set(batch.new_members.values())
    for member_id in members & fresh:
        batch.histories[member_id].enrolled_at = batch.now
    members -= fresh
    if not members:
        return
    quest_ids = {one.quest.id for _, some in touched for one in some}
    found = quests.histories_of(members, quest_ids)
    for member_id, by_quest in quests.by_member(found).items():
        batch.histories[member_id].quests = by_quest
        batch.histories[member_id].enrolled_at = found.enrolled_at[member_id]


def _scaled(points: int | None, decimals: int) -> int | None:
    return None if points is None else int(points * 10**decimals)


def gather_completions(batch: Batch) -> None:
    """Load the completions in every window that the batch's offers look at."""
    ranges: dict[int, tuple[datetime, datetime]] = {}
    members: set[int] = set()
    clock = batch.programme.rules.clock
    for draft in batch.drafts:
        for offer in (draft.rule.offer, *draft.candidates):
            if offer.counts_completions and draft.member_id is not None:
                start, end = _range_of(offer, draft.command.occurred_at, clock)
                low, high = ranges.get(offer.id, (start, end))
                ranges[offer.id] = (min(low, start), max(high, end))
                members.add(draft.member_id)
    members -= set(batch.new_members.values())
    if not ranges or not members:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.member_id, c.offer_id, c.occurred_at, c.is_paid"
            " FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])"
            " AS v(offer_id, low, high)"
            " JOIN loyalty_completion c ON c.offer_id = v.offer_id"
            " AND c.member_id = ANY(%s)"
            " AND c.occurred_at >= v.low AND c.occurred_at < v.high",
            [
                list(ranges),
                [low for low, _ in ranges.values()],
                [high for _, high in ranges.values()],
                sorted(members),
            ],
        )
        for member_id, offer_id, occurred_at, is_paid in cursor.fetchall():
            of_offer = batch.histories[member_id].completions.setdefault(offer_id, [])
            of_offer.append(Completion(occurred_at, is_paid))


def _range_of(
    offer: Offer, moment: datetime, clock: object
) -> tuple[datetime, datetime]:
    window = window_of(offer, moment, clock)  # type: ignore[arg-type]
    if offer.required_attempts == 1:
        return window
    wider = attempts_window_of(offer, moment, clock)  # type: ignore[arg-type]
    return min(window.start, wider.start), max(window.end, wider.end)


def gather_budgets(batch: Batch, *, lock: bool) -> None:
    """Load, and lock last of all, what the candidate campaigns may still give."""
    limited = {
        offer.id: offer
        for offer in _all_candidates(batch.drafts)
        if offer.has_budget and offer.id not in batch.budgets
    }
    if limited:
        batch.budgets.update(budgets.budgets_of(limited, lock=lock))


def _all_candidates(drafts: Iterable[Draft]) -> Iterable[Offer]:
    for draft in drafts:
        yield from draft.candidates
        yield from (candidate.quest.offer for candidate in draft.quests)
