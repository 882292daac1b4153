"""Short-lived access tokens of client apps (OAuth 2.0, client credentials)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from loyalty.models import AccessToken

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME = timedelta(hours=1)


def keep_access_token(
    digest: bytes, api_key_id: str, scopes: frozenset[str], *, now: datetime
) -> AccessToken:
    """Let a token open what its API key opens, cut to ``scopes``, for an hour.

    Only the token's digest is kept. Whatever closes the key closes its tokens.
    """
    return AccessToken.objects.create(
        digest=digest,
        api_key_id=api_key_id,
        can_read="read" in scopes,
        can_write="write" in scopes,
        can_interact="interactions:write" in scopes,
        created_at=now,
        expires_at=now + LIFETIME,
    )


def forget_expired_tokens(*, at: datetime) -> int:
    """Delete the tokens that open nothing any more; return how many."""
    count, _ = AccessToken.objects.filter(expires_at__lte=at).delete()
    return count
