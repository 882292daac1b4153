"""The random numbers of replayed draws."""

from __future__ import annotations

import hashlib

from loyalty.engine.draw import SEED_BITS


def seed_of(activity_id: int, stored: str | None) -> int:
    """Return the random number that an activity's draws are made with.

    What was drawn before is drawn again: ``stored`` is the number that the activity
    kept, in hexadecimal. Without one it follows from the activity's own number, so
    that two backtests differ by their rules and never by luck.
    """
    if stored is not None:
        return int(stored, 16)
    digest = hashlib.sha256(f"backtest:{activity_id}".encode()).digest()
    return int.from_bytes(digest, "big") >> (256 - SEED_BITS)
