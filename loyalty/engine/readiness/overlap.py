"""Other campaigns that one activity could meet as well, and who wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from loyalty.engine.programme import is_for_activities, order_of_evaluation
from loyalty.engine.readiness.hours import ever_open_together
from loyalty.engine.readiness.subject import Finding, Severity, Subject, listed, meet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.engine.facts import Offer

_Key = TypeVar("_Key")


def of_overlap(subject: Subject) -> Iterator[Finding]:
    """Yield which live and scheduled campaigns overlap with this one."""
    if not subject.by_activities:
        return
    campaign = subject.campaign
    beside = overlapping(subject)
    stacking = [one for one in beside if not _are_exclusive(campaign, one)]
    if stacking:
        every = "both" if len(stacking) == 1 else "all of them"
        text = (
            f"It stacks with {listed([subject.name(one) for one in stacking])}: one "
            f"activity can earn from {every}."
        )
        yield Finding(Severity.LOOK, "stacks", text, "exclusive_group")
    rivals = [one for one in beside if _are_exclusive(campaign, one)]
    before = [one for one in rivals if _is_before(one, campaign)]
    after = [one for one in rivals if one not in before]
    group = f"Of the group “{campaign.exclusive_group}”"
    if before:
        text = (
            f"{group}, {listed([subject.name(one) for one in before])} "
            f"{'is' if len(before) == 1 else 'are'} decided first; this one pays only "
            f"what {'it leaves' if len(before) == 1 else 'they leave'}."
        )
        yield Finding(Severity.LOOK, "decided_after", text, "priority")
    if after:
        text = (
            f"{group}, this one is decided before "
            f"{listed([subject.name(one) for one in after])}."
        )
        yield Finding(Severity.KNOW, "decided_before", text, "priority")
    for one in before:
        if _always_pays_where(one, campaign):
            text = (
                f"{subject.name(one)} of the same group comes first and pays whenever "
                "this one could: this one never does."
            )
            yield Finding(Severity.STOP, "always_loses", text, "priority")


def overlapping(subject: Subject) -> list[Offer]:
    """Return the enabled campaigns that one activity could meet with this one."""
    campaign, now = subject.campaign, subject.known.now
    found = [
        one
        for one in subject.programme.campaigns
        if one.id != campaign.id
        and one.is_enabled
        and is_for_activities(one)
        and one.ends_at > now
        and _could_meet(campaign, one)
    ]
    return sorted(found, key=order_of_evaluation)


def _could_meet(one: Offer, other: Offer) -> bool:
    return (
        meet(one, other)
        and _share(one.activity_type_ids, other.activity_type_ids)
        and _share(one.channel_ids, other.channel_ids)
        and _share(_units(one), _units(other))
        and _share(one.currencies, other.currencies)
        and _share(one.segments, other.segments)
        and not (one.segments and one.segments <= other.excluded_segments)
        and not (other.segments and other.segments <= one.excluded_segments)
        and (None in {one.item_list_id, other.item_list_id} or _same_list(one, other))
        and _values_meet(one, other)
        and ever_open_together(one.schedule, other.schedule)
    )


def _are_exclusive(one: Offer, other: Offer) -> bool:
    return bool(one.exclusive_group) and one.exclusive_group == other.exclusive_group


def _is_before(one: Offer, other: Offer) -> bool:
    return order_of_evaluation(one) < order_of_evaluation(other)


def _always_pays_where(one: Offer, other: Offer) -> bool:
    """Return whether ``one`` surely pays every activity that ``other`` could."""
    has_limits = one.has_budget or one.counts_completions or one.holdout is not None
    return (
        not has_limits
        and one.pays_the_same
        and one.points > 0
        and one.starts_at <= other.starts_at
        and one.ends_at >= other.ends_at
        and _covers(one.activity_type_ids, other.activity_type_ids)
        and _covers(one.channel_ids, other.channel_ids)
        and _covers(_units(one), _units(other))
        and _covers(one.segments, other.segments)
        and one.excluded_segments <= other.excluded_segments
        and not (one.qualify or one.redeem or one.schedule or one.currencies)
        and one.item_list_id in {None, other.item_list_id}
        and one.context in {"activity", other.context}
        and (one.minimum_tier_threshold or -1) <= (other.minimum_tier_threshold or -1)
        and (one.minimum_units or 0) <= (other.minimum_units or 0)
        and one.maximum_units in {None, other.maximum_units}
    )


def _share(one: frozenset[_Key], other: frozenset[_Key]) -> bool:
    """Return whether two conditions can hold at once; an empty one always does."""
    return not one or not other or not one.isdisjoint(other)


def _covers(one: frozenset[int], other: frozenset[int]) -> bool:
    return not one or (bool(other) and other <= one)


def _units(offer: Offer) -> frozenset[int]:
    if offer.business_unit_id is not None:
        return frozenset({offer.business_unit_id})
    return offer.business_unit_ids


def _same_list(one: Offer, other: Offer) -> bool:
    return one.item_list_id == other.item_list_id


def _values_meet(one: Offer, other: Offer) -> bool:
    low = max(one.minimum_units or 0, other.minimum_units or 0)
    highs = [one.maximum_units, other.maximum_units]
    return all(high is None or low <= high for high in highs)
