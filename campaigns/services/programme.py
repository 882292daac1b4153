"""The program's rows, compiled into the value that the engine decides with.

Compiled once per process and revision. ``programme_for_update`` holds the
configuration still for the transaction, so nothing is ever recorded under a
revision that was replaced before the recording committed.
"""

from threading import Lock
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Model

from campaigns.models import Campaign, Quest
from campaigns.services.compiling import (
    campaign_offers,
    quest_rules,
    type_offer,
    vocabulary_of,
    wallet_value,
)
from campaigns.services.money import limits_of, rates_of
from loyalty.engine import facts
from loyalty.engine.programme import NamedChannel, NamedUnit, Programme, TypeRule
from loyalty.engine.tiers import TierStep
from loyalty.errors import LoyaltyError
from loyalty.models import (
    Account,
    AccountKind,
    ActivityType,
    BusinessUnit,
    Channel,
    Program,
    Segment,
    SegmentKind,
    Tier,
    VoucherType,
    Wallet,
)
from loyalty.models.members import identity_rules

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


def uncommitted_programme(program_id: int) -> Programme:
    """Return the configuration as this transaction sees it, for nobody else.

    It is not kept: what was changed may still be taken back, and another change
    would then have its revision.
    """
    program = Program.objects.get(pk=program_id)
    return compile_programme(program, program.configuration_revision)


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
        (
            TierStep(tier.pk, 0, int(tier.threshold.scaleb(4)))
            for tier in _rows(Tier, program)
        ),
        key=lambda step: step.threshold,
    )
    steps = tuple(step._replace(rank=rank) for rank, step in enumerate(tiers))
    thresholds = {step.id: step.threshold for step in steps}
    known = vocabulary_of(program, wallets, thresholds)
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
                type_offer(row, known),
                row.code,
                row.allows_negative_value,
                row.value_param,
            )
            for row in types.select_related("frequency_period")
        },
        campaigns=tuple(
            campaign_offers(Campaign.objects.filter(program=program), known)
        ),
        quests=quest_rules(Quest.objects.filter(program=program), known),
        units={unit.code: unit for unit in units},
        units_by_name={unit.name: unit for unit in units},
        channels={
            channel.code: NamedChannel(channel.pk, channel.code, channel.is_enabled)
            for channel in _rows(Channel, program)
        },
        has_rule_segments=Segment.objects.filter(
            program=program, kind=SegmentKind.RULES
        ).exists(),
        issued_accounts=_accounts(program, AccountKind.ISSUED),
        redeemed_accounts={
            wallet_id: account_id
            for (wallet_id, unit_id), account_id in _accounts(
                program, AccountKind.REDEEMED
            ).items()
            if unit_id is None
        },
        overdrawn_wallet_ids=frozenset(
            Wallet.objects.filter(program=program, allows_negative=True).values_list(
                "pk", flat=True
            )
        ),
        identity_rules=identity_rules(program.pk),
        wallet_codes={wallet.id: wallet.code for wallet in wallets.values()},
        voucher_types=dict(
            VoucherType.objects.filter(program=program).values_list("pk", "code")
        ),
        scoring_wallets={
            wallet.id: wallet.score_units
            for wallet in wallets.values()
            if wallet.counts_for_tier
        },
        currency=program.currency,
        rates=rates_of(program),
        limits=limits_of(program),
        naive_policy=program.naive_timestamp_policy,
        late_after_hours=program.late_after_hours,
        acceptance_days=program.acceptance_days,
        allows_backdating=program.allows_backdating,
        is_enabled=program.is_enabled,
    )


def _rows(model: type[Row], program: Program) -> list[Row]:
    return list(model._default_manager.filter(program=program))


def _accounts(program: Program, kind: AccountKind) -> dict[tuple[int, int | None], int]:
    accounts = Account.objects.filter(program=program, kind=kind)
    return {
        (account.wallet_id, account.business_unit_id): account.pk
        for account in accounts
    }
