"""The program's rows, compiled into the value that the engine decides with.

Compiled once per process and revision. ``programme_for_update`` holds the
configuration still for the transaction, so nothing is ever recorded under a
revision that was replaced before the recording committed.
"""

from collections import defaultdict
from decimal import Decimal
from threading import Lock
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Model, QuerySet

from campaigns.models import (
    BudgetPolicy,
    Campaign,
    OptInMode,
    Quest,
    QuestRequirement,
    QuestStatus,
)
from loyalty.engine import facts
from loyalty.engine.periods import Unit
from loyalty.engine.points import ExpiryModel, ExpiryRule, Rounding
from loyalty.engine.programme import NamedChannel, NamedUnit, Programme, TypeRule
from loyalty.engine.quests import Measure, Requirement
from loyalty.engine.quests import Quest as QuestRule
from loyalty.engine.tiers import TierStep
from loyalty.errors import LoyaltyError
from loyalty.models import (
    Account,
    AccountKind,
    ActivityType,
    BusinessUnit,
    Channel,
    Offer,
    Program,
    Segment,
    SegmentKind,
    SegmentMode,
    Tier,
    Wallet,
)

Row = TypeVar("Row", bound=Model)

# The first key of the advisory locks that guard configurations.
CONFIGURATION_LOCK = 7_301


class UnknownProgram(LoyaltyError):
    """No enabled program has this number."""

    code = "unknown_program"


