"""Programs of any number of live campaigns, of which five can apply.

The campaigns that cannot apply are ordinary ones: for another type of activity,
for a segment the member is not in, for products that are not in the basket, or of
another business unit. Rows are multiplied in SQL; constraints and triggers hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from campaigns.models import Campaign, ItemList, ListedItem
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    Offer,
    Program,
    Segment,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

IDENTITY_KIND = "customer_id"
APPLICABLE = 5
_VARIANTS = 20
_CALENDAR_DAY = 2


def build_program(code: str, campaign_count: int, member_count: int) -> Program:
    """Return a program with so many live campaigns and members.

    The members are called "member-1" and so on.
    """
    program = Program.objects.create(code=code, name=code)
    wallet = Wallet.objects.create(program=program, code="loyalty", name="Points")
    BusinessUnit.objects.create(program=program, code="grocery", name="Grocery")
    Channel.objects.create(program=program, code="STORE", name="Store")
    purchase = add_type(program, wallet, "PURCHASE")
    _add_applicable(program, wallet, purchase)
    others = _other_campaigns(program, wallet, purchase)
    multiply(others, campaign_count - APPLICABLE)
    _enrol(program, wallet, member_count)
    return program


def add_type(program: Program, wallet: Wallet, code: str) -> ActivityType:
    """Give the program a type of activity that pays a point per unit of value."""
    return ActivityType.objects.create(
        program=program,
        code=code,
        name=code,
        title=code,
        wallet=wallet,
        reward_method="per_value",
        points=1,
    )


def _add_applicable(program: Program, wallet: Wallet, purchase: ActivityType) -> None:
    daily = {"cap_count": 1, "frequency_period_id": _CALENDAR_DAY}
    own_brand = _list(program, "own-brand", ["product-1", "product-2"])
    rewards: list[dict[str, Any]] = [
        {"reward_method": "fixed", "points": 10, **daily},
        {"reward_method": "per_item_value", "points": 1, "item_list": own_brand},
        {"reward_method": "per_value", "points": 1, "minimum_value": 100},
        {"reward_method": "multiplier", "multiplier": 2, "weekdays": [*range(1, 8)]},
        {"reward_method": "fixed", "points": 5, "minimum_value": 10},
    ]
    for place, reward in enumerate(rewards):
        campaign = _campaign(program, wallet, f"Applicable {place}", **reward)
        campaign.activity_types.set([purchase])


def _other_campaigns(
    program: Program, wallet: Wallet, purchase: ActivityType
) -> list[Campaign]:
    campaigns = []
    for place in range(_VARIANTS):
        other_type = add_type(program, wallet, f"OTHER-{place}")
        segment = Segment.objects.create(
            program=program, code=f"segment-{place}", name=f"Segment {place}"
        )
        unit = BusinessUnit.objects.create(
            program=program, code=f"unit-{place}", name=f"Unit {place}"
        )
        items = _list(program, f"list-{place}", [f"other-{place}"])
        for name, fields, types, segments in (
            ("type", {}, [other_type], []),
            ("segment", {}, [purchase], [segment]),
            ("unit", {"business_unit": unit}, [purchase], []),
            ("list", {"item_list": items}, [purchase], []),
        ):
            campaign = _campaign(
                program,
                wallet,
                f"Other {name} {place}",
                reward_method="fixed",
                points=1,
                **fields,
            )
            campaign.activity_types.set(types)
            campaign.included_segments.set(segments)
            campaigns.append(campaign)
    return campaigns


def _campaign(program: Program, wallet: Wallet, name: str, **fields: Any) -> Campaign:
    return Campaign.objects.create(program=program, wallet=wallet, name=name, **fields)


def _list(program: Program, code: str, item_ids: Sequence[str]) -> ItemList:
    item_list = ItemList.objects.create(program=program, code=code, name=code)
    ListedItem.objects.bulk_create(
        ListedItem(item_list=item_list, item_id=item_id) for item_id in item_ids
    )
    return item_list


def multiply(campaigns: Sequence[Campaign], wanted: int) -> None:
    """Copy campaigns, with what they are linked to, until there are ``wanted``.

    Too many are switched off instead.
    """
    if wanted < len(campaigns):
        surplus = [campaign.pk for campaign in campaigns[wanted:]]
        Offer.objects.filter(pk__in=surplus).update(is_enabled=False)
        return
    each, left_over = divmod(wanted - len(campaigns), len(campaigns))
    for place, campaign in enumerate(campaigns):
        copies = each + (place < left_over)
        if copies:
            _copy(campaign.pk, copies)


def _copy(campaign_id: int, copies: int) -> None:
    offers = _columns(Offer, without="id")
    details = _columns(Campaign, without="offer_ptr_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO loyalty_offer ({offers}) SELECT {offers}"
            " FROM loyalty_offer, generate_series(1, %s) WHERE id = %s RETURNING id",
            [copies, campaign_id],
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"INSERT INTO campaigns_campaign (offer_ptr_id, {details})"
            f" SELECT new.id, {details} FROM campaigns_campaign,"
            " unnest(%s::bigint[]) AS new(id) WHERE offer_ptr_id = %s",
            [ids, campaign_id],
        )
        for many, column in (
            ("activity_types", "activitytype_id"),
            ("included_segments", "segment_id"),
        ):
            table = f"campaigns_campaign_{many}"
            cursor.execute(
                f"INSERT INTO {table} (campaign_id, {column})"
                f" SELECT new.id, {column} FROM {table},"
                " unnest(%s::bigint[]) AS new(id) WHERE campaign_id = %s",
                [ids, campaign_id],
            )


def _columns(model: type[Model], *, without: str) -> str:
    columns = [field.column for field in model._meta.local_concrete_fields]
    return ", ".join(f'"{one}"' for one in columns if one != without)


def _enrol(program: Program, wallet: Wallet, count: int) -> None:
    """Enrol members, each with an empty account; their ids are consecutive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH fresh AS (INSERT INTO loyalty_member"
            " (program_id, is_blocked, attributes)"
            " SELECT %s, false, '{}' FROM generate_series(1, %s) RETURNING id)"
            " INSERT INTO loyalty_identity (program_id, member_id, kind, value, key)"
            " SELECT %s, id, %s, name, name FROM (SELECT id,"
            " 'member-' || row_number() OVER (ORDER BY id) AS name FROM fresh) f",
            [program.pk, count, program.pk, IDENTITY_KIND],
        )
        cursor.execute(
            "INSERT INTO loyalty_account (program_id, kind, wallet_id, member_id,"
            " balance, pending, lifetime_earned, owed)"
            " SELECT program_id, 'member', %s, id, 0, 0, 0, 0"
            " FROM loyalty_member WHERE program_id = %s ORDER BY id",
            [wallet.pk, program.pk],
        )
