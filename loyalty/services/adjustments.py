"""Points given to members or taken from them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from loyalty.ledger.movements import adjust, withdraw
from loyalty.models import IdempotentResponse

if TYPE_CHECKING:
    from datetime import datetime

    from loyalty.models import Member, Wallet

REASON_CHARACTERS_MAX = 140
_STORED_CHARACTERS_MAX = 200


@dataclass(frozen=True)
class Adjustment:
    """Points to move, in the wallet's smallest unit; below zero: taken.

    ``token`` names the decision of a person: whatever is sent with the same token
    again is the same adjustment.
    """

    member: Member
    wallet: Wallet
    amount: int
    reason: str
    actor: str
    token: str


def adjust_points(adjustment: Adjustment, *, at: datetime) -> bool:
    """Post an adjustment; return False if it was posted before.

    Raises:
        InsufficientPoints: more was to be taken than the member can spend.
        ValueError: the amount is zero.
    """
    reason = f"{adjustment.reason} (by {adjustment.actor})"[:_STORED_CHARACTERS_MAX]
    with transaction.atomic():
        _, is_new = IdempotentResponse.objects.get_or_create(
            program_id=adjustment.member.program_id,
            key=f"adjustment:{adjustment.token}",
            defaults={"fingerprint": "", "payload": {}, "status": 201, "body": b""},
        )
        if not is_new:
            return False
        move = adjust if adjustment.amount > 0 else withdraw
        move(
            adjustment.member,
            adjustment.wallet.pk,
            abs(adjustment.amount),
            at=at,
            reason=reason,
        )
    return True
