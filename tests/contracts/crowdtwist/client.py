"""Calling the CrowdTwist contract, and the rows of its samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.test import Client

from loyalty.models import (
    Category,
    FrequencyPeriod,
    Kind,
    Partner,
    Program,
    ReportingChannel,
    SegmentMode,
    Tag,
)
from tests.builders import (
    make_segment,
    make_tier,
    make_type,
)
from tests.callers import make_key

PAYLOADS = Path(__file__).parent / "payloads"
HOST = "http://testserver"


def payload(name: str) -> Any:
    """Return the payload of a file."""
    return json.loads((PAYLOADS / f"{name}.json").read_bytes())


class CrowdTwist:
    """Calls the contract with the key in the header."""

    def __init__(self, program: Program, **key: Any) -> None:
        self.program = program
        self.key = make_key(program, **key)[1]
        self._client = Client(raise_request_exception=False)

    def get(self, path: str) -> Any:
        return self.call("get", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("post", path, body)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``body`` may be bytes, or a value to write as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        sent = headers or {"X-CT-Authorization": f"CTApiKey {self.key}"}
        return self._client.generic(
            method.upper(),
            path,
            body or b"",
            "application/json" if body is not None else "",
            headers=sent,
        )

    def bare(self, path: str) -> Any:
        """Call without a header."""
        return self._client.get(path)


def listed(response: Any) -> list[str]:
    """Return the names in a list, whichever of the two shapes it has."""
    assert response.status_code == 200, response.content
    body = response.json()
    rows = body["activities"] if isinstance(body, dict) else body
    return [row.get("name") or row["title"] for row in rows]


def error_in(response: Any, status: int, code: str) -> str:
    """Return the message, after checking the envelope."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body: dict[str, str] = response.json()
    assert set(body) == {"error", "message"}
    assert body["error"] == code
    assert body["message"]
    return body["message"]


def fixed(program: Program, name: str, **fields: Any) -> Any:
    """Return a type that pays 100 points and is called ``name`` everywhere."""
    code = name.upper().replace(" ", "_")
    defaults = {"name": name, "title": name, "reward_method": "fixed", "points": 100}
    return make_type(program, code, **{**defaults, **fields})


def redeemed_a_code(program: Program) -> Any:
    """Return the type of the source's sample."""
    row = fixed(
        program,
        "redeemed a code",
        title="Redeemed a Code",
        description="Redeemed a Code",
        points=1000,
        image="https://cdn.example.com/img/image.jpg",
        category=Category.objects.get(name="Buy"),
        type_kind=Kind.objects.get(key="merchandise"),
        cap_count=2,
        frequency_period=FrequencyPeriod.objects.get(name="One Calendar Week"),
        starts_at="2017-10-01T00:00:00-04:00",
        minimum_tier=make_tier(program, "Gold", 1_000),
        show_as_locked_by_tier=True,
        public_title="redeemed a code",
        public_description="redeemed a code",
        partner=Partner.objects.create(program=program, name="Acme Car Rentals"),
        segment=make_segment(program, name="Canada Members"),
        segment_mode=SegmentMode.INCLUSION,
    )
    row.tags.set(
        [
            Tag.objects.create(program=program, name=name)
            for name in ("Retail", "Sports")
        ]
    )
    return row


def everything(program: Program) -> Any:
    """Return a type with every field that the sample leaves null."""
    return fixed(
        program,
        "watched a video",
        type_kind=Kind.objects.get(key="your-site"),
        reporting_channel=ReportingChannel.objects.get(pk=24),
        starts_at="2026-01-01T00:00:00Z",
        ends_at="2027-01-01T00:00:00Z",
        required_attempts=3,
        redirect_url="https://www.example.com",
        points_on_click=True,
        action_tags="<script>report()</script>",
        extra_data={"Test": "Test"},
    )
