"""The interaction use case: the only way in which a member interacts with a campaign.

Everything happens in one transaction, with the member locked: the price is paid, what
was decided is given, the draw is kept. A refusal leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from django.db import IntegrityError, OperationalError, transaction

from activities.models import Interaction
from activities.services import draws, gathering
from activities.services.batch import random_seed
from activities.services.commands import (
    BlockedMember,
    KeyReused,
    ProgramDisabled,
    UnknownMember,
)
from activities.services.interactions import (
    CampaignFullyRedeemed,
    CampaignNotActive,
    Interacted,
    NotInAudience,
    UnknownCampaign,
)
from activities.services.records import record_of
from activities.services.rewards import rewards_of
from activities.services.segments import note_moved
from activities.services.standing import load_standings
from campaigns.services import budgets
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import ActivityFacts, MemberHistory, Reason
from loyalty.engine.interactions import Verdict, decide_interaction
from loyalty.engine.rewards import Case
from loyalty.engine.tiers import tier_at
from loyalty.ledger.awards import post_tier_changes
from loyalty.ledger.holdings import reserve_ids
from loyalty.models import Member, TierCause
from loyalty.services import vouchers

if TYPE_CHECKING:
    from datetime import datetime

    from activities.services.interactions import Interact
    from loyalty.engine import interactions
    from loyalty.engine.facts import Budget, Decision, Offer
    from loyalty.engine.programme import Programme
    from loyalty.ledger.holdings import Holdings

_TRIES = 4
_BEFORE_MEMBERS = frozenset({Verdict.OTHER_CONTEXT, Verdict.NOT_ACTIVE})
_NOT_ACTIVE = {
    Reason.DISABLED: ("disabled", "The campaign is disabled."),
    Reason.NOT_STARTED: ("not_started", "The campaign has not started."),
    Reason.ENDED: ("ended", "The campaign is over."),
    Reason.OUTSIDE_SCHEDULE: (
        "outside_schedule",
        "The campaign is not open on this weekday or at this time of day.",
    ),
}


def interact(
    program_id: int,
    command: Interact,
    *,
    now: datetime,
    random_source: Callable[[], int] = random_seed,
) -> Interacted:
    """Carry out an interaction; return what it gave.

    Args:
        program_id: the program that campaign and member belong to.
        command: who interacts with what.
        now: aware; the moment of the interaction.
        random_source: returns numbers of 128 bits for the draw.

    A key that stands for the same interaction answers with it, whatever has become
    of the campaign since. Locks the configuration (shared), the member, the stock of
    voucher codes and at the end the usage of budgets.

    Raises:
        ProgramDisabled, UnknownCampaign, UnknownMember, BlockedMember, KeyReused,
        CampaignNotActive, NotInAudience, CampaignFullyRedeemed, InsufficientPoints:
        nothing was written, and the key is free.
    """
    locks_usage = False
    # One for all tries: nobody draws twice because others were quicker.
    seed = random_source()
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _interact(program_id, command, now, seed, locks_usage)
        except budgets.Overtaken:
            if not tries_left:
                raise
            locks_usage = True
        except (IntegrityError, OperationalError):
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _interact(
    program_id: int,
    command: Interact,
    now: datetime,
    seed: int,
    locks_usage: bool,  # noqa: FBT001 (what the try before found out)
) -> Interacted:
    programme = programme_for_update(program_id)
    if not programme.is_enabled:
        raise ProgramDisabled("This program is disabled.")
    ledger.lock_members([command.member_id])
    standing = _standing(program_id, command)
    if standing is not None:
        return standing
    campaign = _campaign_of(programme, command.campaign_id)
    member = _member_of(program_id, command.member_id)

    holdings = ledger.holdings_of([command.member_id])
    history = _history_of(programme, command.member_id, campaign, holdings, now)
    limits: dict[int, Budget] = {}
    offers = [campaign, *campaign.methods]
    gathering.load_limits(limits, offers, lock=True, locks_usage=locks_usage)
    case = Case(
        ActivityFacts(now, 0, seed=seed),
        history,
        segments_at(history, now),
        tier_at(history.tier_timeline, now),
        programme.rules,
        limits,
    )
    wallet_ids = {one.cost_wallet_id for one in offers if one.cost_wallet_id}
    at_hand = ledger.spendable(holdings, wallet_ids, now) if wallet_ids else {}

    outcome = decide_interaction(campaign, case, at_hand)

    # Whether there is anything to interact with is told before who may.
    if member.is_blocked and outcome.verdict not in _BEFORE_MEMBERS:
        raise BlockedMember(f"Member {member.pk} is blocked.", field="member")
    if outcome.verdict is Verdict.MEMBER_HAD_ALL:
        return Interacted(None, is_fully_redeemed=True)
    if outcome.decision is None:
        _refuse(outcome, at_hand)
    interaction_id = _apply(programme, command, outcome, holdings, now, locks_usage)
    return Interacted(
        interaction_id,
        decision=outcome.decision,
        rewards=rewards_of(Interaction.objects.get(pk=interaction_id)),
    )


def _standing(program_id: int, command: Interact) -> Interacted | None:
    """Return what the command's key stands for; None if it is free."""
    if not command.key:
        return None
    rows = Interaction.objects.filter(
        program=program_id, source=command.source, key=command.key
    )
    row = rows.first()
    if row is None:
        return None
    differing = [
        name
        for name, stored, asked in (
            ("campaign", row.campaign_id, command.campaign_id),
            ("member", row.member_id, command.member_id),
        )
        if stored != asked
    ]
    if differing:
        raise KeyReused(
            f"The key “{command.key}” was used for another request. "
            f"It differs in: {', '.join(differing)}.",
            field="key",
            differing=differing,
        )
    return Interacted(row.pk, is_replay=True, rewards=rewards_of(row))


