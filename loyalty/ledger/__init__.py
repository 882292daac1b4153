"""The only writer of points.

Entries are immutable; a member's account, lots and completions change only here
and only while the member's row is locked. Lock order, everywhere: anonymous
profiles, members, campaign usage, each by primary key.
"""

from loyalty.ledger.awards import (
    AMOUNT_MAX,
    AmountTooLarge,
    AwardPosting,
    post_awards,
    post_completions,
    too_large,
)
from loyalty.ledger.charges import Charge, Purse
from loyalty.ledger.check import Mismatch, mismatches
from loyalty.ledger.holdings import Holding, holdings_of, lock_members
from loyalty.ledger.journal import Journal
from loyalty.ledger.movements import (
    InsufficientPoints,
    Step,
    adjust,
    expire_due,
    release_due,
    spend,
)
from loyalty.ledger.reversals import Reversed, Undoing, reverse_awards

__all__ = [
    "AMOUNT_MAX",
    "AmountTooLarge",
    "AwardPosting",
    "Charge",
    "Holding",
    "InsufficientPoints",
    "Journal",
    "Mismatch",
    "Purse",
    "Reversed",
    "Step",
    "Undoing",
    "adjust",
    "expire_due",
    "holdings_of",
    "lock_members",
    "mismatches",
    "post_awards",
    "post_completions",
    "release_due",
    "reverse_awards",
    "spend",
    "too_large",
]
