"""Rows for tests, with defaults for everything a test is not about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from activities.services import Line, RecordActivity
from campaigns.models import (
    Campaign,
    CampaignUsage,
    ItemList,
    ListedItem,
    Quest,
    QuestOptIn,
    QuestRequirement,
    RewardMethod,
)
from loyalty.engine.numbers import parse_value
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    Identity,
    Member,
    Program,
    Segment,
    SegmentMembership,
    Tier,
    Voucher,
    VoucherType,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loyalty.models import Offer

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

_numbers = count(1)


def make_program(**fields: Any) -> Program:
    """Return a program in UTC."""
    number = next(_numbers)
    defaults = {
        "code": f"program-{number}",
        "name": f"Program {number}",
        # Tests are about amounts of every size.
        "line_value_max": None,
        "activity_value_max": None,
        "line_quantity_max": None,
        "activity_points_max": None,
    }
    return Program.objects.create(**{**defaults, **fields})


def make_wallet(program: Program, **fields: Any) -> Wallet:
    """Return a wallet without decimals that never expires."""
    defaults = {"code": "loyalty", "name": "Loyalty points"}
    return Wallet.objects.create(program=program, **{**defaults, **fields})


def wallet_of(program: Program) -> Wallet:
    """Return the program's first wallet, made if there is none."""
    found = Wallet.objects.filter(program=program).order_by("pk").first()
    return found or make_wallet(program)


def make_type(program: Program, code: str = "PURCHASE", **fields: Any) -> ActivityType:
    """Return an activity type that pays 1 point per whole unit of value."""
    defaults = {
        "name": code.title(),
        "title": code.title(),
        "reward_method": "per_value",
        "points": 1,
        "allows_negative_value": True,
    }
    if "wallet" not in fields:
        defaults["wallet"] = wallet_of(program)
    return ActivityType.objects.create(
        program=program, code=code, **{**defaults, **fields}
    )


def make_campaign(program: Program, **fields: Any) -> Campaign:
    """Return a live campaign that pays 10 points; sets many-to-many fields too."""
    defaults = {
        "name": f"Campaign {next(_numbers)}",
        "reward_method": "fixed",
        "points": 10,
    }
    if "wallet" not in fields:
        defaults["wallet"] = wallet_of(program)
    many = {
        name: fields.pop(name)
        for name in (
            "channels",
            "activity_types",
            "included_segments",
            "excluded_segments",
        )
        if name in fields
    }
    campaign = Campaign.objects.create(program=program, **{**defaults, **fields})
    for name, rows in many.items():
        getattr(campaign, name).set(rows)
    return campaign


def make_method(campaign: Campaign, **fields: Any) -> RewardMethod:
    """Return a reward method of 10 points; ``segments`` and ``groups`` are linked."""
    links = {
        name: fields.pop(name)
        for name in ("included_segments", "excluded_segments", "qualify_groups")
        if name in fields
    }
    defaults = {
        "name": f"Method {next(_numbers)}",
        "wallet": campaign.wallet,
        "reward_method": "fixed",
        "points": 10,
    }
    method = RewardMethod.objects.create(parent=campaign, **{**defaults, **fields})
    for name, rows in links.items():
        getattr(method, name).set(rows)
    return method


def usage_of(offer: Offer) -> tuple[int, int]:
    """Return the points and awards that an offer's budget has counted."""
    rows = list(CampaignUsage.objects.filter(campaign=offer.pk))
    return sum(row.points_paid for row in rows), sum(row.awards_paid for row in rows)


def make_quest(program: Program, *requirements: dict[str, Any], **fields: Any) -> Quest:
    """Return a published, automatic quest: three purchases for 100 points."""
    defaults = {
        "name": f"Quest {next(_numbers)}",
        "status": "published",
        "points": 100,
    }
    if "wallet" not in fields:
        defaults["wallet"] = wallet_of(program)
    many = {
        name: fields.pop(name)
        for name in ("included_segments", "excluded_segments")
        if name in fields
    }
    quest = Quest.objects.create(program=program, **{**defaults, **fields})
    for name, rows in many.items():
        getattr(quest, name).set(rows)
    for one in requirements or ({},):
        make_requirement(quest, **one)
    return quest


