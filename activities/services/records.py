"""The decision record: what is kept of a decision, so that it can be explained.

Shape (version 1)::

    {"v": 1, "revision": 12, "tier": 3, "segments": [4], "score": 1200,
     "awards": [{"offer": 7, "kind": "campaign", "bucket": "bonus",
                 "wallet": "loyalty", "unit": "grocery", "points": 10,
                 "rate": 1, "per": 10000, "asked": 12, ...operands}],
     "rejections": [{"offer": 8, "reason": "cap_reached", "cap": 1, "used": 1,
                     "from": "...", "until": "..."}],
     "tier_change": {"tier": 4, "since": "...", "score": 2000}}

``rate`` points for every ``per`` of the value, in 1/10,000, or of ``of``, the value
of the items that count; ``times`` the base points, in 1/10,000; none of them where
the points are fixed. A reward method names its ``campaign``; ``voucher`` is the code
of the type that was given, ``blank`` a draw's end without a prize. ``draws`` tells
the random number, the candidates with their weights, the ticket and the winner.
``asked`` stands only where a limit clipped the award,
``decimals`` only where the wallet has some: points are in its smallest unit.
``tier``, ``segments`` and ``score`` are what held before; scores are points, a
fraction as decimal text. Where the caller said how
many points the activity is worth, ``given`` tells it and ``by_rule`` what the
type's own rule would have paid. ``converted`` stands where the activity came in another
currency than the program's: the rate and the value (in 1/10,000) that the rules saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from loyalty.engine.facts import RewardKind
from loyalty.engine.money import rate_text
from loyalty.engine.tiers import score_told

if TYPE_CHECKING:
    from loyalty.engine.decisions import Award, Decision, Rejection
    from loyalty.engine.facts import Offer
    from loyalty.engine.programme import Programme

_PER_VALUE = frozenset({RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE})
# Operands that are amounts of points.
_AMOUNTS = frozenset({"points_budget", "left", "by_rule"})


def record_of(decision: Decision, programme: Programme) -> dict[str, Any]:
    """Return the decision record as a value that JSON can hold."""
    record: dict[str, Any] = {
        "v": 1,
        "revision": programme.revision,
        "tier": decision.tier_id,
        "segments": decision.segment_ids,
        "score": score_told(decision.score_before),
        "awards": [_award(award, programme) for award in decision.awards],
        "rejections": [_rejection(one) for one in decision.rejections],
    }
    if decision.given_points is not None:
        record["given"] = decision.given_points
    if decision.converted is not None:
        told = decision.converted
        record["converted"] = {
            "currency": told.currency,
            "into": told.into,
            "rate": rate_text(told.scaled),
            "value": told.units,
        }
    if decision.draws:
        record["draws"] = [
            {
                "campaign": draw.campaign_id,
                "seed": f"{draw.seed:032x}",
                "candidates": draw.candidates,
                "ticket": draw.ticket,
                "winner": draw.winner_id,
            }
            for draw in decision.draws
        ]
    change = decision.tier_change
    if change is not None:
        record["tier_change"] = {
            "tier": change.tier_id,
            "since": change.since,
            "score": score_told(change.score),
        }
    return record


def json_of(decision: Decision, programme: Programme) -> str:
    """Return the decision record as JSON text."""
    return text_of(record_of(decision, programme))


def text_of(record: dict[str, Any]) -> str:
    """Return a record as JSON text; moments are in UTC, with Z."""
    return orjson.dumps(record, option=orjson.OPT_UTC_Z).decode()


def _award(award: Award, programme: Programme) -> dict[str, Any]:
    offer = award.offer
    unit_id = award.business_unit_id
    record = {
        "offer": offer.id,
        "kind": offer.kind.value,
        "bucket": offer.bucket.value,
        "wallet": offer.wallet.code,
        "unit": None if unit_id is None else programme.unit_codes[unit_id],
        "points": award.points,
    }
    if offer.reward in _PER_VALUE:
        record["rate"] = offer.points
        record["per"] = offer.per_units
    elif offer.reward is RewardKind.MULTIPLIER:
        record["times"] = offer.multiplier
    if offer.campaign_id is not None:
        record["campaign"] = offer.campaign_id
    if offer.gives_no_points:
        record |= _without_points(offer, programme)
    if offer.wallet.decimals:
        record["decimals"] = offer.wallet.decimals
    if award.asked != award.points:
        record["asked"] = award.asked
    if award.operands:
        record.update(award.operands)
    return record


def _without_points(offer: Offer, programme: Programme) -> dict[str, Any]:
    if offer.voucher_type_id is None:
        return {"blank": True}
    return {"voucher": programme.voucher_types[offer.voucher_type_id]}


def _rejection(rejection: Rejection) -> dict[str, Any]:
    record: dict[str, Any] = {
        "offer": rejection.offer.id,
        "reason": rejection.reason.value,
    }
    if rejection.operands:
        if rejection.offer.wallet.decimals and not _AMOUNTS.isdisjoint(
            rejection.operands
        ):
            record["decimals"] = rejection.offer.wallet.decimals
        record.update(rejection.operands)
    return record
