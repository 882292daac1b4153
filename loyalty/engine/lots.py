"""Which lots a debit takes from, and what a credit is left with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class OpenLot(NamedTuple):
    """A lot with something left in it; ``expires_at`` None never expires."""

    id: int
    remaining: int
    earned_at: datetime
    expires_at: datetime | None
    is_pending: bool = False
    available_at: datetime | None = None

    def has_expired(self, at: datetime) -> bool:
        """Return whether the lot is gone at ``at``; the instant itself is outside."""
        return self.expires_at is not None and self.expires_at <= at

    def is_held_back(self, at: datetime) -> bool:
        """Return whether the lot cannot be spent yet at ``at``.

        The clock decides, not whether the regular work has released it.
        """
        return self.is_pending and (self.available_at is None or self.available_at > at)


class Taken(NamedTuple):
    """An amount taken from one lot."""

    lot: OpenLot
    amount: int


class Credited(NamedTuple):
    """How a credit is split when it arrives."""

    absorbed: int
    repaid: int
    remaining: int


def order_of_consumption(lot: OpenLot) -> tuple[bool, float, float, int]:
    """Return the sort key: earliest expiry, never last; then oldest; then number.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 1, tzinfo=UTC)
    >>> lots = [OpenLot(1, 5, day, None), OpenLot(2, 5, day, day)]
    >>> [lot.id for lot in sorted(lots, key=order_of_consumption)]
    [2, 1]
    """
    expires = 0.0 if lot.expires_at is None else lot.expires_at.timestamp()
    return (lot.expires_at is None, expires, lot.earned_at.timestamp(), lot.id)


def allocate(amount: int, lots: Iterable[OpenLot]) -> list[Taken]:
    """Take up to ``amount`` from ``lots`` in the order given.

    Returns less than ``amount`` in total if the lots hold less.
    """
    taken: list[Taken] = []
    for lot in lots:
        if amount <= 0:
            break
        share = min(amount, lot.remaining)
        if share > 0:
            taken.append(Taken(lot, share))
            amount -= share
    return taken


def credit(amount: int, balance: int, owed: int) -> Credited:
    """Split a credit: first it fills a negative balance, then it repays.

    >>> credit(50, balance=-30, owed=0)
    Credited(absorbed=30, repaid=0, remaining=20)
    >>> credit(50, balance=0, owed=60)
    Credited(absorbed=0, repaid=50, remaining=0)
    """
    absorbed = min(amount, max(0, -balance))
    repaid = min(amount - absorbed, owed)
    return Credited(absorbed, repaid, amount - absorbed - repaid)
