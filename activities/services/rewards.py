"""What interactions gave, as members are shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from activities.services.interactions import Reward
from campaigns.models import RewardMethod
from loyalty.models import Voucher, Wallet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from activities.models import Interaction
    from loyalty.engine.decisions import Award


class _Words(NamedTuple):
    """What members are shown of a reward."""

    title: str = ""
    details: str = ""
    image_url: str = ""


class _Points(NamedTuple):
    """Points of a wallet, in its smallest unit."""

    wallet_id: int
    wallet_code: str
    amount: int


def rewards_given(awards: Sequence[Award], vouchers: Iterable[Voucher]) -> list[Reward]:
    """Return what was decided and given just now; one query at most.

    ``vouchers`` are those given for the awards.
    """
    given = {one.offer_id: one for one in vouchers}
    words = _words_of(
        one.offer.id for one in awards if one.offer.campaign_id is not None
    )
    rewards = []
    for award in awards:
        offer, wallet = award.offer, award.offer.wallet
        gift: Voucher | _Points | None = given.get(offer.id)
        if award.points:
            gift = _Points(wallet.id, wallet.code, award.points)
        rewards.append(_reward(offer.id, gift, words))
    return rewards


def rewards_of(interaction: Interaction) -> list[Reward]:
    """Return what an interaction gave, in the order in which it was decided.

    From what was recorded then, so that asking again gives the same answer, but for
    the state of vouchers.
    """
    awards = interaction.decision["awards"]
    given: dict[int | None, Voucher] = {}
    if any("voucher" in one for one in awards):
        rows = Voucher.objects.filter(activity_id=interaction.pk, regenerated_from=None)
        given = {one.offer_id: one for one in rows.select_related("voucher_type")}
    words = _words_of(one["offer"] for one in awards if "campaign" in one)
    wallets = _wallets_of(
        interaction.program_id, {one["wallet"] for one in awards if one["points"]}
    )
    rewards = []
    for award in awards:
        gift: Voucher | _Points | None = given.get(award["offer"])
        if award["points"]:
            code = award["wallet"]
            gift = _Points(wallets[code], code, award["points"])
        rewards.append(_reward(award["offer"], gift, words))
    return rewards


def _words_of(method_ids: Iterable[int]) -> dict[int, _Words]:
    numbers = list(method_ids)
    if not numbers:
        return {}
    rows = RewardMethod.objects.filter(pk__in=numbers)
    return {
        number: _Words(*words)
        for number, *words in rows.values_list("pk", "title", "details", "image_url")
    }


def _wallets_of(program_id: int, codes: set[str]) -> dict[str, int]:
    if not codes:
        return {}
    rows = Wallet.objects.filter(program=program_id, code__in=codes)
    return dict(rows.values_list("code", "pk"))


def _reward(
    offer_id: int, gift: Voucher | _Points | None, words: Mapping[int, _Words]
) -> Reward:
    own = words.get(offer_id, _Words())
    if isinstance(gift, Voucher):
        kind = gift.voucher_type
        return Reward(
            offer_id,
            f"voucher_{kind.kind}",
            own.title or kind.title or kind.name,
            own.details or kind.description,
            own.image_url or kind.image_url,
            gift,
        )
    if gift is None:
        return Reward(offer_id, "no_win", *own)
    return Reward(
        offer_id,
        "points",
        *own,
        wallet_id=gift.wallet_id,
        wallet_code=gift.wallet_code,
        amount=gift.amount,
    )
