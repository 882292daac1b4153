"""Interacts in children that die before their first, second, … message to PostgreSQL.

``python -m tests.faults.player <program> <campaign> <member> <key> <most>`` forks a
child for each number. Each begins the same interaction and ends itself with SIGKILL
before it has sent so many; the one that needs no more has done it. Prints how many
were killed before; exits with 0 if one did it.
"""

import os
import sys
from datetime import UTC, datetime
from signal import SIGKILL

import django
import psycopg
from django.conf import settings

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def main() -> int:
    """Do what the command line says."""
    settings.DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
    # A pool has threads, which a fork does not take along.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()
    from django.db import connection

    from campaigns.services.programme import current_programme

    program_id, campaign_id, member_id = map(int, sys.argv[1:4])
    key, most = sys.argv[4], int(sys.argv[5])
    current_programme(program_id)
    connection.close()
    for place in range(most):
        child = os.fork()
        if not child:
            die_before(place)
            play(program_id, campaign_id, member_id, key)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.stdout.write(str(place))
            return os.waitstatus_to_exitcode(status)
    return 1


def die_before(place: int) -> None:
    """End this process when it is about to send message number ``place``."""
    wait = psycopg.Connection.wait
    sent = 0

    def counted(self, *arguments, **named):
        nonlocal sent
        if sent == place:
            os.kill(os.getpid(), SIGKILL)
        sent += 1
        return wait(self, *arguments, **named)

    psycopg.Connection.wait = counted  # type: ignore[method-assign]


def play(program_id: int, campaign_id: int, member_id: int, key: str) -> None:
    """Carry out the interaction."""
    from activities.services.interacting import interact
    from activities.services.interactions import Interact

    interact(program_id, Interact(campaign_id, member_id, "api", key), now=NOON)


if __name__ == "__main__":
    sys.exit(main())
