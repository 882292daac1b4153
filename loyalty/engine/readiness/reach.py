"""Rules that cannot be reached: conditions that nothing and nobody can meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.engine.facts import RewardKind
from loyalty.engine.readiness.hours import opens_within_dates
from loyalty.engine.readiness.subject import (
    Finding,
    Severity,
    Subject,
    counted,
    listed,
    meet,
    money,
)
from loyalty.engine.tiers import score_told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from loyalty.engine.facts import Offer


def of_reach(subject: Subject) -> Iterator[Finding]:
    """Yield why the campaign, whatever happens, pays nobody or not all it seems to."""
    yield from _of_time(subject)
    yield from _of_types(subject)
    yield from _of_places(subject)
    yield from _of_products(subject, subject.campaign)
    yield from _of_audience(subject)
    yield from _of_segments(subject)


def _of_time(subject: Subject) -> Iterator[Finding]:
    campaign, now = subject.campaign, subject.known.now
    low, high = campaign.minimum_units, campaign.maximum_units
    if campaign.starts_at >= campaign.ends_at:
        text = "Its dates and those of its group never overlap: it pays nobody."
        yield Finding(Severity.STOP, "group_dates_never_meet", text, "group")
    elif campaign.ends_at <= now:
        last = subject.last_day(campaign.ends_at)
        text = f"Its last day was {last}: nobody earns from it."
        yield Finding(Severity.STOP, "over", text, "ends_at")
    elif not opens_within_dates(campaign, subject.programme.rules.clock):
        text = (
            "Its weekdays and hours do not come between "
            f"{subject.day(campaign.starts_at)} and "
            f"{subject.last_day(campaign.ends_at)}: it never opens."
        )
        yield Finding(Severity.STOP, "never_open", text, "weekdays")
    if low is not None and high is not None and low > high:
        text = f"No value is at least {money(low)} and at most {money(high)}."
        yield Finding(Severity.STOP, "no_value_fits", text, "minimum_value")


def _of_types(subject: Subject) -> Iterator[Finding]:
    if not subject.by_activities:
        return
    campaign = subject.campaign
    types = subject.types()
    if not types:
        text = "The program has no activity type that sets it off."
        yield Finding(Severity.STOP, "no_type", text, "activity_types")
        return
    closed = [one for one in types if not one.is_enabled or not meet(one, campaign)]
    if closed and (campaign.activity_type_ids or len(closed) == len(types)):
        yield Finding(
            *_all_or_some(closed, types, "type_closed"),
            f"{_names(subject, closed)} {_are(closed)} disabled or not live while it "
            "runs: such activities earn nothing.",
            "activity_types",
        )
    idle = [one for one in types if one not in closed and not _pays(one)]
    if idle and any(one.reward is RewardKind.MULTIPLIER for one in subject.gives):
        yield Finding(
            *_all_or_some(idle, types, "no_base_to_multiply"),
            f"{_names(subject, idle)} {_pay(idle)} no base points, and a multiple of "
            "nothing is nothing.",
            "activity_types",
        )


def _of_places(subject: Subject) -> Iterator[Finding]:
    campaign, programme = subject.campaign, subject.programme
    units = {unit.id: unit for unit in programme.units.values()}
    asked = set(campaign.business_unit_ids)
    if campaign.business_unit_id is not None:
        asked.add(campaign.business_unit_id)
    closed = sorted(
        units[one].name for one in asked if one in units and not units[one].is_enabled
    )
    if closed:
        severity, code = _all_or_some(closed, asked, "unit_disabled")
        text = (
            f"{listed(closed)} {_are(closed)} disabled: no activities come from there."
        )
        yield Finding(severity, code, text, "business_unit")
    channels = {one.id: one for one in programme.channels.values()}
    shut = sorted(
        channels[one].code
        for one in campaign.channel_ids
        if one in channels and not channels[one].is_enabled
    )
    if shut:
        severity, code = _all_or_some(shut, campaign.channel_ids, "channel_disabled")
        text = f"{listed(shut)} {_are(shut)} disabled: no activities come through."
        yield Finding(severity, code, text, "channels")


def _of_products(subject: Subject, offer: Offer) -> Iterator[Finding]:
    known = subject.known
    if offer.item_list_id is not None and not known.list_sizes.get(offer.item_list_id):
        name = known.lists.get(offer.item_list_id, offer.item_list_id)
        text = f"The product list “{name}” is empty, so no basket matches it."
        yield Finding(Severity.STOP, "list_empty", text, "item_list")
    yield from of_groups(subject, offer, Severity.STOP)


def of_groups(subject: Subject, offer: Offer, severity: Severity) -> Iterator[Finding]:
    """Yield which groups of products can hardly or never be in a basket."""
    known = subject.known
    for group in (*offer.qualify, *([offer.redeem] if offer.redeem else [])):
        if group.excludes:
            continue
        field = "redeem_group" if group == offer.redeem else "qualify_groups"
        size = known.list_sizes.get(group.list_id, 0)
        name = known.lists.get(group.list_id, group.list_id)
        if not size:
            text = (
                f"{subject.whom(offer)} asks for products of “{name}”, an empty list."
            )
            yield Finding(severity, "group_empty", text, field, offer.id)
        elif group.required > size:
            text = (
                f"{subject.whom(offer)} asks for {group.required:,} products of "
                f"“{name}”, which lists {size:,}: only baskets with several of one "
                "product qualify."
            )
            code = "group_asks_for_more_than_listed"
            yield Finding(Severity.LOOK, code, text, field, offer.id)


def _of_audience(subject: Subject) -> Iterator[Finding]:
    campaign, known = subject.campaign, subject.known
    threshold = campaign.minimum_tier_threshold
    if threshold is not None and known.tier_holders == 0:
        name = known.tiers.get(threshold, str(score_told(threshold)))
        text = f"No member holds tier {name} or a higher one yet."
        yield Finding(Severity.STOP, "tier_above_all", text, "minimum_tier")
    elif known.member_count and not known.audience and not _are_empty(subject):
        text = f"None of the {counted(known.member_count, 'member')} is let in now."
        yield Finding(Severity.STOP, "audience_empty", text, "included_segments")


def _are_empty(subject: Subject) -> bool:
    """Return whether nobody is in any segment that it is for: said on its own."""
    sizes = subject.known.segment_sizes
    wanted = subject.campaign.segments
    return bool(wanted) and not any(sizes.get(one) for one in wanted)


def _of_segments(subject: Subject) -> Iterator[Finding]:
    campaign, known = subject.campaign, subject.known
    included, excluded = campaign.segments, campaign.excluded_segments
    empty = [one for one in sorted(included) if not known.segment_sizes.get(one)]
    if empty:
        severity = Severity.STOP if len(empty) == len(included) else Severity.LOOK
        names = listed([f"“{known.segments.get(one, one)}”" for one in empty])
        text = f"Nobody is in {names} now."
        yield Finding(severity, "segment_empty", text, "included_segments")
    swallowed = {
        inner: outer
        for inner in sorted(included - set(empty))
        for outer in sorted(excluded)
        if inner == outer or (inner, outer) in known.within
    }
    for inner, outer in swallowed.items():
        is_all = len(swallowed) + len(empty) == len(included)
        text = (
            f"Everybody in “{known.segments.get(inner, inner)}” is also in "
            f"“{known.segments.get(outer, outer)}”, which is left out."
        )
        severity = Severity.STOP if is_all else Severity.LOOK
        yield Finding(severity, "segment_left_out", text, "excluded_segments")


def _pays(offer: Offer) -> bool:
    return offer.reward is not RewardKind.NOTHING and offer.points > 0


def _all_or_some(
    some: Collection[object], every: Collection[object], code: str
) -> tuple[Severity, str]:
    return (Severity.STOP if len(some) == len(every) else Severity.LOOK, code)


def _names(subject: Subject, offers: Collection[Offer]) -> str:
    return listed([subject.name(one) for one in offers])


def _are(some: Collection[object]) -> str:
    return "is" if len(some) == 1 else "are"


def _pay(some: Collection[object]) -> str:
    return "pays" if len(some) == 1 else "pay"
