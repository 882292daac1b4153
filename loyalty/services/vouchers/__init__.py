"""Use cases of vouchers.

Lock order: members, vouchers by primary key; the stock of lists last. Whoever
takes a listed code that nobody has off its list locks the stock before the code.
"""

from loyalty.services.vouchers.claiming import (
    CLAIMS_MAX,
    LOCK_SECONDS_MAX,
    Lock,
    claim,
    lock,
    unclaim,
    unlock,
)
from loyalty.services.vouchers.code_jobs import (
    CODES_MAX,
    ask_for_codes,
    remove_unused_codes,
    restart_code_job,
    run_code_job,
    stalled_code_jobs,
    upload_codes,
)
from loyalty.services.vouchers.expiring import expire_vouchers
from loyalty.services.vouchers.finding import Asker, voucher_with
from loyalty.services.vouchers.issuing import Order, issue, stock_of
from loyalty.services.vouchers.pictures import png_of, svg_of
from loyalty.services.vouchers.redeeming import Redeemed, Redemption, redeem
from loyalty.services.vouchers.taking_back import (
    Reversal,
    TakenBack,
    cancel,
    void_for_activities,
)

__all__ = [
    "CLAIMS_MAX",
    "CODES_MAX",
    "LOCK_SECONDS_MAX",
    "Asker",
    "Lock",
    "Order",
    "Redeemed",
    "Redemption",
    "Reversal",
    "TakenBack",
    "ask_for_codes",
    "cancel",
    "claim",
    "expire_vouchers",
    "issue",
    "lock",
    "png_of",
    "redeem",
    "remove_unused_codes",
    "restart_code_job",
    "run_code_job",
    "stalled_code_jobs",
    "stock_of",
    "svg_of",
    "unclaim",
    "unlock",
    "upload_codes",
    "void_for_activities",
    "voucher_with",
]
