"""Background jobs: each is held by one worker, counts its attempts, has a last one.

An attempt is counted before its work begins, so that one whose process was killed
counts too. Progress that stays sets the count back to nothing. After
``ATTEMPTS_MAX`` attempts without any, the job fails with a sentence for people and
waits until somebody starts it again.
"""

from __future__ import annotations

import errno
import logging
import mmap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

T = TypeVar("T")

logger = logging.getLogger("loyalty.jobs")

ATTEMPTS_MAX = 5
LEASE_SECONDS = 20
_LOOK_EVERY_SECONDS = 1.0

UNFORESEEN = (
    "Something unexpected went wrong. The details are in the log of the worker; "
    "it can be started again from this page."
)
FILE_IS_GONE = (
    "The file is not in the data folder of the worker. It was deleted, or the web "
    "server and the workers do not share that folder."
)
OUT_OF_MEMORY = "This needs more memory than a worker may use. Split it into parts."
OUT_OF_TIME = "This took longer than a worker may take. Split it into parts."

DISK_IS_FULL = (
    "The worker has no room left on its disk. When there is some again, this can be "
    "started again from this page."
)

# One byte that a worker's main process shares with the children it forks.
_stopping = mmap.mmap(-1, 1)


class Superseded(Exception):
    """Another worker took over, or somebody called the job off."""


class Stopping(Exception):
    """The worker is asked to stop: the job is put back, and no attempt is counted."""


def ask_to_stop() -> None:
    """Let this process and its children put down what they hold, soon."""
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether this worker is asked to stop."""
    return bool(_stopping[0])


def gave_up(what: str) -> str:
    """Return the sentence of a job whose every attempt ended without a word."""
    return (
        f"{what} was begun {ATTEMPTS_MAX} times and never came to an end: its worker "
        "was stopped each time, perhaps because memory ran out. Look into the log of "
        "the worker; it can be started again from this page."
    )


@dataclass(frozen=True)
class Kind:
    """The rows of one table that are jobs, and the steps they go through.

    ``what`` begins a sentence. ``starting`` are assignments in SQL for an attempt
    that begins. Without ``is_exclusive`` several workers may hold a job at once.
    """

    what: str
    table: str
    waiting: str
    held: str
    starting: str = ""
    json_columns: frozenset[str] = field(default=frozenset())
    is_exclusive: bool = True


class Lease:
    """The right to do one job, until somebody takes it over."""

    def __init__(
        self, kind: Kind, job_id: int, attempt: int, tries: int, now: datetime
    ) -> None:
        """``now`` is the database's clock when the attempt began."""
        self.kind = kind
        self.job_id = job_id
        self.attempt = attempt
        self.tries = tries
        self.now = now
        self._looked_at = time.monotonic()

    def write(self, **changes: Any) -> None:
        """Write to the job's row, inside the caller's transaction if there is one.

        Locks the row, so that nobody takes over before the caller commits.

        Raises:
            Superseded: the lease is lost.
        """
        in_json = self.kind.json_columns
        names = "".join(
            f", {name} = %({name})s{'::jsonb' if name in in_json else ''}"
            for name in changes
        )
        values = {
            name: orjson.dumps(value).decode() if name in in_json else value
            for name, value in changes.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.kind.table} SET touched_at = clock_timestamp(){names}"  # noqa: S608 (own names)
                " WHERE id = %(id)s AND status = %(held)s AND attempt = %(attempt)s",
                {
                    **values,
                    "id": self.job_id,
                    "held": self.kind.held,
                    "attempt": self.attempt,
                },
            )
            if not cursor.rowcount:
                raise Superseded

    def look(self) -> None:
        """Keep the lease and look whether it still holds; about once a second.

        To be called wherever work goes on, as often as one likes; outside of
        transactions.

        Raises:
            Superseded: the lease is lost, or the job was called off.
            Stopping: the worker is asked to stop.
        """
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_SECONDS:
            return
        if is_stopping():
            raise Stopping
        self.write()
        self._looked_at = time.monotonic()

    def put_back(self) -> None:
        """Let the job wait for another worker; this attempt does not count.

        Raises:
            Superseded: the lease is lost.
        """
        self.write(status=self.kind.waiting, tries=max(self.tries - 1, 0))


def attempt(
    kind: Kind,
    job_id: int,
    work: Callable[[Lease], T],
    fail: Callable[[Lease, str], None],
) -> T | None:
    """Do a job that waits or that a dead worker left; None if it is not to be done.

    What ``work`` raises becomes the sentence that ``fail`` writes down. Only trouble
    with the database leaves the job as it is: a sweep queues it again.
    """
    lease = take(kind, job_id)
    if lease is None:
        return None
    try:
        if lease.tries > ATTEMPTS_MAX:
            fail(lease, gave_up(kind.what))
            return None
        return _attempt(lease, work, fail)
    except Superseded:
        return None
    except DatabaseError:
        logger.warning("%s %s is left for a sweep", kind.what, job_id, exc_info=True)
        return None


def _attempt(
    lease: Lease, work: Callable[[Lease], T], fail: Callable[[Lease, str], None]
) -> T | None:
    try:
        return work(lease)
    except (Superseded, OperationalError, InterfaceError):
        raise
    except Stopping:
        lease.put_back()
    except Exception as error:  # noqa: BLE001 (whatever it is, somebody must be told)
        fail(lease, sentence_of(error, f"{lease.kind.what} {lease.job_id}"))
    return None


def sentence_of(error: Exception, what: str) -> str:
    """Return what people are told of an exception; what is unforeseen is logged."""
    if isinstance(error, LoyaltyError):
        return error.message
    logger.error("%s failed", what, exc_info=error)
    if isinstance(error, FileNotFoundError):
        return FILE_IS_GONE
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DISK_IS_FULL
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    if isinstance(error, SoftTimeLimitExceeded):
        return OUT_OF_TIME
    return UNFORESEEN


def take(kind: Kind, job_id: int) -> Lease | None:
    """Count an attempt and claim the job; None if somebody is at it, or it ended."""
    starting = f", {kind.starting}" if kind.starting else ""
    quiet = (
        "AND (touched_at IS NULL OR touched_at < clock_timestamp()"
        f" - make_interval(secs => {LEASE_SECONDS}))"
        if kind.is_exclusive
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {kind.table} SET status = %(held)s, attempt = attempt + 1,"  # noqa: S608 (own words)
            f" tries = tries + 1, touched_at = clock_timestamp(){starting}"
            " WHERE id = %(id)s AND (status = %(waiting)s"
            f" OR (status = %(held)s {quiet}))"
            " RETURNING attempt, tries, clock_timestamp()",
            {"id": job_id, "held": kind.held, "waiting": kind.waiting},
        )
        row = cursor.fetchone()
    return Lease(kind, job_id, *row) if row else None
