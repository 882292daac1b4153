"""Why something cannot be done with a voucher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from loyalty.models import Voucher


class VoucherRefusal(LoyaltyError):
    """A refusal about one voucher; ``facts["voucher"]`` is its code."""

    code = "voucher_refused"

    def __init__(self, message: str, *, field: str = "", **facts: Any) -> None:
        """Keep the sentence and the facts."""
        super().__init__(message, field=field, **facts)


class UnknownVoucher(VoucherRefusal):
    """The program has no voucher with this code."""

    code = "unknown_voucher"


class UnknownVoucherType(LoyaltyError):
    """The program has no such type of vouchers."""

    code = "unknown_voucher_type"


class VoucherCodesSpent(LoyaltyError):
    """The list has fewer codes left than vouchers are to be given."""

    code = "voucher_codes_spent"


class VoucherNotGiven(VoucherRefusal):
    """The code is on a list and nobody has it yet."""

    code = "voucher_not_given"


class VoucherNotClaimed(VoucherRefusal):
    """It must be claimed first."""

    code = "voucher_not_claimed"


class VoucherAlreadyRedeemed(VoucherRefusal):
    """It was redeemed, by another request than this one."""

    code = "voucher_already_redeemed"


class VoucherExpired(VoucherRefusal):
    """Its time is over."""

    code = "voucher_expired"


class VoucherVoid(VoucherRefusal):
    """It was taken back."""

    code = "voucher_void"


class VoucherLocked(VoucherRefusal):
    """A basket holds it; ``facts["locked_until"]`` says until when."""

    code = "voucher_locked"


class VoucherOfOtherMember(VoucherRefusal):
    """Another member has it."""

    code = "voucher_of_other_member"


class ClaimNotAllowed(VoucherRefusal):
    """Members may not claim vouchers of this type themselves."""

    code = "claim_not_allowed"


class BlockedHolder(VoucherRefusal):
    """The member who has it is blocked."""

    code = "member_blocked"


class AmountAboveVoucher(VoucherRefusal):
    """More was to be redeemed than the voucher is worth."""

    code = "amount_above_voucher"


class PartialRedemptionNotPossible(VoucherRefusal):
    """Vouchers of this kind are redeemed as a whole."""

    code = "partial_redemption_not_possible"


class TooManyVouchers(LoyaltyError):
    """More vouchers than one call takes."""

    code = "too_many_vouchers"


def about(
    voucher: Voucher, refusal: type[VoucherRefusal], words: str
) -> VoucherRefusal:
    """Return a refusal that names the voucher."""
    return refusal(f"The voucher {voucher.code} {words}", voucher=voucher.code)
