"""The clock that moves points: the database's, whatever the hosts' clocks say.

A host whose clock runs ahead would expire points too early and take activities from
the future. Asking the database costs a round trip, so a process asks from time to time
and adds what its own steady clock has counted since; nobody can set that one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection

_ASKED_EVERY_SECONDS = 10.0
DIFFERENCE_MAX = timedelta(minutes=1)


class ClocksDiffer(Exception):
    """The host's and the database's clock differ; nobody knows which one is right."""


class _Asked(NamedTuple):
    """What the database said, and what the steady clock showed then."""

    at: datetime
    steady: float


_asked: _Asked | None = None


def now() -> datetime:
    """Return the database's moment, in UTC, right to a few milliseconds."""
    global _asked  # noqa: PLW0603 (remembered for the process)
    asked = _asked
    since = 0.0 if asked is None else time.monotonic() - asked.steady
    if asked is None or not 0 <= since < _ASKED_EVERY_SECONDS:
        asked, since = _ask(), 0.0
        _asked = asked
    return asked.at + timedelta(seconds=since)


def agreed_now() -> datetime:
    """Return the database's moment, asked for just now, for what cannot be undone.

    Raises:
        ClocksDiffer: it is over a minute away from the host's.
    """
    asked = _ask()
    host = datetime.now(tz=UTC)  # noqa: TID251 (to be compared, not used)
    if abs(host - asked.at) > DIFFERENCE_MAX:
        raise ClocksDiffer(
            f"This host's clock shows {host:%Y-%m-%d %H:%M:%S} UTC, the database's "
            f"{asked.at:%Y-%m-%d %H:%M:%S} UTC. Nothing expires until they differ by "
            "less than a minute. Set the clock that is wrong."
        )
    return asked.at


def _ask() -> _Asked:
    """Ask the database; half of the way there and back is on either side.

    Past Django's cursor, which tests count and logs list: which call asks is chance.
    """
    connection.ensure_connection()
    before = time.monotonic()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
    return _Asked(at.astimezone(UTC), (before + time.monotonic()) / 2)
