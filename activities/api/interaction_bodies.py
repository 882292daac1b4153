"""What the API says of interactions: the price, what was won, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from activities.api import documents
from activities.api.answers import earnings_of, explanation_of
from activities.services.rewards import rewards_of
from loyalty.api.fields import moment_text
from loyalty.api.points import points_of
from loyalty.api.problems import Problem
from loyalty.engine.numbers import format_value, parse_value
from loyalty.models import Wallet
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activities.models import Interaction
    from activities.services.interactions import InsufficientPoints, Reward
    from loyalty.models import Voucher


class NewInteraction(serializers.Serializer[Any]):
    """Who interacts."""

    member = documents.Actor()


class PriceBody(serializers.Serializer[Any]):
    """What was paid from one wallet."""

    wallet = serializers.CharField()
    points = serializers.FloatField()


class GivenVoucherBody(serializers.Serializer[Any]):
    """A voucher as it stands now."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField()
    amount = serializers.CharField(allow_null=True, help_text="Decimal text.")
    discount_ratio = serializers.CharField(allow_null=True, help_text="Decimal text.")
    expires_at = serializers.DateTimeField(allow_null=True)


class RewardBody(serializers.Serializer[Any]):
    """What one reward method gave; `no_win` is a draw's end without a prize."""

    method = serializers.IntegerField(
        help_text="The reward method, or the campaign if it gives its own reward."
    )
    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    image_url = serializers.CharField()
    wallet = serializers.CharField(allow_null=True)
    points = serializers.FloatField(allow_null=True)
    voucher = GivenVoucherBody(allow_null=True)


class StoredInteraction(serializers.Serializer[Any]):
    """An interaction that happened."""

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    member = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]
    key = serializers.CharField()
    mode = serializers.CharField(help_text="How the caller made itself known.")
    occurred_at = serializers.DateTimeField()
    prices = PriceBody(many=True)
    earned = documents.EarnedByUnit()
    totals = documents.EarnedByWallet()


class InteractionAnswer(StoredInteraction):
    """An interaction with what was won; the explanation on request."""

    rewards = RewardBody(many=True)
    explanation = documents.FreeData(required=False)


def decimals_in(program_id: int) -> dict[str, int]:
    """Return the decimals of the program's wallets, by code."""
    rows = Wallet.objects.filter(program_id=program_id)
    return dict(rows.values_list("code", "decimals"))


def stored_body(row: Interaction, decimals: Mapping[str, int]) -> dict[str, Any]:
    """Return an interaction as lists show it."""
    return {
        "id": row.pk,
        "campaign": row.campaign_id,
        "member": row.member_id,
        "source": row.source,
        "key": row.key,
        "mode": row.mode,
        "occurred_at": moment_text(row.occurred_at),
        "prices": [
            {
                "wallet": one["wallet"],
                "points": points_of(one["points"], decimals[one["wallet"]]),
            }
            for one in row.decision.get("prices", ())
        ],
        **earnings_of(row.decision),
    }


def whole_body(row: Interaction, *, explain: bool) -> dict[str, Any]:
    """Return an interaction with what was won; vouchers as they stand now."""
    decimals = decimals_in(row.program_id)
    body = stored_body(row, decimals)
    body["rewards"] = [_reward(one, decimals) for one in rewards_of(row)]
    if explain:
        body["explanation"] = explanation_of(row.decision)
    return body


def too_few_points(error: InsufficientPoints, program_id: int) -> Problem:
    """Return what is missing as a problem, in the unit of its wallet."""
    code = str(error.facts["wallet"])
    decimals = decimals_in(program_id)[code]
    needed, available = (int(error.facts[one]) for one in ("needed", "available"))
    return Problem(
        409,
        error.code,
        f"{_told(needed, decimals)} points of “{code}” are needed, "
        f"{_told(available, decimals)} can be spent.",
        wallet=code,
        needed=points_of(needed, decimals),
        available=points_of(available, decimals),
    )


def _told(amount: int, decimals: int) -> str:
    return f"{Decimal(amount).scaleb(-decimals):f}"


def _reward(reward: Reward, decimals: Mapping[str, int]) -> dict[str, Any]:
    points = None
    if reward.amount is not None:
        points = points_of(reward.amount, decimals[reward.wallet_code])
    return {
        "method": reward.method_id,
        "kind": reward.kind,
        "title": reward.title,
        "description": reward.description,
        "image_url": reward.image_url,
        "wallet": reward.wallet_code or None,
        "points": points,
        "voucher": None if reward.voucher is None else _voucher(reward.voucher),
    }


def _voucher(voucher: Voucher) -> dict[str, Any]:
    amount, ratio = voucher.amount_original, voucher.discount_ratio
    ends_at = voucher.expires_at
    return {
        "id": voucher.pk,
        "code": voucher.code,
        "kind": voucher.voucher_type.kind,
        "status": voucher.status_at(clock.now()),
        "amount": None if amount is None else format_value(parse_value(amount)),
        "discount_ratio": None if ratio is None else format_value(parse_value(ratio)),
        "expires_at": None if ends_at is None else moment_text(ends_at),
    }
