"""What interactions gave, as members are shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.services.interactions import Reward
from campaigns.models import Campaign, RewardMethod
from loyalty.models import Voucher, Wallet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from activities.models import Interaction


def rewards_of(interaction: Interaction) -> list[Reward]:
    """Return what an interaction gave, in the order in which it was decided.

    From what was recorded then, so that asking again gives the same answer, but for
    the state of vouchers.
    """
    awards = interaction.decision["awards"]
    if not awards:
        return []
    offer_ids = [award["offer"] for award in awards]
    shown: dict[int, Campaign | RewardMethod] = {
        **Campaign.objects.in_bulk(offer_ids),
        **RewardMethod.objects.in_bulk(offer_ids),
    }
    given = {
        voucher.offer_id: voucher
        for voucher in Voucher.objects.filter(
            activity_id=interaction.pk, regenerated_from=None
        ).select_related("voucher_type")
    }
    wallets = dict(
        Wallet.objects.filter(
            program=interaction.program_id, code__in={one["wallet"] for one in awards}
        ).values_list("code", "pk")
    )
    return [
        _reward(award, shown[award["offer"]], given.get(award["offer"]), wallets)
        for award in awards
    ]


def _reward(
    award: Mapping[str, Any],
    offer: Campaign | RewardMethod,
    voucher: Voucher | None,
    wallets: Mapping[str, int],
) -> Reward:
    title, description, image_url = _words(offer, voucher)
    if voucher is not None:
        return Reward(
            offer.pk,
            f"voucher_{voucher.voucher_type.kind}",
            title,
            description,
            image_url,
            voucher,
        )
    if award.get("blank"):
        return Reward(offer.pk, "no_win", title, description, image_url)
    return Reward(
        offer.pk,
        "points",
        title,
        description,
        image_url,
        wallet_id=wallets[award["wallet"]],
        wallet_code=award["wallet"],
        amount=award["points"],
    )


def _words(
    offer: Campaign | RewardMethod, voucher: Voucher | None
) -> tuple[str, str, str]:
    """Return title, description and image: the method's own, else the voucher's."""
    own = ("", "", "")
    if isinstance(offer, RewardMethod):
        own = (offer.title, offer.details, offer.image_url)
    if voucher is None:
        return own
    kind = voucher.voucher_type
    return (
        own[0] or kind.title or kind.name,
        own[1] or kind.description,
        own[2] or kind.image_url,
    )
