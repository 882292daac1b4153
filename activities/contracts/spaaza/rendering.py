"""What a member won, as the vendor's clients are shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from activities.contracts.spaaza.codes import CODES
from loyalty.api.fields import moment_text
from loyalty.api.points import points_of
from loyalty.engine.numbers import format_value, parse_value
from loyalty.models import Wallet

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from activities.services.interactions import Interacted, Reward
    from loyalty.models import Voucher

RESULT_TYPE = "interact-campaign"
NO_WIN = "no_win"


def results_of(interacted: Interacted, now: datetime) -> dict[str, Any]:
    """Return ``results``: whether it happened and, if anything was won, what."""
    results: dict[str, Any] = {
        "success": not interacted.is_fully_redeemed,
        "result_type": RESULT_TYPE,
    }
    won = [reward for reward in interacted.rewards if reward.kind != NO_WIN]
    if won:
        decimals = _decimals(won)
        rewards = [_reward(reward, decimals, now) for reward in won]
        results |= {"reward": rewards[0], "rewards": rewards}
    return results


def warnings_of(interacted: Interacted) -> list[dict[str, Any]]:
    """Return the remarks beside ``results``."""
    if not interacted.is_fully_redeemed:
        return []
    name = "campaign_fully_redeemed"
    return [
        {
            "code": CODES[name].number,
            "name": name,
            "description": "The user has had every reward of this campaign.",
            "message": {},
        }
    ]


def _decimals(rewards: list[Reward]) -> dict[int, int]:
    numbers = {one.wallet_id for one in rewards if one.wallet_id is not None}
    rows = Wallet.objects.filter(pk__in=numbers) if numbers else Wallet.objects.none()
    return dict(rows.values_list("pk", "decimals"))


def _reward(reward: Reward, decimals: dict[int, int], now: datetime) -> dict[str, Any]:
    wallet = None
    if reward.wallet_id is not None and reward.amount is not None:
        # The vendor's wallets are campaigns.
        wallet = {
            "campaign_id": reward.wallet_id,
            "code": reward.wallet_code,
            "amount": points_of(reward.amount, decimals[reward.wallet_id]),
        }
    return {
        "reward_method_id": reward.method_id,
        "type": reward.kind,
        "title": reward.title or None,
        "description": reward.description or None,
        "image_url": reward.image_url or None,
        "voucher": None if reward.voucher is None else _voucher(reward, now),
        "wallet": wallet,
    }


def _voucher(reward: Reward, now: datetime) -> dict[str, Any]:
    voucher: Voucher = reward.voucher  # type: ignore[assignment]
    ends_at = voucher.expires_at
    return {
        "voucher_key": voucher.code,
        "voucher_id": voucher.pk,
        "voucher_type": reward.kind.removeprefix("voucher_"),
        "voucher_status": voucher.status_at(now),
        "voucher_amount": _number(voucher.amount_original),
        "voucher_discount_ratio": _number(voucher.discount_ratio),
        "voucher_expiry_datetime_utc": ends_at and moment_text(ends_at),
    }


def _number(value: Decimal | None) -> orjson.Fragment | None:
    """Return an exact JSON number."""
    if value is None:
        return None
    return orjson.Fragment(format_value(parse_value(value)).encode())
