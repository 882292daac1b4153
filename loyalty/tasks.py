"""Background work on points; each task calls the service of the same name."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from loyalty.services import upkeep


@shared_task(acks_late=True, time_limit=3600)
def expire_points(**_: Any) -> None:
    """Expire what is due; safe to run twice."""
    upkeep.expire_points(at=timezone.now())


@shared_task(acks_late=True, time_limit=3600)
def release_points(**_: Any) -> None:
    """Release what is due; safe to run twice."""
    upkeep.release_points(at=timezone.now())
