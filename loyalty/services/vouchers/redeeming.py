"""Redeeming vouchers, in full or in part."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.db import IntegrityError, transaction

from loyalty.models import DIVISIBLE_KINDS, Voucher, VoucherEventKind, VoucherStatus
from loyalty.services.vouchers.claiming import clear_lock
from loyalty.services.vouchers.codes import make_codes
from loyalty.services.vouchers.finding import Asker, lock_vouchers, log
from loyalty.services.vouchers.refusals import (
    AmountAboveVoucher,
    PartialRedemptionNotPossible,
    about,
)
from loyalty.services.vouchers.rules import (
    require_claimed,
    require_holder,
    require_unlocked,
)

if TYPE_CHECKING:
    from datetime import datetime

_TRIES = 5


class Redemption(NamedTuple):
    """What is to be redeemed. Without an amount: all of it.

    ``key`` and ``basket_code`` tell a request that is sent again.
    """

    amount: Decimal | None = None
    basket_code: str = ""
    locking_code: str = ""
    key: str = ""


class Redeemed(NamedTuple):
    """The voucher, closed now, and the one that holds the rest.

    ``is_replay``: the request had come before, nothing happened this time.
    """

    voucher: Voucher
    regenerated: Voucher | None
    is_replay: bool = False


def redeem(
    program_id: int, code: str, wanted: Redemption, *, asker: Asker, now: datetime
) -> Redeemed:
    """Redeem a claimed voucher once; what is left becomes a voucher of its own.

    The rest has a code of its own, the same end, and can be redeemed at once. The
    same key, or without one the same basket, and the same amount again is
    answered like the first time. Locks the voucher.

    Raises:
        UnknownVoucher, VoucherNotGiven, VoucherOfOtherMember, BlockedHolder,
        VoucherNotClaimed, VoucherExpired, VoucherVoid
        VoucherAlreadyRedeemed: by another request.
        VoucherLocked: another basket holds it.
        AmountAboveVoucher: more than it is worth.
        PartialRedemptionNotPossible: less, and its kind is redeemed as a whole.
        ValueError: the amount is not above zero.
    """
    if wanted.amount is not None and wanted.amount <= 0:
        raise ValueError("Redeem an amount above zero.")
    with transaction.atomic():
        (voucher,) = lock_vouchers(program_id, [code])
        if _is_again(voucher, wanted):
            return Redeemed(voucher, _rest_of(voucher), is_replay=True)
        require_holder(voucher, asker)
        require_claimed(voucher, now)
        require_unlocked(
            voucher,
            now,
            basket_code=wanted.basket_code,
            locking_code=wanted.locking_code,
        )
        amount = _amount_of(voucher, wanted)

        _close(voucher, amount, wanted, now)
        log(
            voucher,
            VoucherEventKind.REDEEMED,
            asker=asker,
            now=now,
            amount=amount,
            basket_code=wanted.basket_code,
        )
        return Redeemed(voucher, _regenerate(voucher, amount, asker, now))


def _is_again(voucher: Voucher, wanted: Redemption) -> bool:
    """Return whether this very request redeemed the voucher."""
    if voucher.status != VoucherStatus.REDEEMED:
        return False
    if wanted.key or voucher.redemption_key:
        is_same = wanted.key == voucher.redemption_key
    else:
        basket_code = voucher.redeemed_for_basket
        is_same = bool(basket_code) and basket_code == wanted.basket_code
    whole = voucher.amount_original or Decimal(0)
    asked = whole if wanted.amount is None else wanted.amount
    return is_same and asked == voucher.amount_redeemed


def _rest_of(voucher: Voucher) -> Voucher | None:
    return voucher.regenerated_vouchers.select_related("voucher_type").first()


def _amount_of(voucher: Voucher, wanted: Redemption) -> Decimal | None:
    """Return how much is redeemed; None of a voucher without an amount."""
    whole = voucher.amount_original
    if wanted.amount is None or wanted.amount == whole:
        return whole
    if whole is None or voucher.voucher_type.kind not in DIVISIBLE_KINDS:
        raise about(
            voucher, PartialRedemptionNotPossible, "can only be redeemed as a whole."
        )
    if wanted.amount > whole:
        worth = f"{whole.normalize():f}"
        raise AmountAboveVoucher(
            f"The voucher {voucher.code} is worth {worth}.",
            field="amount",
            voucher=voucher.code,
            voucher_amount=worth,
        )
    return wanted.amount


def _close(
    voucher: Voucher, amount: Decimal | None, wanted: Redemption, now: datetime
) -> None:
    voucher.status = VoucherStatus.REDEEMED
    voucher.redeemed_at = now
    voucher.amount_redeemed = amount or Decimal(0)
    voucher.redeemed_for_basket = wanted.basket_code
    voucher.redemption_key = wanted.key
    clear_lock(voucher)
    voucher.save()


def _regenerate(
    voucher: Voucher, amount: Decimal | None, asker: Asker, now: datetime
) -> Voucher | None:
    """Return a voucher for what a partial redemption left, if it left something."""
    if amount is None or voucher.amount_original in {None, amount}:
        return None
    rest = Voucher(
        program_id=voucher.program_id,
        voucher_type=voucher.voucher_type,
        status=VoucherStatus.CLAIMED,
        member=voucher.member,
        offer_id=voucher.offer_id,
        activity_id=voucher.activity_id,
        regenerated_from=voucher,
        amount_original=(voucher.amount_original or 0) - amount,
        issued_at=now,
        claimed_at=now,
        expires_at=voucher.expires_at,
        created_at=now,
    )
    _save_under_new_code(rest)
    log(
        rest,
        VoucherEventKind.REGENERATED,
        asker=asker,
        now=now,
        amount=rest.amount_original,
    )
    return rest


def _save_under_new_code(voucher: Voucher) -> None:
    """Store the voucher; a code that is taken is made anew."""
    for tries_left in reversed(range(_TRIES)):
        (voucher.code,) = make_codes(voucher.voucher_type.prefix, 1)
        try:
            with transaction.atomic():
                voucher.save(force_insert=True)
        except IntegrityError:
            if not tries_left:
                raise
        else:
            return
