"""Use cases of vouchers.

Lock order: members, vouchers by primary key; the stock of lists last. Whoever
takes a listed code that nobody has off its list locks the stock before the code.
"""

from loyalty.services.vouchers.issuing import Order, issue, stock_of
from loyalty.services.vouchers.refusals import UnknownVoucherType, VoucherCodesSpent
from loyalty.services.vouchers.taking_back import TakenBack, void_for_activities

__all__ = [
    "Order",
    "TakenBack",
    "UnknownVoucherType",
    "VoucherCodesSpent",
    "issue",
    "stock_of",
    "void_for_activities",
]
