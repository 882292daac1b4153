"""What the real year of 2017 cannot show: tiers, units, a quest, and recent weeks.

Invented, and told apart from the year: everything here happened in the last 60 days
and bears the source “showcase”, so the year's totals stay what they are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from activities.models import Activity
from activities.services.commands import RecordActivity
from activities.services.interacting import interact
from activities.services.interactions import Interact
from activities.services.recording import record_activities
from activities.services.segments import refresh_segment
from campaigns.models import Campaign, Quest, QuestRequirement
from loyalty.engine.facts import RewardKind
from loyalty.engine.points import ExpiryModel
from loyalty.errors import LoyaltyError
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    Member,
    Segment,
    SegmentRule,
    Tier,
    Voucher,
    VoucherStatus,
    Wallet,
)
from loyalty.services import vouchers

if TYPE_CHECKING:
    from loyalty.models import Program

SOURCE = "showcase"
_DAYS = 60
_MEMBERS = 240
_VISITS = 5
_PLAYERS = 40
_UNITS = (("downtown", "Downtown"), ("riverside", "Riverside"), ("online", "Online"))
_CHANNELS = ("STORE", "STORE", "APP", "STORE", "WEBSITE")
_NAMES = (
    ("Maria", "Lopez"),
    ("James", "Whitfield"),
    ("Aiko", "Tanaka"),
    ("Peter", "Novak"),
    ("Grace", "Okafor"),
    ("Tom", "Begay"),
)


def add_showcase(program: Program, *, now: datetime) -> int:
    """Add what makes every page alive; return how many activities were recorded.

    Needs the demo's first month, whose members act again here. Safe to call again:
    once its activities are there, nothing is added.
    """
    if Activity.objects.filter(program=program, source=SOURCE).exists():
        return 0
    members = list(Member.objects.filter(program=program).order_by("pk")[:_MEMBERS])
    if not members:
        return 0
    _configure(program, now)
    _name(members)
    commands = [*_visits(members, now), *_reviews(members, now)]
    record_activities(program.pk, commands, now=now)
    _play(program, members[:_PLAYERS], now)
    for segment in Segment.objects.filter(program=program, code="regulars"):
        refresh_segment(segment, now=now)
    return len(commands)


@transaction.atomic
def _configure(program: Program, now: datetime) -> None:
    if Wallet.objects.filter(program=program, code="stars").exists():
        return
    loyalty = Wallet.objects.get(program=program, code="loyalty")
    stars = Wallet.objects.create(
        program=program,
        code="stars",
        name="Stars",
        expiry_model=ExpiryModel.DAYS.value,
        expiry_count=45,
        counts_for_tier=False,
    )
    for code, name in _UNITS:
        BusinessUnit.objects.create(program=program, code=code, name=name)
    Tier.objects.create(program=program, name="Silver", threshold=1_000)
    gold = Tier.objects.create(program=program, name="Gold", threshold=5_000)
    review = ActivityType.objects.create(
        program=program,
        code="REVIEW",
        name="Review",
        title="Review",
        public_title="Review a product",
        wallet=stars,
        reward_method=RewardKind.FIXED.value,
        points=50,
    )
    purchase = ActivityType.objects.get(program=program, code="PURCHASE")
    today = _midnight(program, now)
    _campaigns(loyalty, stars, gold, purchase, today)
    _quest(stars, review, today)
    regulars = Segment.objects.create(
        program=program,
        code="regulars",
        name="Regulars",
        description="Whoever came three times or more in the last 30 days.",
        kind="rules",
    )
    SegmentRule.objects.create(
        segment=regulars, fact="activity_count", number=3, days=30
    )


def _campaigns(
    loyalty: Wallet, stars: Wallet, gold: Tier, purchase: ActivityType, today: datetime
) -> None:
    double = Campaign.objects.create(
        program=loyalty.program,
        name="Double points in the app",
        description="Four weeks; one member in five is held out to measure it.",
        wallet=loyalty,
        reward_method=RewardKind.MULTIPLIER.value,
        multiplier=1,
        points=0,
        starts_at=today - timedelta(days=21),
        ends_at=today + timedelta(days=8),
        holdout_percent=20,
    )
    double.activity_types.set([purchase])
    double.channels.set([Channel.objects.get(program=loyalty.program, code="APP")])
    thanks = Campaign.objects.create(
        program=loyalty.program,
        name="Thank you, Gold",
        description="Stars for every larger basket of Gold members.",
        wallet=stars,
        reward_method=RewardKind.FIXED.value,
        points=20,
        minimum_value=25,
        minimum_tier=gold,
        starts_at=today - timedelta(days=_DAYS),
    )
    thanks.activity_types.set([purchase])
    Campaign.objects.create(
        program=loyalty.program,
        name="Riverside opening weekend",
        description="A draft: look at what the checks say before enabling it.",
        wallet=loyalty,
        reward_method=RewardKind.FIXED.value,
        points=100,
        starts_at=today + timedelta(days=14),
        ends_at=today + timedelta(days=16),
        is_enabled=False,
        business_unit=BusinessUnit.objects.get(
            program=loyalty.program, code="riverside"
        ),
    ).activity_types.set([purchase])


def _quest(stars: Wallet, review: ActivityType, today: datetime) -> None:
    quest = Quest.objects.create(
        program=stars.program,
        name="Three reviews",
        description="Review three products and get 200 stars.",
        status="published",
        wallet=stars,
        reward_method=RewardKind.FIXED.value,
        points=200,
        completions_per_member=1,
        starts_at=today - timedelta(days=_DAYS),
        ends_at=today + timedelta(days=31),
    )
    QuestRequirement.objects.create(
        quest=quest,
        description="Review three products",
        measure="activities",
        value_threshold=3,
        activity_type=review,
    )


def _name(members: list[Member]) -> None:
    for member, (first, last) in zip(members, _NAMES, strict=False):
        member.attributes = {
            **member.attributes,
            "first_name": first,
            "last_name": last,
        }
        member.save(update_fields=["attributes"])


def _visits(members: list[Member], now: datetime) -> list[RecordActivity]:
    commands = []
    for row, member in enumerate(members):
        for visit in range(1 + row % _VISITS):
            cents = 650 + (row * 3_701 + visit * 1_013) % 9_000
            commands.append(
                _command(
                    member,
                    "PURCHASE",
                    now - timedelta(days=(row * 7 + visit * 13) % _DAYS, hours=2),
                    f"visit-{row}-{visit}",
                    channel=_CHANNELS[(row + visit) % len(_CHANNELS)],
                    business_unit=_UNITS[row % len(_UNITS)][0],
                    units=cents * 100,
                )
            )
    return commands


def _reviews(members: list[Member], now: datetime) -> list[RecordActivity]:
    return [
        _command(
            member,
            "REVIEW",
            now - timedelta(days=(row + number * 11) % _DAYS, hours=5),
            f"review-{row}-{number}",
            channel="APP",
        )
        for row, member in enumerate(members[::3])
        for number in range(1 + row % 4)
    ]


def _command(
    member: Member, kind: str, at: datetime, key: str, **fields: object
) -> RecordActivity:
    return RecordActivity(
        source=SOURCE,
        key=f"{SOURCE}-{key}",
        activity_type=kind,
        occurred_at=at,
        occurred_at_text="",
        received_at=at,
        member_id=member.pk,
        **fields,  # type: ignore[arg-type]
    )


def _play(program: Program, members: list[Member], now: datetime) -> None:
    """Let some members scratch a card, and redeem every second voucher won."""
    card = Campaign.objects.get(program=program, name="Scratch card")
    for member in members:
        try:
            interact(program.pk, Interact(card.pk, member.pk, SOURCE), now=now)
        except LoyaltyError:
            continue  # Too few points: the card says so, too.
    won = Voucher.objects.filter(
        voucher_type__program=program, member__in=members, status=VoucherStatus.CLAIMED
    )
    for voucher in won.order_by("pk")[::2]:
        vouchers.redeem(
            program.pk,
            voucher.code,
            vouchers.Redemption(basket_code=f"{SOURCE}-{voucher.pk}"),
            asker=vouchers.Asker("Demo"),
            now=now,
        )


def _midnight(program: Program, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(program.time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
