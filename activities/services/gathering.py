"""Gathering the facts of a whole batch, with a fixed number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from activities.services.standing import load_standings
from campaigns.services import budgets, items, quests
from loyalty import ledger
from loyalty.engine.baskets import is_return, netted, value_of
from loyalty.engine.conditions import counted_around
from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import (
    ActivityFacts,
    Budget,
    Codes,
    Completion,
    Item,
    MemberHistory,
)
from loyalty.engine.money import Converted, converted, converted_lines
from loyalty.engine.programme import order_of_evaluation
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from activities.services.batch import Batch, Draft
    from loyalty.engine.baskets import Product
    from loyalty.engine.facts import Clock, Offer

# SQL for ``campaigns.services.budgets.open_missing``.
UNDONE = "SELECT activity_id FROM activities_activityreversal"


def lock_members(batch: Batch) -> None:
    """Lock every member that the batch may credit, by primary key."""
    fresh = set(batch.new_members.values())
    ids = {draft.member_id for draft in batch.drafts if draft.member_id} - fresh
    if ids:
        ledger.lock_members(ids)


def gather_histories(batch: Batch) -> None:
    """Load what the members bring along: tiers, scores, segments."""
    member_ids = {draft.member_id for draft in batch.drafts if draft.member_id}
    histories: dict[int | None, MemberHistory] = {
        member_id: MemberHistory(member_id=member_id) for member_id in member_ids
    }
    histories[None] = MemberHistory(is_known=False)
    batch.histories = histories
    known = sorted(member_ids - set(batch.new_members.values()))
    if not known:
        return
    batch.holdings = ledger.holdings_of(known)
    scoring = batch.programme.scoring_wallets
    for (member_id, wallet_id), holding in batch.holdings.items():
        if wallet_id in scoring:
            score = holding.lifetime_earned * scoring[wallet_id]
            histories[member_id].score += score
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
        products = netted(converted_lines(command.lines, draft.rate))
        given = value_of(command.units, command.lines) or 0
        units = converted(given, draft.rate)
        matching = [
            Item(one.item_id, one.units, list_ids, one.quantity, one.came_back)
            for one in products
            if (list_ids := listed.get(one.item_id))
        ]
        facts = ActivityFacts(
            command.occurred_at,
            draft.rule.offer.id,
            units,
            draft.channel_id,
            draft.business_unit_id,
            tuple(matching),
            _scaled(command.given_points, draft.rule.offer.wallet.decimals),
            len(command.lines),
            currency=command.currency or programme.currency,
            seed=batch.seed_of(command) if programme.has_draws else 0,
            is_return=is_return(units, products),
            converted=None
            if draft.rate is None
            else Converted(command.currency, programme.currency, draft.rate, units),
        )
        if programme.counts_unlisted:
            facts = _with_unlisted(facts, products, listed)
        draft.facts = facts
        lists = frozenset().union(*[item.list_ids for item in matching])
        draft.candidates = programme.index.candidates(
            command.occurred_at,
            draft.rule.offer.id,
            draft.business_unit_id,
            draft.channel_id,
            segments_at(batch.histories[draft.member_id], command.occurred_at),
            lists,
        )
        if batch.always:
            every = {one.id: one for one in (*draft.candidates, *batch.always)}
            draft.candidates = sorted(every.values(), key=order_of_evaluation)
        if programme.quests:
            draft.quests = programme.quest_index.candidates(
                command.occurred_at,
                draft.rule.offer.id,
                units,
                products,
            )


def _with_unlisted(
    facts: ActivityFacts, products: Iterable[Product], listed: Mapping[str, Any]
) -> ActivityFacts:
    """Return the facts with what stands on no list: rules may ask for all but."""
    others = [one for one in products if not listed.get(one.item_id)]
    return facts._replace(
        unlisted_units=sum([one.units for one in others]),
        unlisted_quantity=sum([one.quantity for one in others]),
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
    enough = {
        one.quest.id: one.quest.completions_per_member
        for _, some in touched
        for one in some
    }
    found = quests.histories_of(members, enough, enough)
    for member_id, by_quest in quests.by_member(found).items():
        batch.histories[member_id].quests = by_quest
        batch.histories[member_id].enrolled_at = found.enrolled_at[member_id]


def _scaled(points: int | None, decimals: int) -> int | None:
    return None if points is None else int(points * 10**decimals)


def gather_completions(batch: Batch) -> None:
    """Load the completions in every window that the batch's offers look at."""
    fresh = set(batch.new_members.values())
    load_completions(
        batch.histories,
        (
            (draft.member_id, offer, draft.command.occurred_at)
            for draft in batch.drafts
            if draft.member_id is not None and draft.member_id not in fresh
            for offer in (draft.rule.offer, *with_methods(draft.candidates))
        ),
        batch.programme.rules.clock,
    )


