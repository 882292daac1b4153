"""Clients of the API, in a process of their own.

``python -m benchmarks.clients`` reads a ``Load`` as JSON from its input, keeps that
many connections busy with one activity after another, and prints an ``Answered``.
Written on bare sockets, because every cycle it takes is one the server lacks.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: a body with room for {key} and {member}, and for how long."""

    port: int
    api_key: str
    body: str
    members: int
    clients: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Requests per second, and how long the middle one and the slow ones took."""

    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float


def apply(load: Load) -> Answered:
    """Put a load on the server, from another process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clients"],
        input=json.dumps(asdict(load)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Answered(**json.loads(done.stdout))


async def _measured(load: Load) -> Answered:
    counted_from = time.perf_counter() + WARM_UP_SECONDS
    until = counted_from + load.seconds
    clients = [_client(load, counted_from, until) for _ in range(load.clients)]
    times = sorted(one for some in await asyncio.gather(*clients) for one in some)
    percentiles = statistics.quantiles(times, n=100)
    return Answered(
        len(times) / load.seconds, percentiles[49] * 1_000, percentiles[98] * 1_000
    )


async def _client(load: Load, counted_from: float, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    times: list[float] = []
    started = time.perf_counter()
    while started < until:
        writer.write(_request(load))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length_in(head))
        if not head.startswith(b"HTTP/1.1 201"):
            raise AssertionError((head + body).decode())
        ended = time.perf_counter()
        if started >= counted_from and ended <= until:
            times.append(ended - started)
        started = ended
    writer.close()
    return times


def _request(load: Load) -> bytes:
    body = load.body.replace("{key}", uuid.uuid4().hex).replace(
        "{member}", f"member-{random.randint(1, load.members)}"
    )
    head = (
        "POST /api/v1/activities HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {load.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def _length_in(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise AssertionError(f"An answer without a length: {head.decode()}")


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_measured(Load(**json.load(sys.stdin)))))))
