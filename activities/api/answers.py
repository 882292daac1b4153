"""What the API says of an activity that was recorded.

Only from the request and from what was written once and never changes, so the
answer to a repeated request is the first one, byte for byte.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import connection

from loyalty.api.fields import moment_text
from loyalty.api.points import points_of, score_of
from loyalty.engine.facts import Bucket
from loyalty.engine.numbers import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activities.services import RecordActivity, Recorded

BUCKETS = tuple(bucket.value for bucket in Bucket)
_POINTS = frozenset({"points", "asked", "points_budget", "left", "by_rule", "rate"})
_UNITS = frozenset({"of", "per", "times"})
_OFFSET_OF_UTC = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", re.ASCII)
_AWARD = ("offer", "kind", "bucket", "wallet", "unit", "points", "asked")
_REJECTION = ("offer", "reason")


class Stored(NamedTuple):
    """What the answer to a recorded activity is made of, from its row."""

    decision: dict[str, Any]
    anonymous_id: str | None
    occurred_at: datetime


def stored_of(recorded: Sequence[Recorded]) -> list[Stored]:
    """Return what the rows tell of each activity; one query."""
    ids = [one.activity_id for one in recorded]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, a.decision::text, p.anonymous_id, a.occurred_at"
            " FROM activities_activity a LEFT JOIN loyalty_anonymousprofile p"
            " ON p.id = a.anonymous_profile_id WHERE a.id = ANY(%s)",
            [ids],
        )
        found = {
            activity_id: Stored(orjson.loads(decision), anonymous_id, occurred_at)
            for activity_id, decision, anonymous_id, occurred_at in cursor.fetchall()
        }
    return [found[activity_id] for activity_id in ids]


def recorded_body(
    command: RecordActivity, recorded: Recorded, stored: Stored, *, explain: bool
) -> dict[str, Any]:
    """Return the answer to a recorded activity.

    Of what a repeated request may spell otherwise only what the first one said.
    """
    body: dict[str, Any] = {
        "id": recorded.activity_id,
        "key": command.key,
        # An anonymous activity may find its member later; its answer may not.
        "member": None if stored.anonymous_id is not None else recorded.member_id,
        "anonymous_id": stored.anonymous_id,
        "type": command.activity_type,
        "occurred_at": moment_text(stored.occurred_at),
        **earnings_of(stored.decision),
    }
    if explain:
        body["explanation"] = explanation_of(stored.decision)
    return body


def earnings_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return what was earned: by unit and wallet, and by wallet over all units."""
    by_unit: dict[str, dict[str, dict[str, int]]] = {}
    by_wallet: dict[str, dict[str, int]] = {}
    decimals: dict[str, int] = {}
    for award in record.get("awards", ()):
        wallet = award["wallet"]
        decimals[wallet] = award.get("decimals", 0)
        wallets = by_unit.setdefault(award["unit"] or "", {})
        for sums in (_sums(wallets, wallet), _sums(by_wallet, wallet)):
            sums[award["bucket"]] += award["points"]
            sums["total"] += award["points"]
    return {
        "earned": {
            unit: _written(wallets, decimals) for unit, wallets in by_unit.items()
        },
        "totals": _written(by_wallet, decimals),
    }


def _sums(wallets: dict[str, dict[str, int]], wallet: str) -> dict[str, int]:
    sums = wallets.get(wallet)
    if sums is None:
        sums = wallets[wallet] = dict.fromkeys((*BUCKETS, "total"), 0)
    return sums


def _written(
    wallets: dict[str, dict[str, int]], decimals: dict[str, int]
) -> dict[str, Any]:
    return {
        wallet: {name: points_of(amount, decimals[wallet]) for name, amount in some}
        for wallet, some in ((code, sums.items()) for code, sums in wallets.items())
    }


def explanation_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return the decision record as the API tells it; the same order each time."""
    if not record:
        return {"awards": [], "rejections": []}
    explanation = {
        "revision": record["revision"],
        "tier": record["tier"],
        "segments": record["segments"],
        "score": score_of(record["score"]),
        "awards": [_part(award, _AWARD) for award in record["awards"]],
        "rejections": [
            _part(rejection, _REJECTION) for rejection in record["rejections"]
        ],
    }
    if "converted" in record:
        told = record["converted"]
        explanation["converted"] = {**told, "value": format_value(told["value"])}
    if "tier_change" in record:
        change = record["tier_change"]
        change = {**change, "score": score_of(change["score"])}
        explanation["tier_change"] = _ordered(change, ())
    return explanation


def _part(part: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    decimals = part.get("decimals", 0)
    written = _ordered(part, first)
    written.pop("decimals", None)
    for name in _POINTS & written.keys():
        written[name] = points_of(part[name], decimals)
    for name in _UNITS & written.keys():
        written[name] = format_value(part[name])
    return written


def _ordered(record: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    names = [name for name in first if name in record]
    names += sorted(name for name in record if name not in first)
    return {name: _in_utc(record[name]) for name in names}


def _in_utc(value: Any) -> Any:
    """Return moments as the API writes them: in UTC, with Z.

    Those of records that were stored before 2026-12 end in +00:00.
    """
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, str) and _OFFSET_OF_UTC.fullmatch(value):
        return value.removesuffix("+00:00") + "Z"
    return value
