"""Who is held out of a campaign, so that its effect can be measured.

A number from 0 to 9,999 falls to each member: the first 48 bits of the SHA-256 of
``salt:member``, scaled. Whoever's is below the share is held out. So the groups can
be recomputed by anybody who knows the salt, and a larger share keeps everyone whom
the smaller one held out.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

# Shares are counted in so many parts.
PARTS = 10_000
# SHA-256 gives more bits; so many fit, times PARTS, into a bigint of PostgreSQL.
BITS = 48


class Holdout(NamedTuple):
    """What decides who is held out; ``share`` counts 1/10,000."""

    salt: str
    share: int


def is_held_out(salt: str, member_id: int, share: int) -> bool:
    """Return whether the member is one of those held out.

    Args:
        salt: keeps the groups of two campaigns independent of each other.
        member_id: the member's number.
        share: how many of 10,000 are held out; 0 is nobody, 10,000 everybody.

    >>> [one for one in range(1, 60) if is_held_out("spring", one, 1000)]
    [3, 4, 11, 36, 43, 44]
    >>> [one for one in range(1, 60) if is_held_out("spring", one, 500)]
    [11, 36, 43]
    """
    digest = sha256(b"%b:%d" % (salt.encode(), member_id)).digest()
    drawn = int.from_bytes(digest[: BITS // 8], "big")
    return drawn * PARTS >> BITS < share
