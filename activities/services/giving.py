"""Writing an interaction, the price that is paid for it, and everything it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from activities.services import draws
from activities.services.records import record_of, text_of
from activities.services.segments import note_moved
from loyalty import ledger
from loyalty.ledger.awards import post_tier_changes
from loyalty.models import TierCause
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activities.services.interactions import Interact
    from loyalty.engine.decisions import Decision
    from loyalty.engine.interactions import Price
    from loyalty.engine.programme import Programme
    from loyalty.ledger.holdings import Holdings
    from loyalty.models import Voucher


class Gift(NamedTuple):
    """What an interaction is to take and give; the member is locked."""

    programme: Programme
    command: Interact
    decision: Decision
    prices: Sequence[Price]
    at: datetime


def give(
    gift: Gift, purse: ledger.Purse, holdings: Holdings
) -> tuple[int, list[Voucher]]:
    """Write all of it but the usage of budgets.

    Returns:
        The number of the interaction, and the vouchers that it gives.
    """
    member_id, decision = gift.command.member_id, gift.decision
    interaction_id = _insert(gift)
    _move_points(gift, interaction_id, purse, holdings)
    ledger.post_completions(
        (member_id, one.offer_id, gift.at, one.is_paid, interaction_id)
        for one in decision.counted
    )
    given = vouchers.issue(
        [
            vouchers.Order(
                gift.programme.program_id,
                award.offer.voucher_type_id,
                member_id,
                award.offer.id,
                interaction_id,
                gift.at,
            )
            for award in decision.awards
            if award.offer.voucher_type_id is not None
        ],
        now=gift.at,
    )
    draws.write(
        gift.programme.program_id,
        [
            draws.Drawn(member_id, interaction_id, gift.at, one)
            for one in decision.draws
        ],
        gift.at,
    )
    change = decision.tier_change
    if change is not None:
        why = (TierCause.THRESHOLD.value, change.score, interaction_id)
        step = (member_id, change.tier_id, change.since, *why)
        post_tier_changes([step], {member_id: change.tier_id})
    note_moved(gift.programme, [member_id])
    return interaction_id, given


def _insert(gift: Gift) -> int:
    command = gift.command
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO activities_interaction (id, program_id, campaign_id,"
            " member_id, source, key, mode, actor, occurred_at, decision) VALUES"
            " (nextval('activities_activity_id_seq'), %s, %s, %s, %s, %s, %s, %s, %s,"
            " %s) RETURNING id",
            [
                gift.programme.program_id,
                command.campaign_id,
                command.member_id,
                command.source,
                command.key,
                command.mode,
                command.actor,
                gift.at,
                _record(gift),
            ],
        )
        return int(cursor.fetchone()[0])


def _record(gift: Gift) -> str:
    record = record_of(gift.decision, gift.programme)
    record["prices"] = [
        {"wallet": gift.programme.wallet_codes[one.wallet_id], "points": one.amount}
        for one in gift.prices
    ]
    return text_of(record)


def _move_points(
    gift: Gift, interaction_id: int, purse: ledger.Purse, holdings: Holdings
) -> None:
    """Take the price and post the points, with one journal."""
    postings = [
        ledger.AwardPosting(
            gift.command.member_id,
            award.offer.wallet,
            award.points,
            award.offer.bucket.value,
            award.offer.id,
            award.business_unit_id,
            interaction_id,
            gift.at,
        )
        for award in gift.decision.awards
        if award.points
    ]
    charges = [
        ledger.Charge(*one, gift.command.campaign_id, interaction_id)
        for one in gift.prices
    ]
    if not postings and not charges:
        return
    journal = ledger.Journal(gift.programme.program_id, gift.at)
    owing = sum(1 for holding in holdings.values() if holding.owed)
    journal.reserve(len(postings) + len(charges) + owing)
    purse.pay(charges, journal)
    ledger.post_awards(gift.programme, postings, holdings, gift.at, journal)
