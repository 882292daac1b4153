"""Batches of a contract: a full upload of Netcore against single calls.

Both go through the whole way in, from the bytes of the request to the answer, in
this process. Both send activities like the page's own sample, two products each,
of members that are known. They take turns; the best round of each counts.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import database
from benchmarks.measures import Measure, at_most, say

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMPAIGNS = 200
RATIO_AIM = 0.1
_PATH = "/v1/activity/upload"
_PRODUCTS = [
    {
        "mrp": 250.1,
        "l2_category": "Moisturizers",
        "l3_category": "Serums & Essence",
        "l1_category": "Skin",
        "price": 250.3,
        "quantity": 1,
        "product_name": "L'Oreal Paris Revitalift Crystal Micro-Essence",
    },
    {
        "l1_category": "Makeup",
        "quantity": 1,
        "mrp": 620.3,
        "product_name": "Maybelline New York Instant Age Rewind Eraser Dark Circles"
        " Treatment Concealer - 150 Neutralizer",
        "price": 496.8,
    },
]


class Size(NamedTuple):
    """How much is measured."""

    members: int
    items: int
    calls: int
    rounds: int


FULL = Size(members=10_000, items=1_000, calls=200, rounds=5)
TINY = Size(members=20, items=10, calls=5, rounds=1)


def run(size: Size) -> list[Measure]:
    """Measure what an item costs in a batch and by itself."""
    from django.conf import settings

    from benchmarks.programmes import build_program
    from loyalty.models import ActivityType, ApiKey, BusinessUnit

    settings.API_REQUESTS_PER_MINUTE = 10**9
    program = build_program("netcore", CAMPAIGNS, size.members)
    # Items say nothing of a value that could earn by itself.
    types = ActivityType.objects.filter(program=program, code="PURCHASE")
    types.update(reward_method="fixed", points=5)
    row: Any
    row, key = ApiKey.objects.create_key(name="App", program=program, can_write=True)
    # Without a unit an activity would meet the campaigns of every other unit, too.
    row.business_units.set(BusinessUnit.objects.filter(code="grocery"))
    sender = _Sender(key, size.members)
    sender.send(1)
    database.settle()

    singles, batches = [], []
    for number in range(size.rounds):
        singles.append(_seconds(sender, [1] * size.calls))
        batches.append(_seconds(sender, [size.items]))
        say(
            f"contract_batch: round {number + 1}: {singles[-1] * 1e3:.2f} ms alone, "
            f"{batches[-1] * 1e3:.3f} ms each of {size.items:,}"
        )
    return [
        at_most(
            f"contract_batch: an item of a batch of {size.items:,}, against a call",
            min(batches) * 1e3,
            min(singles) * 1e3,
            RATIO_AIM,
            "ms",
        )
    ]


def _seconds(sender: _Sender, counts: list[int]) -> float:
    """Return the seconds that each item of these uploads took."""
    bodies = [sender.body(count) for count in counts]
    started = time.perf_counter()
    for body in bodies:
        sender.upload(body)
    return (time.perf_counter() - started) / sum(counts)


class _Sender:
    """A client that never sends the same activity twice."""

    def __init__(self, key: str, member_count: int) -> None:
        from django.test import Client

        self._http = Client(headers={"host": "localhost"})
        self._headers = {"Authorization": f"Bearer {key}"}
        self._items = _items(member_count)

    def body(self, count: int) -> str:
        """Return the body of an upload of so many activities."""
        return json.dumps([next(self._items) for _ in range(count)])

    def upload(self, body: str) -> None:
        """Upload it; whatever is not a full success ends the measurement."""
        answer: Any = self._http.post(
            _PATH, body, "application/json", headers=self._headers
        )
        if answer.status_code != 200:
            raise SystemExit(f"The upload was answered {answer.content[:500]!r}")

    def send(self, count: int) -> None:
        """Send an upload, to warm up."""
        self.upload(self.body(count))


def _items(member_count: int) -> Iterator[dict[str, Any]]:
    at = datetime.now(tz=UTC).isoformat()
    number = 0
    while True:
        number += 1
        yield {
            "asset_id": "website-1",
            "activity_name": "Purchase",
            "timestamp": at,
            "identity": f"member-{1 + number * 7 % member_count}",
            "activity_source": "web",
            "activity_params": {
                "order": number,
                "total_item_qty": 2,
                "currency": "INR",
                "items": _PRODUCTS,
            },
        }
