"""Background work on points, vouchers and sessions; each calls its services.

Regular work is not sent again when its process is killed: beat sends it anyway, and
what kills a process would kill it for ever. A broker that is down when a job is queued
is no failure of whoever asked for it: a sweep queues it later.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import shared_task
from django.db import transaction

from loyalty.services import (
    access_tokens,
    clock,
    identities,
    sessions,
    upkeep,
    vouchers,
)

logger = logging.getLogger(__name__)

_STALLED_AFTER = timedelta(minutes=2)


def queue_on_commit(task: Any, **arguments: Any) -> None:
    """Queue a task once the transaction commits; a broker that is down is logged."""
    transaction.on_commit(partial(task.delay, **arguments), robust=True)


@shared_task(acks_late=False, time_limit=3600)
def expire_points(**_: Any) -> None:
    """Expire what is due; safe to run twice."""
    at = _moment_to_expire()
    if at is not None:
        upkeep.expire_points(at=at)


@shared_task(acks_late=False, time_limit=3600)
def release_points(**_: Any) -> None:
    """Release what is due; safe to run twice."""
    upkeep.release_points(at=clock.now())


@shared_task(acks_late=False, time_limit=600)
def forget_sessions(**_: Any) -> None:
    """Forget sessions and access tokens that ended; safe to run twice."""
    now = clock.now()
    sessions.forget_ended_sessions(at=now)
    access_tokens.forget_expired_tokens(at=now)


def enqueue_code_job(job_id: int) -> None:
    """Queue the filling of a list of voucher codes, once the transaction commits."""
    queue_on_commit(run_code_job, job_id=job_id)


@shared_task(acks_late=True, time_limit=3600)
def run_code_job(*, job_id: int, **_: Any) -> None:
    """Fill a list of voucher codes; safe to run twice."""
    vouchers.run_code_job(job_id)


@shared_task(acks_late=False, time_limit=60)
def sweep_code_jobs(**_: Any) -> None:
    """Queue the lists of codes whose worker died."""
    for job_id in vouchers.stalled_code_jobs(now=clock.now(), after=_STALLED_AFTER):
        enqueue_code_job(job_id)


def enqueue_settling(program_id: int) -> None:
    """Queue the comparing of a program's identities, once the transaction commits."""
    queue_on_commit(settle_identities, program_id=program_id)


@shared_task(acks_late=False, time_limit=3600)
def settle_identities(*, program_id: int | None = None, **_: Any) -> None:
    """Compare the identities of a program, or of all, anew; safe to run twice."""
    identities.settle(program_id)


@shared_task(acks_late=False, time_limit=3600)
def expire_vouchers(**_: Any) -> None:
    """Mark the vouchers whose time is over; safe to run twice."""
    at = _moment_to_expire()
    if at is not None:
        vouchers.expire_vouchers(at=at)


def _moment_to_expire() -> datetime | None:
    """Return the database's moment; None, and a line in the log, if clocks differ."""
    try:
        return clock.agreed_now()
    except clock.ClocksDiffer as error:
        logger.error("%s", error)  # noqa: TRY400 (the sentence says it all)
        return None