class _Cache:
    """The newest compiled programme of each program, per process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._programmes: dict[int, Programme] = {}

    def get(self, program_id: int, revision: int) -> Programme | None:
        programme = self._programmes.get(program_id)
        if programme is not None and programme.revision == revision:
            return programme
        return None

    def put(self, programme: Programme) -> None:
        with self._lock:
            self._programmes[programme.program_id] = programme

    def clear(self) -> None:
        with self._lock:
            self._programmes.clear()


cache = _Cache()


def current_programme(program_id: int) -> Programme:
    """Return the compiled configuration as it stands now.

    Raises:
        UnknownProgram: no program has this number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT configuration_revision FROM loyalty_program WHERE id = %s",
            [program_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownProgram(f"There is no program {program_id}.")
    return cache.get(program_id, row[0]) or _compiled(program_id, row[0])


def programme_for_update(program_id: int) -> Programme:
    """Return the compiled configuration and hold it still until the commit.

    Locks: the program's configuration, shared. A change of configuration takes
    the same lock alone (see the triggers), so it waits for recordings under way
    and later ones see it. Must be called inside a transaction, first.

    From here on the transaction looks rows up by index only. PostgreSQL keeps the
    plans of foreign-key checks for as long as a connection lives; one made while a
    table was young would read all of it for every check from then on.

    Raises:
        UnknownProgram: no program has this number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, %s),"
            " set_config('enable_seqscan', 'off', true)",
            [CONFIGURATION_LOCK, program_id],
        )
    return current_programme(program_id)


def _compiled(program_id: int, revision: int) -> Programme:
    programme = compile_programme(Program.objects.get(pk=program_id), revision)
    # A revision that changed while it was read is compiled again next time.
    if Program.objects.filter(pk=program_id, configuration_revision=revision).exists():
        cache.put(programme)
    return programme


def compile_programme(program: Program, revision: int) -> Programme:
    """Return the value of ``program``'s rows; as many queries whatever its size."""
    wallets = {
        wallet.pk: wallet_value(wallet)
        for wallet in Wallet.objects.filter(program=program)
    }
    tiers = sorted(
        (TierStep(tier.pk, 0, tier.threshold) for tier in _rows(Tier, program)),
        key=lambda step: step.threshold,
    )
    steps = tuple(step._replace(rank=rank) for rank, step in enumerate(tiers))
    thresholds = {step.id: step.threshold for step in steps}
    units = [
        NamedUnit(unit.pk, unit.code, unit.name, unit.is_enabled)
        for unit in _rows(BusinessUnit, program)
    ]
    types = ActivityType.objects.filter(program=program)
    return Programme(
        program_id=program.pk,
        revision=revision,
        rules=facts.Rules(
            facts.Clock(ZoneInfo(program.time_zone), program.first_weekday - 1), steps
        ),
        types={
            row.code: TypeRule(
                type_offer(row, wallets, thresholds),
                row.code,
                row.allows_negative_value,
                row.value_param,
            )
            for row in types.select_related("frequency_period")
        },
        campaigns=tuple(
            campaign_offers(
                Campaign.objects.filter(program=program), wallets, thresholds
            )
        ),
        quests=quest_rules(Quest.objects.filter(program=program), wallets, thresholds),
        units={unit.code: unit for unit in units},
        units_by_name={unit.name: unit for unit in units},
        channels={
            channel.code: NamedChannel(channel.pk, channel.code, channel.is_enabled)
            for channel in _rows(Channel, program)
        },
        has_rule_segments=Segment.objects.filter(
            program=program, kind=SegmentKind.RULES
        ).exists(),
        issued_accounts=_issued_accounts(program),
        scoring_wallet_ids=frozenset(
            wallet.id for wallet in wallets.values() if wallet.counts_for_tier
        ),
        naive_policy=program.naive_timestamp_policy,
        late_after_hours=program.late_after_hours,
        acceptance_days=program.acceptance_days,
        allows_backdating=program.allows_backdating,
        is_enabled=program.is_enabled,
    )


def campaign_offers(
    campaigns: QuerySet[Campaign],
    wallets: dict[int, facts.Wallet],
    thresholds: dict[int, int],
) -> list[facts.Offer]:
    """Return what the engine sees of ``campaigns``, many-to-many links included."""
    rows = list(campaigns.select_related("frequency_period"))
    ids = [row.pk for row in rows]
    links = {
        name: _linked(getattr(Campaign, name).through, column, ids)
        for name, column in (
            ("channels", "channel_id"),
            ("activity_types", "activitytype_id"),
            ("included_segments", "segment_id"),
            ("excluded_segments", "segment_id"),
        )
    }
    return [_campaign_offer(row, wallets, thresholds, links) for row in rows]


def quest_rules(
    quests: QuerySet[Quest],
    wallets: dict[int, facts.Wallet],
    thresholds: dict[int, int],
) -> tuple[QuestRule, ...]:
    """Return what the engine sees of ``quests``; archived ones are disabled."""
    rows = list(quests.select_related("frequency_period").order_by("pk"))
    ids = [row.pk for row in rows]
    requirements: dict[int, list[Requirement]] = defaultdict(list)
    asked = QuestRequirement.objects.filter(quest__in=ids)
    for row in asked.order_by("quest", "order", "pk"):
        requirements[row.quest_id].append(_requirement(row))
    links = {
        name: _linked(getattr(Quest, name).through, "segment_id", ids, "quest_id")
        for name in ("included_segments", "excluded_segments")
    }
    return tuple(
        _quest_rule(row, tuple(requirements[row.pk]), wallets, thresholds, links)
        for row in rows
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
    wallets: dict[int, facts.Wallet],
    thresholds: dict[int, int],
    links: dict[str, dict[int, set[int]]],
) -> QuestRule:
    segments = frozenset(links["included_segments"].get(row.pk, ()))
    is_targeted = bool(segments) or row.minimum_tier_id is not None
    common = _common(row, wallets, thresholds)
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
            kind=facts.OfferKind.QUEST,
            bucket=facts.Bucket.TARGETED if is_targeted else facts.Bucket.BONUS,
            activity_type_ids=frozenset(one.activity_type_id for one in requirements),
            segments=segments,
            excluded_segments=frozenset(links["excluded_segments"].get(row.pk, ())),
            awards_budget=row.completions_total,
        ),
        requirements=requirements,
        is_automatic=row.opt_in_mode == OptInMode.AUTOMATIC,
        minutes_to_complete=row.time_to_complete_minutes,
        enforces_order=row.enforce_order,
        completions_per_member=row.completions_per_member,
    )