def make_requirement(quest: Quest, **fields: Any) -> QuestRequirement:
    """Return a requirement of three purchases."""
    defaults: dict[str, Any] = {
        "description": "Three purchases",
        "measure": "activities",
        "value_threshold": 3,
    }
    if "activity_type" not in fields:
        defaults["activity_type"] = ActivityType.objects.get(
            program=quest.program, code="PURCHASE"
        )
    return QuestRequirement.objects.create(quest=quest, **{**defaults, **fields})


def make_opt_in(quest: Quest, member: Member, **fields: Any) -> QuestOptIn:
    """Return an opt-in by call, a day before noon."""
    defaults: dict[str, Any] = {
        "opted_in_at": NOON - timedelta(days=1),
        "is_automatic": False,
        "created_at": NOON,
    }
    return QuestOptIn.objects.create(
        quest=quest, member=member, **{**defaults, **fields}
    )


def make_member(program: Program, name: str = "", **fields: Any) -> Member:
    """Return a member with one identity of kind ``customer_id``."""
    member = Member.objects.create(program=program, **fields)
    value = name or f"member-{member.pk}"
    Identity.objects.create(
        program=program, member=member, kind="customer_id", value=value
    )
    return member


def make_channel(program: Program, code: str = "STORE", **fields: Any) -> Channel:
    """Return a channel."""
    return Channel.objects.create(program=program, code=code, name=code, **fields)


def make_unit(program: Program, code: str = "grocery", **fields: Any) -> BusinessUnit:
    """Return a business unit named like its code."""
    return BusinessUnit.objects.create(
        program=program, code=code, **{"name": code.title(), **fields}
    )


def make_tier(program: Program, name: str, threshold: int) -> Tier:
    """Return a tier."""
    return Tier.objects.create(program=program, name=name, threshold=threshold)


def make_segment(
    program: Program, members: Sequence[Member] = (), **fields: Any
) -> Segment:
    """Return a segment in which ``members`` have always been."""
    code = f"segment-{next(_numbers)}"
    segment = Segment.objects.create(
        program=program, **{"code": code, "name": code, **fields}
    )
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=segment, member=member) for member in members
    )
    return segment


def make_item_list(program: Program, item_ids: list[str]) -> ItemList:
    """Return an item list of these products."""
    code = f"list-{next(_numbers)}"
    item_list = ItemList.objects.create(program=program, code=code, name=code)
    ListedItem.objects.bulk_create(
        ListedItem(item_list=item_list, item_id=item_id) for item_id in item_ids
    )
    return item_list


def purchase(
    member: Member | str | None, value: str = "0", **fields: Any
) -> RecordActivity:
    """Return the command for a purchase at noon; ``value`` as decimal text."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "source": "test",
        "key": f"key-{number}",
        "activity_type": "PURCHASE",
        "occurred_at": NOON,
        "occurred_at_text": "",
        "units": parse_value(value),
    }
    if isinstance(member, str):
        defaults["member"] = ("customer_id", member)
    elif member is not None:
        defaults["member_id"] = member.pk
    merged = {**defaults, **fields}
    merged.setdefault("received_at", merged["occurred_at"])
    return RecordActivity(**merged)


def line(item_id: str, value: str) -> Line:
    """Return a line item; ``value`` as decimal text."""
    return Line(item_id, parse_value(value))


def make_voucher_type(program: Program, **fields: Any) -> VoucherType:
    """Return a type of vouchers: 5 off the basket, with codes made when given."""
    number = next(_numbers)
    defaults = {
        "code": f"voucher-{number}",
        "name": f"Voucher {number}",
        "amount": None if fields.get("kind") == "percentage" else Decimal(5),
    }
    return VoucherType.objects.create(program=program, **{**defaults, **fields})


def make_voucher(
    voucher_type: VoucherType, member: Member | None, **fields: Any
) -> Voucher:
    """Return a voucher that was given to ``member`` at noon and is not claimed."""
    defaults = {
        "code": f"CODE-{next(_numbers)}",
        "status": "generated",
        "amount_original": voucher_type.amount,
        "discount_ratio": voucher_type.discount_ratio,
        "issued_at": NOON,
        "created_at": NOON,
    }
    return Voucher.objects.create(
        program_id=voucher_type.program_id,
        voucher_type=voucher_type,
        member=member,
        **{**defaults, **fields},
    )