def load_completions(
    histories: Mapping[int | None, MemberHistory],
    looked_at: Iterable[tuple[int, Offer, datetime]],
    clock: Clock,
) -> None:
    """Load the completions that offers look at: (member, offer, moment); one query."""
    ranges: dict[int, tuple[datetime, datetime]] = {}
    members: set[int] = set()
    for member_id, offer, moment in looked_at:
        if offer.counts_completions:
            start, end = counted_around(offer, moment, clock)
            low, high = ranges.get(offer.id, (start, end))
            ranges[offer.id] = (min(low, start), max(high, end))
            members.add(member_id)
    if not ranges:
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
            of_offer = histories[member_id].completions.setdefault(offer_id, [])
            of_offer.append(Completion(occurred_at, is_paid))


def gather_budgets(batch: Batch, *, lock: bool) -> None:
    """Load what the candidate campaigns may still give.

    With ``lock`` the stock of voucher codes is locked, and the usage of budgets if the
    batch says so.
    """
    load_limits(
        batch.budgets,
        list(_all_candidates(batch.drafts)),
        lock=lock,
        locks_usage=batch.locks_usage,
    )


def load_limits(
    known: dict[int, Budget], offers: Sequence[Offer], *, lock: bool, locks_usage: bool
) -> None:
    """Add to ``known`` what is left of the offers' budgets, stocks and codes.

    With ``lock`` the lists of codes are locked by voucher type, and with
    ``locks_usage`` then the usage by offer. Lock members before.
    """
    gather_codes(known, offers, lock=lock)
    limited = {
        offer.id: offer
        for offer in offers
        if offer.has_budget and (offer.id not in known or known[offer.id].is_unread)
    }
    if not limited:
        return
    if lock:
        left = budgets.open_budgets(limited, undone=UNDONE, lock=locks_usage)
    else:
        left = budgets.look_at_budgets(limited, undone=UNDONE)
    for offer_id, budget in left.items():
        if offer_id in known:
            budget.codes = known[offer_id].codes
        known[offer_id] = budget


def gather_codes(
    known: dict[int, Budget], offers: Iterable[Offer], *, lock: bool
) -> None:
    """Add to ``known`` the codes left of the voucher types that have lists.

    With ``lock`` their stock is locked, before all usage, by primary key.
    """
    taking = {
        one.id: one.voucher_type_id
        for one in offers
        if one.takes_codes
        and one.voucher_type_id is not None
        and (one.id not in known or known[one.id].codes is None)
    }
    if not taking:
        return
    # A dry run in several batches carries on with what it has given.
    some = [one.codes for one in known.values() if one.codes is not None]
    codes = {one.voucher_type_id: one for one in some}
    stock = vouchers.stock_of(set(taking.values()) - codes.keys(), lock=lock)
    codes |= {type_id: Codes(left or 0, type_id) for type_id, left in stock.items()}
    for offer_id, type_id in taking.items():
        unread = Budget(is_unread=True)
        known.setdefault(offer_id, unread).codes = codes.get(type_id, Codes(0))


def with_methods(offers: Iterable[Offer]) -> Iterable[Offer]:
    """Yield each offer, and after it its reward methods."""
    for offer in offers:
        yield offer
        yield from offer.methods


def _all_candidates(drafts: Iterable[Draft]) -> Iterable[Offer]:
    for draft in drafts:
        yield from with_methods(draft.candidates)
        yield from (candidate.quest.offer for candidate in draft.quests)