def type_offer(
    row: ActivityType, wallets: dict[int, facts.Wallet], thresholds: dict[int, int]
) -> facts.Offer:
    """Return the base offer of an activity type."""
    segment = frozenset(() if row.segment_id is None else (row.segment_id,))
    is_inclusion = row.segment_mode == SegmentMode.INCLUSION
    return facts.Offer(
        kind=facts.OfferKind.ACTIVITY_TYPE,
        bucket=facts.Bucket.BASE,
        segments=segment if is_inclusion else frozenset(),
        excluded_segments=frozenset() if is_inclusion else segment,
        **_common(row, wallets, thresholds),
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


def _campaign_offer(
    row: Campaign,
    wallets: dict[int, facts.Wallet],
    thresholds: dict[int, int],
    links: dict[str, dict[int, set[int]]],
) -> facts.Offer:
    segments = frozenset(links["included_segments"].get(row.pk, ()))
    is_targeted = bool(segments) or row.minimum_tier_id is not None
    decimals = wallets[row.wallet_id].decimals
    return facts.Offer(
        kind=facts.OfferKind.CAMPAIGN,
        bucket=facts.Bucket.TARGETED if is_targeted else facts.Bucket.BONUS,
        activity_type_ids=frozenset(links["activity_types"].get(row.pk, ())),
        channel_ids=frozenset(links["channels"].get(row.pk, ())),
        segments=segments,
        excluded_segments=frozenset(links["excluded_segments"].get(row.pk, ())),
        item_list_id=row.item_list_id,
        minimum_units=_scaled(row.minimum_value, 4),
        maximum_units=_scaled(row.maximum_value, 4),
        schedule=_schedule(row),
        points_budget=_scaled(row.points_budget, decimals),
        awards_budget=row.awards_budget,
        clips_to_budget=row.budget_policy == BudgetPolicy.CLIP,
        priority=row.priority,
        exclusive_group=row.exclusive_group,
        **_common(row, wallets, thresholds),
    )


def _common(
    row: Offer, wallets: dict[int, facts.Wallet], thresholds: dict[int, int]
) -> dict[str, Any]:
    wallet = wallets[row.wallet_id]
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
        "ends_at": row.ends_at or facts.NEVER,
        "business_unit_id": row.business_unit_id,
        "minimum_tier_threshold": None if tier_id is None else thresholds[tier_id],
        "cap": row.cap_count,
        "period": Unit.LIFETIME if period is None else Unit(period.unit),
        "required_attempts": row.required_attempts,
    }


def _schedule(row: Campaign) -> facts.Schedule | None:
    if not row.weekdays and row.opens_at is None:
        return None
    weekdays = frozenset(row.weekdays) or frozenset(range(1, 8))
    return facts.Schedule(weekdays, row.opens_at, row.closes_at)


def _scaled(number: Decimal | None, decimals: int) -> int | None:
    return None if number is None else int(number.scaleb(decimals))


def _rows(model: type[Row], program: Program) -> list[Row]:
    return list(model._default_manager.filter(program=program))


def _linked(
    through: Any, column: str, owner_ids: list[int], owner: str = "campaign_id"
) -> dict[int, set[int]]:
    links: dict[int, set[int]] = defaultdict(set)
    rows = through.objects.filter(**{f"{owner}__in": owner_ids})
    for owner_id, linked_id in rows.values_list(owner, column):
        links[owner_id].add(linked_id)
    return links


def _issued_accounts(program: Program) -> dict[tuple[int, int | None], int]:
    accounts = Account.objects.filter(program=program, kind=AccountKind.ISSUED)
    return {
        (account.wallet_id, account.business_unit_id): account.pk
        for account in accounts
    }
