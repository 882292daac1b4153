"""How often a key may call: so many requests in each minute of the clock."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core.cache import cache
from redis import RedisError
from rest_framework.throttling import BaseThrottle

from loyalty.api.authentication import Caller

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger("loyalty.api")

_WINDOW = 60  # seconds


class Rate(NamedTuple):
    """Where a key stands: the limit, what is left, seconds until it starts anew."""

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class KeyThrottle(BaseThrottle):
    """Counts requests per key in the cache; leaves the rate on the request."""

    rate: Rate | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the key has not used up its minute."""
        caller = request.auth
        if not isinstance(caller, Caller):
            return True
        limit: int = settings.API_REQUESTS_PER_MINUTE
        minute, second = divmod(int(time.time()), _WINDOW)
        used = _count(f"api-rate:{caller.key_id[:8]}:{minute}")
        self.rate = Rate(limit, max(0, limit - used), _WINDOW - second)
        request._request.rate = self.rate  # type: ignore[attr-defined]
        return used <= limit

    def wait(self) -> float | None:
        """Return the seconds until the next minute."""
        return None if self.rate is None else float(self.rate.reset)


def seconds_to_wait_after_failure(address: str) -> int | None:
    """Count one call with wrong credentials from an address.

    Returns:
        Seconds until the next minute, if the address has used up its failures of this
        one; else None.
    """
    minute, second = divmod(int(time.time()), _WINDOW)
    used = _count(f"api-failures:{address[:64]}:{minute}")
    is_over = used > settings.API_FAILED_SIGN_INS_PER_MINUTE
    return _WINDOW - second if is_over else None


def _count(name: str) -> int:
    """Return how many calls there were; none where the cache is away.

    Who may call must not depend on it: the database decides about points.
    """
    try:
        return _counted(name)
    except (OSError, RedisError):
        logger.warning("The cache is away: rates are not counted", exc_info=True)
        return 0


def _counted(name: str) -> int:
    try:
        return cache.incr(name)
    except ValueError:
        # Two may meet here; the second then adds to the first one's count.
        return 1 if cache.add(name, 1, 2 * _WINDOW) else cache.incr(name)
