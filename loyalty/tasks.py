"""Background work on points and sessions; each task calls its services."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from loyalty.services import access_tokens, sessions, upkeep


@shared_task(acks_late=True, time_limit=3600)
def expire_points(**_: Any) -> None:
    """Expire what is due; safe to run twice."""
    upkeep.expire_points(at=timezone.now())


@shared_task(acks_late=True, time_limit=3600)
def release_points(**_: Any) -> None:
    """Release what is due; safe to run twice."""
    upkeep.release_points(at=timezone.now())


@shared_task(acks_late=True, time_limit=600)
def forget_sessions(**_: Any) -> None:
    """Forget sessions and access tokens that ended; safe to run twice."""
    now = timezone.now()
    sessions.forget_ended_sessions(at=now)
    access_tokens.forget_expired_tokens(at=now)
