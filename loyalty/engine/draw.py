"""Drawing one of several: a pure function of a random number, so it can be checked."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from loyalty.engine.decisions import Draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEED_BITS = 128
_DIGEST_BITS = 256


def draw(campaign_id: int, candidates: Iterable[tuple[int, int]], seed: int) -> Draw:
    """Return the draw among ``candidates``, each a number and a weight.

    Args:
        campaign_id: several campaigns may draw with one seed, independently.
        candidates: any order; they are put in order of number. Weights are zero or
            more, one of them at least above zero.
        seed: a random number of 128 bits.

    Raises:
        ValueError: nobody can win.

    >>> draw(7, [(1, 1), (2, 0)], seed=3).winner_id
    1
    """
    ordered = tuple(sorted(candidates))
    total = sum(weight for _, weight in ordered)
    if total <= 0:
        raise ValueError("Nobody can win this draw.")
    ticket = ticket_of(campaign_id, seed, total)
    return Draw(campaign_id, seed, ordered, ticket, winner_of(ordered, ticket))


def ticket_of(campaign_id: int, seed: int, total: int) -> int:
    """Return a number from 0 to below ``total``, each equally likely.

    The bias of cutting 2**256 into ``total`` parts is below 2**-190.
    """
    digest = hashlib.sha256(f"{seed:032x}:{campaign_id}".encode()).digest()
    return int.from_bytes(digest) * total >> _DIGEST_BITS


def winner_of(candidates: Sequence[tuple[int, int]], ticket: int) -> int:
    """Return the number of the candidate whose share of the line holds ``ticket``.

    >>> winner_of([(1, 2), (2, 3)], 1), winner_of([(1, 2), (2, 3)], 2)
    (1, 2)
    """
    for number, weight in candidates:
        if ticket < weight:
            return number
        ticket -= weight
    raise ValueError("The ticket lies beyond the candidates.")