def _campaign_of(programme: Programme, campaign_id: int) -> Offer:
    for campaign in programme.campaigns:
        if campaign.id == campaign_id:
            return campaign
    raise UnknownCampaign(f"There is no campaign {campaign_id}.", field="campaign")


def _member_of(program_id: int, member_id: int) -> Member:
    member = Member.objects.filter(program=program_id, pk=member_id).first()
    if member is None:
        raise UnknownMember(f"There is no member {member_id}.", field="member")
    return member


def _history_of(
    programme: Programme,
    member_id: int,
    campaign: Offer,
    holdings: Holdings,
    now: datetime,
) -> MemberHistory:
    history = MemberHistory(member_id=member_id)
    history.score = sum(
        holding.lifetime_earned
        for (_, wallet_id), holding in holdings.items()
        if wallet_id in programme.scoring_wallet_ids
    )
    load_standings(programme, {member_id: history})
    gathering.load_completions(
        {member_id: history},
        [(member_id, offer, now) for offer in (campaign, *campaign.methods)],
        programme.rules.clock,
    )
    return history


def _refuse(
    outcome: interactions.Interaction, at_hand: dict[int, int | None]
) -> NoReturn:
    why = None if outcome.rejection is None else outcome.rejection.reason
    if outcome.verdict is Verdict.OTHER_CONTEXT:
        raise CampaignNotActive(
            "Members cannot interact with this campaign.", reason="other_context"
        )
    if outcome.verdict is Verdict.NOT_ACTIVE and why is not None:
        reason, sentence = _NOT_ACTIVE[why]
        raise CampaignNotActive(sentence, reason=reason)
    if outcome.verdict is Verdict.FULLY_REDEEMED:
        raise CampaignFullyRedeemed("The campaign has nothing left to give.")
    if outcome.missing is not None:
        price, available = outcome.missing, at_hand[outcome.missing.wallet_id]
        raise ledger.InsufficientPoints(
            f"{price.amount} points are needed, {available} can be spent.",
            available=available,
            needed=price.amount,
        )
    raise NotInAudience(
        "The campaign is for other members.",
        reason="" if why is None else why.value,
    )


def _apply(
    programme: Programme,
    command: Interact,
    outcome: interactions.Interaction,
    holdings: Holdings,
    now: datetime,
    locks_usage: bool,  # noqa: FBT001 (as above)
) -> int:
    """Write the interaction and everything that it gives; return its number."""
    decision = outcome.decision
    if decision is None:
        raise AssertionError("Nothing was decided.")
    program_id, member_id = programme.program_id, command.member_id
    (interaction_id,) = reserve_ids("activities_activity", 1)
    Interaction.objects.create(
        id=interaction_id,
        program_id=program_id,
        campaign_id=command.campaign_id,
        member_id=member_id,
        source=command.source,
        key=command.key,
        mode=command.mode,
        actor=command.actor,
        occurred_at=now,
        decision=_record(decision, outcome, programme),
    )
    ledger.charge(
        [
            ledger.Charge(
                program_id,
                member_id,
                price.wallet_id,
                price.amount,
                command.campaign_id,
                interaction_id,
            )
            for price in outcome.prices
        ],
        holdings,
        at=now,
    )
    _give(programme, member_id, interaction_id, decision, holdings, now)
    note_moved(programme, [member_id])
    budgets.take(decision.awards, programme.offers, is_locked=locks_usage)
    return interaction_id


def _record(
    decision: Decision, outcome: interactions.Interaction, programme: Programme
) -> dict[str, object]:
    record = record_of(decision, programme)
    if decision.tier_change is not None:
        change = decision.tier_change
        record["tier_change"]["since"] = change.since.isoformat()
    record["prices"] = [
        {"wallet": programme.wallet_codes[one.wallet_id], "points": one.amount}
        for one in outcome.prices
    ]
    return record


def _give(
    programme: Programme,
    member_id: int,
    interaction_id: int,
    decision: Decision,
    holdings: Holdings,
    now: datetime,
) -> None:
    ledger.post_awards(
        programme,
        [
            ledger.AwardPosting(
                member_id,
                award.offer.wallet,
                award.points,
                award.offer.bucket.value,
                award.offer.id,
                award.business_unit_id,
                interaction_id,
                now,
            )
            for award in decision.awards
            if award.points
        ],
        holdings,
        now,
    )
    ledger.post_completions(
        (member_id, one.offer_id, now, one.is_paid, interaction_id)
        for one in decision.counted
    )
    vouchers.issue(
        [
            vouchers.Order(
                programme.program_id,
                award.offer.voucher_type_id,
                member_id,
                award.offer.id,
                interaction_id,
                now,
            )
            for award in decision.awards
            if award.offer.voucher_type_id is not None
        ],
        now=now,
    )
    drawn = [draws.Drawn(member_id, interaction_id, now, one) for one in decision.draws]
    draws.write(programme.program_id, drawn, now)
    change = decision.tier_change
    if change is not None:
        post_tier_changes(
            [
                (
                    member_id,
                    change.tier_id,
                    change.since,
                    TierCause.THRESHOLD.value,
                    change.score,
                    interaction_id,
                )
            ],
            {member_id: change.tier_id},
        )
