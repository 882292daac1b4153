"""A scratch card for the demo: a price in points, prizes in stock, and blanks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from campaigns.models import Campaign, Context, Handling, RewardMethod
from loyalty.engine.facts import RewardKind
from loyalty.models import VoucherKind, VoucherType

if TYPE_CHECKING:
    from loyalty.models import Program, Wallet

_PRICE = 200


def add_scratch_card(program: Program, wallet: Wallet) -> None:
    """Add a live campaign that members interact with, and its two voucher types."""
    card = Campaign.objects.create(
        program=program,
        name="Scratch card",
        description="One scratch for 200 points.",
        context=Context.INTERACTION,
        wallet=wallet,
        reward_method=RewardKind.METHODS.value,
        handling=Handling.RANDOM_DRAW,
        point_cost=_PRICE,
        point_cost_wallet=wallet,
    )
    five_off = VoucherType.objects.create(
        program=program,
        code="five-off",
        name="5 dollars off",
        title="5 dollars off your next basket",
        kind=VoucherKind.BASKET,
        amount=Decimal(5),
        currency="USD",
        expiry_days=60,
    )
    coffee = VoucherType.objects.create(
        program=program,
        code="coffee",
        name="A cup of coffee",
        title="A cup of coffee on us",
        kind=VoucherKind.PERK,
        expiry_days=30,
        claimed_by_default=True,
    )
    _add_prize(card, "1,000 points", weight=1, usage_limit=50, points=1_000)
    _add_voucher(card, five_off, weight=5, usage_limit=500)
    _add_voucher(card, coffee, weight=24, usage_limit=2_000)
    _add_prize(
        card, "No luck this time", weight=70, reward_method=RewardKind.NOTHING.value
    )


def _add_voucher(card: Campaign, kind: VoucherType, **fields: Any) -> None:
    _add_prize(
        card,
        kind.name,
        title=kind.title,
        reward_method=RewardKind.VOUCHER.value,
        voucher_type=kind,
        **fields,
    )


def _add_prize(card: Campaign, name: str, **fields: Any) -> None:
    fields.setdefault("title", name)
    RewardMethod.objects.create(parent=card, name=name, wallet=card.wallet, **fields)
