"""Claiming vouchers, which lets them be redeemed, and locking them for a basket."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from loyalty.models import Voucher, VoucherEventKind, VoucherStatus
from loyalty.services.vouchers.finding import Asker, lock_vouchers, log
from loyalty.services.vouchers.refusals import TooManyVouchers
from loyalty.services.vouchers.rules import (
    locked,
    require_claimed,
    require_holder,
    require_may_claim,
    require_open,
    require_unlocked,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CLAIMS_MAX = 10
LOCK_SECONDS_MAX = 7 * 24 * 3600
_LOCK_FIELDS = ("locked_until", "locked_for_basket", "locking_code")


class Lock(NamedTuple):
    """For which basket and how long; whoever has the code may let go or redeem."""

    basket_code: str
    seconds: int
    locking_code: str = ""


def claim(
    program_id: int,
    codes: Sequence[str],
    *,
    asker: Asker,
    now: datetime,
    lock: Lock | None = None,
) -> list[Voucher]:
    """Claim at most ten vouchers, all or none, and lock them if that is asked.

    One that is claimed already stays so. Locks the vouchers by primary key.

    Raises:
        TooManyVouchers: more than ten.
        UnknownVoucher, VoucherNotGiven, VoucherOfOtherMember, BlockedHolder,
        ClaimNotAllowed, VoucherAlreadyRedeemed, VoucherExpired, VoucherVoid
        VoucherLocked: to be locked, and another basket holds it.
    """
    wanted = list(dict.fromkeys(codes))
    if len(wanted) > CLAIMS_MAX:
        raise TooManyVouchers(f"At most {CLAIMS_MAX} vouchers in one call.")
    with transaction.atomic():
        vouchers = lock_vouchers(program_id, wanted)
        for voucher in vouchers:
            _claim(voucher, asker, now)
            if lock is not None:
                _lock(voucher, lock, asker, now)
    return vouchers


def unclaim(program_id: int, code: str, *, asker: Asker, now: datetime) -> Voucher:
    """Take a claim back; a voucher that is not claimed stays so.

    Staff and client apps may do so while a basket holds it, members not.

    Raises:
        UnknownVoucher, VoucherNotGiven, VoucherOfOtherMember, BlockedHolder,
        ClaimNotAllowed, VoucherAlreadyRedeemed, VoucherExpired, VoucherVoid
        VoucherLocked: a member asks, and a basket holds it.
    """
    with transaction.atomic():
        (voucher,) = lock_vouchers(program_id, [code])
        require_holder(voucher, asker)
        require_may_claim(voucher, asker)
        require_open(voucher, now)
        if voucher.status == VoucherStatus.GENERATED:
            return voucher
        if asker.member_id is not None and voucher.is_locked_at(now):
            raise locked(voucher)

        voucher.status = VoucherStatus.GENERATED
        voucher.claimed_at = None
        clear_lock(voucher)
        voucher.save(update_fields=["status", "claimed_at", *_LOCK_FIELDS])
        log(voucher, VoucherEventKind.UNCLAIMED, asker=asker, now=now)
    return voucher


def lock(
    program_id: int, code: str, wanted: Lock, *, asker: Asker, now: datetime
) -> Voucher:
    """Hold a claimed voucher for a basket; the same basket may ask for longer.

    Raises:
        UnknownVoucher, VoucherNotGiven, VoucherOfOtherMember, BlockedHolder,
        VoucherNotClaimed, VoucherAlreadyRedeemed, VoucherExpired, VoucherVoid
        VoucherLocked: another basket holds it.
    """
    with transaction.atomic():
        (voucher,) = lock_vouchers(program_id, [code])
        require_holder(voucher, asker)
        _lock(voucher, wanted, asker, now)
    return voucher


def unlock(
    program_id: int, code: str, *, locking_code: str, asker: Asker, now: datetime
) -> Voucher:
    """Let go of a voucher; one that no basket holds stays so.

    Raises:
        UnknownVoucher, VoucherNotGiven, VoucherOfOtherMember, BlockedHolder,
        VoucherNotClaimed, VoucherAlreadyRedeemed, VoucherExpired, VoucherVoid
        VoucherLocked: it was locked with another code.
    """
    with transaction.atomic():
        (voucher,) = lock_vouchers(program_id, [code])
        require_holder(voucher, asker)
        require_claimed(voucher, now)
        basket_code = voucher.locked_for_basket
        require_unlocked(
            voucher, now, basket_code=basket_code, locking_code=locking_code
        )
        if not basket_code:
            return voucher

        clear_lock(voucher)
        voucher.save(update_fields=_LOCK_FIELDS)
        log(
            voucher,
            VoucherEventKind.UNLOCKED,
            asker=asker,
            now=now,
            basket_code=basket_code,
        )
    return voucher


def clear_lock(voucher: Voucher) -> None:
    """Let no basket hold the voucher any more; does not save it."""
    voucher.locked_until = None
    voucher.locked_for_basket = ""
    voucher.locking_code = ""


def _claim(voucher: Voucher, asker: Asker, now: datetime) -> None:
    require_holder(voucher, asker)
    require_may_claim(voucher, asker)
    require_open(voucher, now)
    if voucher.status == VoucherStatus.CLAIMED:
        return
    voucher.status = VoucherStatus.CLAIMED
    voucher.claimed_at = now
    voucher.save(update_fields=["status", "claimed_at"])
    log(voucher, VoucherEventKind.CLAIMED, asker=asker, now=now)


def _lock(voucher: Voucher, wanted: Lock, asker: Asker, now: datetime) -> None:
    require_claimed(voucher, now)
    require_unlocked(
        voucher,
        now,
        basket_code=wanted.basket_code,
        locking_code=wanted.locking_code,
    )
    voucher.locked_until = now + timedelta(seconds=wanted.seconds)
    voucher.locked_for_basket = wanted.basket_code
    voucher.locking_code = wanted.locking_code
    voucher.save(update_fields=_LOCK_FIELDS)
    log(
        voucher,
        VoucherEventKind.LOCKED,
        asker=asker,
        now=now,
        basket_code=wanted.basket_code,
    )
