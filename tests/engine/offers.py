"""Offers and activities for tests of the engine, with defaults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from loyalty.engine.facts import (
    ActivityFacts,
    Bucket,
    Clock,
    MemberHistory,
    Offer,
    OfferKind,
    RewardKind,
    Rules,
    Wallet,
)

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
POINTS = Wallet(id=1, code="loyalty")
RULES = Rules(Clock(UTC))

_numbers = count(1000)


def offer(**fields: Any) -> Offer:
    """Return a campaign that pays 10 points to everyone, always."""
    defaults: dict[str, Any] = {
        "id": next(_numbers),
        "kind": OfferKind.CAMPAIGN,
        "bucket": Bucket.BONUS,
        "wallet": POINTS,
        "points": 10,
    }
    return Offer(**{**defaults, **fields})


def base(**fields: Any) -> Offer:
    """Return the rule of an activity type: 1 point per whole unit of value."""
    defaults: dict[str, Any] = {
        "id": 1,
        "kind": OfferKind.ACTIVITY_TYPE,
        "bucket": Bucket.BASE,
        "reward": RewardKind.PER_VALUE,
        "points": 1,
    }
    return offer(**{**defaults, **fields})


def activity(**fields: Any) -> ActivityFacts:
    """Return an activity of type 1 on a Wednesday noon, worth 12.50."""
    defaults: dict[str, Any] = {
        "occurred_at": NOON,
        "activity_type_id": 1,
        "units": 125_000,
    }
    return ActivityFacts(**{**defaults, **fields})


def anyone(**fields: Any) -> MemberHistory:
    """Return a known member without a past."""
    return MemberHistory(**fields)


def method(**fields: Any) -> Offer:
    """Return a reward method that gives 10 points; ``composed`` names its campaign."""
    return offer(**{"kind": OfferKind.REWARD_METHOD, "campaign_id": 0, **fields})


def composed(*methods: Offer, **fields: Any) -> Offer:
    """Return a campaign that gives what its methods give."""
    campaign = offer(**{"reward": RewardKind.METHODS, **fields})
    own = tuple(replace(one, campaign_id=campaign.id) for one in methods)
    return replace(campaign, methods=own)
