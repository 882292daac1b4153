"""The configuration that a backtest or a simulation tries: today's, with drafts live.

Nothing but the switch and, if asked for, the dates of the campaigns under test are
changed; their rules are the ones that stand in the database.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from campaigns.services.programme import current_programme
from loyalty.engine.programme import is_for_activities
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from loyalty.engine.facts import Offer
    from loyalty.engine.programme import Programme


class UnknownTrial(LoyaltyError):
    """A campaign to be tried out is not one of the program's."""

    code = "unknown_trial"


class Span(NamedTuple):
    """A period: ``starts_at`` is inside, ``ends_at`` is not."""

    starts_at: datetime
    ends_at: datetime


def trial_programme(
    program_id: int, campaign_ids: Collection[int], span: Span | None = None
) -> Programme:
    """Return the program as it stands now with some campaigns enabled.

    With ``span`` they run over all of it, whatever their own dates are.

    Raises:
        UnknownTrial: the program has no such campaign.
    """
    programme = current_programme(program_id)
    tried = frozenset(campaign_ids)
    known = {offer.id for offer in programme.campaigns}
    for unknown in sorted(tried - known):
        raise UnknownTrial(f"There is no campaign {unknown}.", field="with_campaigns")
    if not tried:
        return programme
    return programme.with_campaigns(
        _tried(offer, span) if offer.id in tried else offer
        for offer in programme.campaigns
    )


def _tried(campaign: Offer, span: Span | None) -> Offer:
    if span is None:
        return replace(campaign, is_enabled=True)
    methods = tuple(
        replace(one, starts_at=span.starts_at, ends_at=span.ends_at)
        for one in campaign.methods
    )
    return replace(
        campaign,
        is_enabled=True,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        methods=methods,
    )


def within(programme: Programme, span: Span) -> Programme:
    """Return the program without the campaigns that nothing in ``span`` can set off.

    What it decides about activities in ``span`` is the same, and it asks for less.
    """
    return programme.with_campaigns(
        offer
        for offer in programme.campaigns
        if offer.is_enabled
        and is_for_activities(offer)
        and offer.starts_at < span.ends_at
        and offer.ends_at > span.starts_at
    )


def reachable_offers(programme: Programme) -> Iterator[Offer]:
    """Yield every offer that activities can set off, reward methods included."""
    for rule in programme.types.values():
        yield rule.offer
    for campaign in programme.campaigns:
        if campaign.is_enabled and is_for_activities(campaign):
            yield campaign
            yield from campaign.methods
    for quest in programme.quests:
        if quest.offer.is_enabled:
            yield quest.offer


def limited_offers(programme: Programme) -> dict[int, Offer]:
    """Return the reachable offers that a total over all members limits, by number."""
    return {
        offer.id: offer
        for offer in reachable_offers(programme)
        if offer.has_budget or offer.takes_codes
    }


def shares_limits(programme: Programme, span: Span) -> bool:
    """Return whether members can take something from each other within ``span``."""
    return any(
        offer.starts_at < span.ends_at and offer.ends_at > span.starts_at
        for offer in limited_offers(programme).values()
    )
