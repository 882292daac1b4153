"""The interaction use case: the only way in which a member interacts with a campaign.

Everything happens in one transaction, with the member locked: the price is paid, what
was decided is given, the draw is kept. A refusal leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from django.db import IntegrityError, OperationalError, transaction

from activities.models import Interaction
from activities.services import gathering, giving
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
from activities.services.rewards import rewards_given, rewards_of
from activities.services.standing import load_standings
from campaigns.services import budgets
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.engine.decisions import Reason
from loyalty.engine.evaluation import segments_at
from loyalty.engine.facts import ActivityFacts, MemberHistory, OfferKind
from loyalty.engine.interactions import Verdict, decide_interaction
from loyalty.engine.rewards import Case
from loyalty.engine.tiers import tier_at
from loyalty.models import Member

if TYPE_CHECKING:
    from datetime import datetime

    from activities.services.interactions import Interact
    from loyalty.engine import interactions
    from loyalty.engine.facts import Budget, Offer
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
        nothing was written, and the key is free. Of points that are missing,
        ``facts`` name the wallet and count its smallest unit.
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
    is_blocked = _lock_member(program_id, command.member_id)
    standing = _standing(program_id, command)
    if standing is not None:
        return standing
    campaign = _campaign_of(programme, command.campaign_id)
    if is_blocked is None:
        raise UnknownMember(f"There is no member {command.member_id}.", field="member")

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
    purse = ledger.Purse(programme, command.member_id, holdings, wallet_ids, now)
    at_hand = purse.spendable()

    outcome = decide_interaction(campaign, case, at_hand)

    # Whether there is anything to interact with is told before who may.
    if is_blocked and outcome.verdict not in _BEFORE_MEMBERS:
        raise BlockedMember(f"Member {command.member_id} is blocked.", field="member")
    if outcome.verdict is Verdict.MEMBER_HAD_ALL:
        return Interacted(None, is_fully_redeemed=True)
    if outcome.decision is None:
        _refuse(outcome, at_hand, programme)
    decision = outcome.decision
    gift = giving.Gift(programme, command, decision, outcome.prices, now)
    interaction_id, given = giving.give(gift, purse, holdings)
    budgets.take(decision.awards, programme.offers, is_locked=locks_usage)
    rewards = rewards_given(decision.awards, given)
    return Interacted(interaction_id, decision=decision, rewards=rewards)


def _lock_member(program_id: int, member_id: int) -> bool | None:
    """Lock the member; return whether it is blocked, None if there is none."""
    rows = Member.objects.filter(program=program_id, pk=member_id)
    locked = rows.select_for_update(no_key=True).values_list("is_blocked", flat=True)
    return next(iter(locked), None)


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
    campaign = programme.offers.get(campaign_id)
    if campaign is None or campaign.kind is not OfferKind.CAMPAIGN:
        raise UnknownCampaign(f"There is no campaign {campaign_id}.", field="campaign")
    return campaign


def _history_of(
    programme: Programme,
    member_id: int,
    campaign: Offer,
    holdings: Holdings,
    now: datetime,
) -> MemberHistory:
    history = MemberHistory(member_id=member_id)
    history.score = sum(
        holding.lifetime_earned * programme.scoring_wallets[wallet_id]
        for (_, wallet_id), holding in holdings.items()
        if wallet_id in programme.scoring_wallets
    )
    load_standings(programme, {member_id: history})
    gathering.load_completions(
        {member_id: history},
        [(member_id, offer, now) for offer in (campaign, *campaign.methods)],
        programme.rules.clock,
    )
    return history


def _refuse(
    outcome: interactions.Interaction,
    at_hand: dict[int, int | None],
    programme: Programme,
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
            "The member has fewer points than this costs.",
            wallet=programme.wallet_codes[price.wallet_id],
            available=available,
            needed=price.amount,
        )
    raise NotInAudience(
        "The campaign is for other members.",
        reason="" if why is None else why.value,
    )
