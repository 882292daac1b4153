"""The demo programme's configuration: ordinary rows, as marketing would make them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from activities.services.demo import source
from activities.services.demo.scratch_card import add_scratch_card
from campaigns.models import Campaign, ItemList, ListedItem
from loyalty.engine.facts import RewardKind
from loyalty.models import (
    ActivityType,
    Channel,
    FrequencyPeriod,
    Identity,
    Member,
    Program,
    Segment,
    SegmentMembership,
    Wallet,
    Weekday,
)

PROGRAM_CODE = "complete-journey"
IDENTITY_KIND = "customer_id"
_ZONE = ZoneInfo("America/Phoenix")
_CALENDAR_DAY = 2


@transaction.atomic
def build_configuration() -> Program:
    """Return the demo program, built if it is not there; safe to call again."""
    program = Program.objects.filter(code=PROGRAM_CODE).first()
    if program is not None:
        return program
    program = Program.objects.create(
        code=PROGRAM_CODE,
        name="Complete Journey",
        time_zone=_ZONE.key,
        first_weekday=Weekday.MONDAY,
        currency="USD",
    )
    wallet = Wallet.objects.create(
        program=program, code="loyalty", name="Loyalty points"
    )
    for code, name in (("STORE", "Store"), ("APP", "App"), ("WEBSITE", "Website")):
        Channel.objects.create(program=program, code=code, name=name)
    purchase = ActivityType.objects.create(
        program=program,
        code="PURCHASE",
        name="Purchase",
        title="Purchase",
        description="A basket paid at a till.",
        public_title="Shop with us",
        public_description="1 point for every whole dollar.",
        category_id=4,
        type_kind_id=2,
        reporting_channel_id=16,
        wallet=wallet,
        reward_method=RewardKind.PER_VALUE.value,
        points=1,
        allows_negative_value=True,
    )
    _enrol_households(program)
    _add_everyday_campaigns(program, wallet, purchase)
    _add_data_campaigns(program, wallet, purchase)
    add_scratch_card(program, wallet)
    return program


def _enrol_households(program: Program) -> None:
    opened_at = datetime(2017, 1, 1, tzinfo=_ZONE)
    names = source.households()
    members = Member.objects.bulk_create(
        [Member(program=program, enrolled_at=opened_at) for _ in names]
    )
    Identity.objects.bulk_create(
        Identity(program=program, member=member, kind=IDENTITY_KIND, value=name)
        for member, name in zip(members, names, strict=True)
    )


def _add_everyday_campaigns(
    program: Program, wallet: Wallet, purchase: ActivityType
) -> None:
    first_visit = Campaign.objects.create(
        program=program,
        name="First visit of the day",
        description="A welcome for every day a household comes in.",
        wallet=wallet,
        reward_method=RewardKind.FIXED.value,
        points=10,
        cap_count=1,
        frequency_period=FrequencyPeriod.objects.get(pk=_CALENDAR_DAY),
    )
    first_visit.activity_types.set([purchase])
    own_brand = Campaign.objects.create(
        program=program,
        name="Own brand",
        description="One point for each whole dollar of own-brand products.",
        wallet=wallet,
        reward_method=RewardKind.PER_ITEM_VALUE.value,
        points=1,
        item_list=_item_list(
            program, "own-brand", "Own brand", source.own_brand_products()
        ),
    )
    own_brand.activity_types.set([purchase])


def _add_data_campaigns(
    program: Program, wallet: Wallet, purchase: ActivityType
) -> None:
    members = dict(
        Identity.objects.filter(program=program, kind=IDENTITY_KIND).values_list(
            "value", "member_id"
        )
    )
    for row in source.campaigns():
        name = f"Coupons {row.number} ({row.kind})"
        segment = Segment.objects.create(
            program=program,
            code=f"coupons-{row.number}",
            name=f"Households of {name}",
        )
        SegmentMembership.objects.bulk_create(
            SegmentMembership(segment=segment, member_id=members[household])
            for household in row.households
            if household in members
        )
        campaign = Campaign.objects.create(
            program=program,
            name=name,
            description="2 points per dollar of couponed products.",
            wallet=wallet,
            starts_at=_midnight(row.start_date),
            ends_at=_midnight(row.end_date + timedelta(days=1)),
            reward_method=RewardKind.PER_ITEM_VALUE.value,
            points=2,
            item_list=_item_list(
                program, f"coupons-{row.number}", f"Products of {name}", row.products
            ),
        )
        campaign.activity_types.set([purchase])
        campaign.included_segments.set([segment])


def _item_list(
    program: Program, code: str, name: str, products: list[str] | tuple[str, ...]
) -> ItemList:
    item_list = ItemList.objects.create(program=program, code=code, name=name)
    ListedItem.objects.bulk_create(
        (ListedItem(item_list=item_list, item_id=one) for one in products),
        batch_size=10_000,
    )
    return item_list


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_ZONE).astimezone(UTC)
