"""What can be done with a voucher as it stands at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.models import VoucherStatus
from loyalty.services.vouchers.refusals import (
    BlockedHolder,
    ClaimNotAllowed,
    VoucherAlreadyRedeemed,
    VoucherExpired,
    VoucherLocked,
    VoucherNotClaimed,
    VoucherNotGiven,
    VoucherOfOtherMember,
    VoucherRefusal,
    VoucherVoid,
    about,
)

if TYPE_CHECKING:
    from datetime import datetime

    from loyalty.models import Voucher
    from loyalty.services.vouchers.finding import Asker

_OVER: dict[str, tuple[type[VoucherRefusal], str]] = {
    VoucherStatus.AVAILABLE.value: (VoucherNotGiven, "was not given to anybody yet."),
    VoucherStatus.REDEEMED.value: (VoucherAlreadyRedeemed, "is redeemed already."),
    VoucherStatus.EXPIRED.value: (VoucherExpired, "has expired."),
    VoucherStatus.VOID.value: (VoucherVoid, "was taken back."),
}


def require_open(voucher: Voucher, now: datetime) -> None:
    """Refuse a voucher that cannot be used any more, or not yet.

    At ``expires_at`` it is expired, whatever is stored.

    Raises:
        VoucherNotGiven, VoucherAlreadyRedeemed, VoucherExpired, VoucherVoid
    """
    found = _OVER.get(voucher.status_at(now))
    if found is not None:
        raise about(voucher, *found)


def require_claimed(voucher: Voucher, now: datetime) -> None:
    """Refuse a voucher that was not claimed, besides those ``require_open`` does.

    Raises:
        VoucherNotClaimed: it was given, and nobody claimed it.
    """
    require_open(voucher, now)
    if voucher.status != VoucherStatus.CLAIMED:
        raise about(voucher, VoucherNotClaimed, "must be claimed first.")


def require_holder(voucher: Voucher, asker: Asker) -> None:
    """Refuse a member who does not have the voucher, and one who is blocked.

    Raises:
        VoucherOfOtherMember: the member who asks is not the one who has it.
        BlockedHolder: the one who has it is blocked.
    """
    if voucher.member is None:
        return
    if asker.member_id is not None and asker.member_id != voucher.member_id:
        raise about(voucher, VoucherOfOtherMember, "is another member's.")
    if voucher.member.is_blocked:
        raise about(voucher, BlockedHolder, "is of a member who is blocked.")


def require_may_claim(voucher: Voucher, asker: Asker) -> None:
    """Refuse members where only staff may claim.

    Raises:
        ClaimNotAllowed: the type keeps members from claiming.
    """
    if asker.member_id is not None and not voucher.voucher_type.allows_member_to_claim:
        raise about(voucher, ClaimNotAllowed, "cannot be claimed by members.")


def require_unlocked(
    voucher: Voucher, now: datetime, *, basket_code: str, locking_code: str
) -> None:
    """Refuse a voucher that another basket holds; a lock ends at its moment.

    Raises:
        VoucherLocked: for another basket, or with another locking code.
    """
    if not voucher.is_locked_at(now):
        return
    is_ours = basket_code == voucher.locked_for_basket
    if not is_ours or voucher.locking_code not in {"", locking_code}:
        raise locked(voucher)


def locked(voucher: Voucher) -> VoucherLocked:
    """Return the refusal that says until when a basket holds the voucher."""
    until = voucher.locked_until
    return VoucherLocked(
        f"The voucher {voucher.code} is locked for a basket.",
        voucher=voucher.code,
        locked_until=until.isoformat() if until is not None else None,
    )
