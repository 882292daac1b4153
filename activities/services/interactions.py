"""What interacting with a campaign takes, gives, and why it may be refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from activities.services.commands import BlockedMember, KeyReused, UnknownMember
from loyalty.errors import LoyaltyError
from loyalty.ledger import InsufficientPoints

if TYPE_CHECKING:
    from loyalty.models import Voucher

__all__ = [
    "BlockedMember",
    "CampaignFullyRedeemed",
    "CampaignNotActive",
    "InsufficientPoints",
    "Interact",
    "Interacted",
    "KeyReused",
    "NotInAudience",
    "Reward",
    "UnknownCampaign",
    "UnknownMember",
]


@dataclass(frozen=True, slots=True)
class Interact:
    """One member interacting with one campaign.

    ``key`` is unique within ``source``; blank means that every call counts.
    ``actor`` is who called, in words; ``mode`` is how: ``user``, ``admin``,
    ``privileged`` or ``api``.
    """

    campaign_id: int
    member_id: int
    source: str
    key: str = ""
    actor: str = ""
    mode: str = ""


@dataclass(slots=True)
class Reward:
    """What one reward method gave.

    ``kind`` is ``points``, ``no_win`` or ``voucher_`` and the kind of voucher.
    ``amount`` is in the smallest unit of the wallet ``wallet_code``.
    """

    method_id: int
    kind: str
    title: str = ""
    description: str = ""
    image_url: str = ""
    voucher: Voucher | None = None
    wallet_id: int | None = None
    wallet_code: str = ""
    amount: int | None = None


@dataclass(slots=True)
class Interacted:
    """The interaction stands, or the member has had every reward there is.

    Of the latter ``is_fully_redeemed`` tells: nothing was written or charged, and
    there is no ``interaction_id``. ``is_replay`` says that the interaction stood
    before this command; ``decision`` is None then.
    """

    interaction_id: int | None
    is_replay: bool = False
    is_fully_redeemed: bool = False
    decision: Any = None
    rewards: list[Reward] = field(default_factory=list)


class UnknownCampaign(LoyaltyError):
    """No campaign of the program has this number."""

    code = "unknown_campaign"


class CampaignNotActive(LoyaltyError):
    """The campaign cannot be interacted with now.

    ``facts["reason"]`` is ``disabled``, ``not_started``, ``ended``,
    ``outside_schedule`` or ``other_context``.
    """

    code = "campaign_not_active"


class NotInAudience(LoyaltyError):
    """The campaign, or each of its reward methods, is for other members."""

    code = "not_in_audience"


class CampaignFullyRedeemed(LoyaltyError):
    """The campaign has nothing left for anybody."""

    code = "campaign_fully_redeemed"
