"""Live: single activities over HTTP against the real server, as it is served.

The reference is pgbench with the statements that the server sends for one such
activity, on a copy of the database: the same work without Python and HTTP. Both
take turns; the median of the rounds counts.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import clients, database, handwritten
from benchmarks.measures import Measure, at_least, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.models import Program

CAMPAIGNS = 200
CLIENTS = (1, 8, 32)
RATIO_AIM = 0.25
AIMED_AT = 8
# The member of the activity that is taken from the wire.
_PROBED = 4
_PROBE = "probe"
_FIRST_IDS = {
    "loyalty_member": 710_000_001,
    "loyalty_account": 720_000_001,
    "activities_activity": 730_000_001,
    "loyalty_entry": 740_000_001,
}


class Size(NamedTuple):
    """How much is measured."""

    members: int
    seconds: int
    rounds: int


FULL = Size(50_000, 6, 3)
TINY = Size(50, 1, 1)


class Round(NamedTuple):
    """One turn of both at some number of clients."""

    served: clients.Answered
    by_hand: float


def run(size: Size) -> list[Measure]:
    """Measure requests per second at several numbers of clients."""
    from benchmarks.programmes import build_program
    from loyalty.models import ApiKey

    # Ids of one kind look like no other number, so that they can be recognised.
    for table, first in _FIRST_IDS.items():
        database.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {first}")
    program = build_program("live", CAMPAIGNS, size.members)
    _, key = ApiKey.objects.create_key(name="Till", program=program, can_write=True)
    script = _script(program, key)
    database.settle()

    with database.copied("pgbench") as address:
        rounds = _rounds(size, key, script, address)
    return [row for count in CLIENTS for row in _measures(count, rounds[count])]


def _body(key: str, member: str) -> str:
    return json.dumps(
        {
            "key": key,
            "member": {"kind": "customer_id", "value": member},
            "type": "PURCHASE",
            "channel": "STORE",
            "business_unit": "grocery",
            "occurred_at": datetime.now(tz=UTC).isoformat(),
            "value": "42.50",
            "items": [
                {"item_id": "product-1", "value": "12.50"},
                {"item_id": "product-9", "value": "30"},
            ],
        }
    )


def _script(program: Program, api_key: str) -> str:
    """Send one activity through the API, and return it as a pgbench script."""
    from benchmarks import wire
    from loyalty.models import Account, Entry, Identity

    named = Identity.objects.get(program=program, value=f"member-{_PROBED}")
    account = Account.objects.get(member=named.member_id)
    _post(api_key, "warm-up", "member-1")
    first_entry = Entry.objects.count() + _FIRST_IDS["loyalty_entry"]
    with wire.recorded() as statements:
        answer = _post(api_key, _PROBE, f"member-{_PROBED}")
    entries = Entry.objects.filter(pk__gte=first_entry).order_by("pk")
    return handwritten.script(
        statements,
        ids={
            "activities_activity": [answer["id"]],
            "loyalty_entry": list(entries.values_list("pk", flat=True)),
        },
        words={
            f"member-{_PROBED}": "member-:number",
            str(named.member_id): ":member",
            str(account.pk): ":account",
            _PROBE: "key-:key",
        },
        settings=[
            rf"\set number random(1, {Identity.objects.count()})",
            rf"\set member {named.member_id - _PROBED} + :number",
            rf"\set account {account.pk - _PROBED} + :number",
            r"\set key random(1, 9000000000000000000)",
        ],
    )


def _post(api_key: str, key: str, member: str) -> Any:
    from django.test import Client

    answer = Client(headers={"host": "localhost"}).post(
        "/api/v1/activities",
        _body(key, member),
        content_type="application/json",
        headers={"authorization": f"Bearer {api_key}"},
    )
    if answer.status_code != 201:
        raise AssertionError(answer.content.decode())
    return answer.json()


def _rounds(size: Size, key: str, script: str, address: str) -> dict[int, list[Round]]:
    path = Path(os.environ["DATA_FOLDER"]) / "activity.sql"
    path.write_text(script)
    found: dict[int, list[Round]] = {count: [] for count in CLIENTS}
    with _server() as port:
        for _ in range(size.rounds):
            for count in CLIENTS:
                load = clients.Load(
                    port,
                    key,
                    _body("{key}", "{member}"),
                    size.members,
                    count,
                    size.seconds,
                )
                served = clients.apply(load)
                by_hand = handwritten.rate(address, path, count, size.seconds)
                found[count].append(Round(served, by_hand))
                say(
                    f"live: {count} clients: {served.per_second:,.0f}/s,"
                    f" p99 {served.p99_milliseconds:.0f} ms; pgbench {by_hand:,.0f}/s"
                )
    return found


@contextmanager
def _server() -> Iterator[int]:
    """Run the web server as ``manage.py serve`` does; give its port."""
    from loyalty.management.commands.serve import web_command

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "API_REQUESTS_PER_MINUTE": "10000000"}
    process = subprocess.Popen(web_command("127.0.0.1", port), env=environment)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("The web server did not start.")


def _measures(count: int, rounds: list[Round]) -> list[Measure]:
    best = sorted(rounds, key=lambda one: one.served.per_second / one.by_hand)
    middle = best[len(best) // 2]
    name = f"live: POST /api/v1/activities, {count} clients, against pgbench"
    rate = at_least(name, middle.served.per_second, middle.by_hand, RATIO_AIM, "/s")
    if count != AIMED_AT:
        rate = Measure(name, rate.value, rate.reference, rate.ratio)
    p50 = statistics.median(one.served.p50_milliseconds for one in rounds)
    p99 = statistics.median(one.served.p99_milliseconds for one in rounds)
    times = Measure(
        f"live: p50 and p99 of these, {count} clients", f"{p50:.1f} / {p99:.1f} ms"
    )
    return [rate, times]
