"""Rows of offers, compiled into what the engine sees of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING
from typing import TYPE_CHECKING, Any

from campaigns.models import (
    AssignedGroup,
    BudgetPolicy,
    Campaign,
    Context,
    Handling,
    OptInMode,
    Quest,
    QuestRequirement,
    QuestStatus,
    RewardMethod,
)
from loyalty.engine import facts
from loyalty.engine.holdout import Holdout
from loyalty.engine.periods import Unit
from loyalty.engine.points import ExpiryModel, ExpiryRule, Rounding
from loyalty.engine.quests import Measure, Requirement
from loyalty.engine.quests import Quest as QuestRule
from loyalty.models import CodeSource, SegmentMode, VoucherType

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import QuerySet

    from loyalty.models import ActivityType, Offer, Program, Wallet


@dataclass(frozen=True)
class Vocabulary:
    """What offers refer to, by number, as the engine sees it."""

    wallets: dict[int, facts.Wallet]
    thresholds: dict[int, int]
    groups: dict[int, facts.ItemGroup]
    listed_voucher_types: frozenset[int] = frozenset()
    voucher_ends: dict[int, datetime] = field(default_factory=dict)


def vocabulary_of(
    program: Program, wallets: dict[int, facts.Wallet], thresholds: dict[int, int]
) -> Vocabulary:
    """Return what the offers of ``program`` refer to."""
    kinds = list(VoucherType.objects.filter(program=program))
    return Vocabulary(
        wallets,
        thresholds,
        {
            group.pk: facts.ItemGroup(
                group.item_list_id, group.required_matches, group.excludes_matches
            )
            for group in AssignedGroup.objects.filter(program=program)
        },
        frozenset(one.pk for one in kinds if one.codes == CodeSource.LISTED),
        {one.pk: one.expires_at for one in kinds if one.expires_at is not None},
    )


def campaign_offers(
    campaigns: QuerySet[Campaign], known: Vocabulary
) -> list[facts.Offer]:
    """Return what the engine sees of ``campaigns``, with methods and links."""
    rows = list(campaigns.select_related("frequency_period", "group"))
    ids = [row.pk for row in rows]
    methods: dict[int, list[RewardMethod]] = defaultdict(list)
    asked = RewardMethod.objects.filter(parent__in=ids)
    for method in asked.select_related("frequency_period").order_by("pk"):
        methods[method.parent_id].append(method)
    links = _Links(Campaign, ids, "campaign_id")
    of_methods = _Links(
        RewardMethod, [one.pk for some in methods.values() for one in some]
    )
    offers = []
    for row in rows:
        campaign = _campaign_offer(row, known, links)
        given = tuple(
            _method_offer(method, row, campaign, known, of_methods)
            for method in methods[row.pk]
        )
        offers.append(replace(campaign, methods=given) if given else campaign)
    return offers


class _Links:
    """The many-to-many links of some offers, one query for each kind."""

    _COLUMNS = {
        "channels": "channel_id",
        "activity_types": "activitytype_id",
        "included_segments": "segment_id",
        "excluded_segments": "segment_id",
        "qualify_groups": "assignedgroup_id",
        "business_units": "businessunit_id",
    }

    def __init__(
        self, model: Any, owner_ids: list[int], owner: str = "rewardmethod_id"
    ) -> None:
        self._linked: dict[str, dict[int, set[int]]] = {
            name: _linked(getattr(model, name).through, column, owner_ids, owner)
            for name, column in self._COLUMNS.items()
            if owner_ids and hasattr(model, name)
        }

    def of(self, name: str, owner_id: int) -> frozenset[int]:
        return frozenset(self._linked.get(name, {}).get(owner_id, ()))


def quest_rules(quests: QuerySet[Quest], known: Vocabulary) -> tuple[QuestRule, ...]:
    """Return what the engine sees of ``quests``; archived ones are disabled."""
    rows = list(quests.select_related("frequency_period").order_by("pk"))
    ids = [row.pk for row in rows]
    requirements: dict[int, list[Requirement]] = defaultdict(list)
    asked = QuestRequirement.objects.filter(quest__in=ids)
    for row in asked.order_by("quest", "order", "pk"):
        requirements[row.quest_id].append(_requirement(row))
    links = _Links(Quest, ids, "quest_id")
    return tuple(
        _quest_rule(row, tuple(requirements[row.pk]), known, links) for row in rows
    )


def _requirement(row: QuestRequirement) -> Requirement:
    return Requirement(
        id=row.pk,
        activity_type_id=row.activity_type_id,
        threshold=int(row.value_threshold.scaleb(4)),
        measure=Measure(row.measure),
        restricted_to=frozenset(row.restricted_to_ids),
        interval_days=row.check_in_interval_days,
        order=row.order,
        description=row.description,
    )


def _quest_rule(
    row: Quest,
    requirements: tuple[Requirement, ...],
    known: Vocabulary,
    links: _Links,
) -> QuestRule:
    audience = _audience(row, links)
    common = _common(row, known)
    is_published = row.status == QuestStatus.PUBLISHED
    return QuestRule(
        offer=facts.Offer(
            **{
                **common,
                "is_enabled": row.is_enabled and is_published,
                # Limits of one activity; a quest has limits of its own.
                "cap": None,
                "required_attempts": 1,
            },
            **audience,
            kind=facts.OfferKind.QUEST,
            activity_type_ids=frozenset(one.activity_type_id for one in requirements),
            awards_budget=row.completions_total,
        ),
        requirements=requirements,
        is_automatic=row.opt_in_mode == OptInMode.AUTOMATIC,
        minutes_to_complete=row.time_to_complete_minutes,
        enforces_order=row.enforce_order,
        completions_per_member=row.completions_per_member,
    )


def type_offer(row: ActivityType, known: Vocabulary) -> facts.Offer:
    """Return the base offer of an activity type."""
    segment = frozenset(() if row.segment_id is None else (row.segment_id,))
    is_inclusion = row.segment_mode == SegmentMode.INCLUSION
    return facts.Offer(
        kind=facts.OfferKind.ACTIVITY_TYPE,
        bucket=facts.Bucket.BASE,
        segments=segment if is_inclusion else frozenset(),
        excluded_segments=frozenset() if is_inclusion else segment,
        **_common(row, known),
    )


def wallet_value(wallet: Wallet) -> facts.Wallet:
    """Return what the engine needs to know of a wallet."""
    model = ExpiryModel(wallet.expiry_model)
    return facts.Wallet(
        id=wallet.pk,
        code=wallet.code,
        decimals=wallet.decimals,
        rounding=Rounding(wallet.rounding),
        expiry=None
        if model is ExpiryModel.NEVER
        else ExpiryRule(model, wallet.expiry_count),
        pending_days=wallet.pending_days,
        counts_for_tier=wallet.counts_for_tier,
    )


def _campaign_offer(row: Campaign, known: Vocabulary, links: _Links) -> facts.Offer:
    decimals = known.wallets[row.wallet_id].decimals
    common = _common(row, known)
    if row.group is not None:
        common["starts_at"] = max(
            common["starts_at"], row.group.starts_at or facts.EVER
        )
        common["ends_at"] = min(common["ends_at"], row.group.ends_at or facts.NEVER)
    if row.context == Context.INTERACTION.value:
        # Each interaction is paid for, so each gives.
        common["required_attempts"] = 1
    return facts.Offer(
        kind=facts.OfferKind.CAMPAIGN,
        activity_type_ids=links.of("activity_types", row.pk),
        channel_ids=links.of("channels", row.pk),
        item_list_id=row.item_list_id,
        points_budget=_scaled(row.points_budget, decimals),
        awards_budget=row.awards_budget,
        clips_to_budget=row.budget_policy == BudgetPolicy.CLIP,
        priority=row.priority,
        exclusive_group=row.exclusive_group,
        context=row.context,
        draws=row.handling == Handling.RANDOM_DRAW
        and row.reward_method == facts.RewardKind.METHODS.value,
        holdout=_holdout(row),
        **_price(row.point_cost, row.point_cost_wallet_id, known),
        **_audience(row, links),
        **_restrictions(row, known, links),
        **common,
    )


def _holdout(row: Campaign) -> Holdout | None:
    if row.holdout_percent is None:
        return None
    return Holdout(row.holdout_salt, int(row.holdout_percent * 100))


def _method_offer(
    row: RewardMethod,
    campaign_row: Campaign,
    campaign: facts.Offer,
    known: Vocabulary,
    links: _Links,
) -> facts.Offer:
    audience = _audience(row, links)
    if campaign.bucket is facts.Bucket.TARGETED:
        audience["bucket"] = facts.Bucket.TARGETED
    common = _common(row, known)
    if row.business_unit_id is None:
        common["business_unit_id"] = campaign_row.business_unit_id
    group_id = row.redeem_group_id
    return facts.Offer(
        kind=facts.OfferKind.REWARD_METHOD,
        campaign_id=campaign.id,
        item_list_id=campaign.item_list_id,
        awards_budget=row.usage_limit,
        weight=row.weight,
        redeem=None if group_id is None else known.groups[group_id],
        distribution=facts.Distribution(row.distribution),
        **_price(row.usage_cost, row.usage_cost_wallet_id, known),
        **audience,
        **_restrictions(row, known, links),
        **common,
    )


def _audience(row: Campaign | Quest | RewardMethod, links: _Links) -> dict[str, Any]:
    segments = links.of("included_segments", row.pk)
    is_targeted = bool(segments) or row.minimum_tier_id is not None
    return {
        "bucket": facts.Bucket.TARGETED if is_targeted else facts.Bucket.BONUS,
        "segments": segments,
        "excluded_segments": links.of("excluded_segments", row.pk),
    }


def _restrictions(
    row: Campaign | RewardMethod, known: Vocabulary, links: _Links
) -> dict[str, Any]:
    groups = sorted(links.of("qualify_groups", row.pk))
    return {
        "business_unit_ids": links.of("business_units", row.pk),
        "currencies": frozenset(row.currencies),
        "qualify": tuple(known.groups[one] for one in groups),
        "minimum_units": _scaled(row.minimum_value, 4),
        "maximum_units": _scaled(row.maximum_value, 4),
        "schedule": _schedule(row),
    }


def _price(
    cost: Decimal | None, wallet_id: int | None, known: Vocabulary
) -> dict[str, Any]:
    if cost is None or wallet_id is None:
        return {}
    scaled = cost.scaleb(known.wallets[wallet_id].decimals)
    # What has a price is never free, however coarse the wallet.
    whole = int(scaled.to_integral_value(ROUND_CEILING))
    return {"cost": whole, "cost_wallet_id": wallet_id}


def _common(row: Offer, known: Vocabulary) -> dict[str, Any]:
    wallet = known.wallets[row.wallet_id]
    period = row.frequency_period
    tier_id = row.minimum_tier_id
    return {
        "id": row.pk,
        "wallet": wallet,
        "reward": facts.RewardKind(row.reward_method),
        "points": _scaled(row.points, wallet.decimals),
        "per_units": _scaled(row.per_value, 4),
        "multiplier": _scaled(row.multiplier, 4) or 0,
        "is_enabled": row.is_enabled,
        "starts_at": row.starts_at or facts.EVER,
        # Nobody is given, or charged for, a voucher that is over already.
        "ends_at": min(
            row.ends_at or facts.NEVER,
            known.voucher_ends.get(row.voucher_type_id or 0, facts.NEVER),
        ),
        "business_unit_id": row.business_unit_id,
        "minimum_tier_threshold": None
        if tier_id is None
        else known.thresholds[tier_id],
        "cap": row.cap_count,
        "period": Unit.LIFETIME if period is None else Unit(period.unit),
        "required_attempts": row.required_attempts,
        "voucher_type_id": row.voucher_type_id,
        "takes_codes": row.voucher_type_id in known.listed_voucher_types,
    }


def _schedule(row: Campaign | RewardMethod) -> facts.Schedule | None:
    if not row.weekdays and row.opens_at is None:
        return None
    weekdays = frozenset(row.weekdays) or frozenset(range(1, 8))
    return facts.Schedule(weekdays, row.opens_at, row.closes_at)


def _scaled(number: Decimal | None, decimals: int) -> int | None:
    return None if number is None else int(number.scaleb(decimals))


def _linked(
    through: Any, column: str, owner_ids: list[int], owner: str = "campaign_id"
) -> dict[int, set[int]]:
    links: dict[int, set[int]] = defaultdict(set)
    rows = through.objects.filter(**{f"{owner}__in": owner_ids})
    for owner_id, linked_id in rows.values_list(owner, column):
        links[owner_id].add(linked_id)
    return links
