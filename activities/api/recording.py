"""Recording over the API: one activity, a batch, or none at all (simulation)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from activities.api import answers
from activities.api.commands import SOURCE, to_command
from activities.services import (
    Recorded,
    Refused,
    record_activities,
    record_activity,
    simulate_activity,
)
from activities.services.records import record_of
from campaigns.services.programme import current_programme
from loyalty.api.batches import Unreadable
from loyalty.api.bodies import escaped
from loyalty.api.fields import moment_text
from loyalty.api.idempotency import claim
from loyalty.api.problems import Problem, invalid_at, refused, wrong
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from activities.services import Outcome, RecordActivity
    from loyalty.api.authentication import Caller

BATCH_MAX = 1_000
TRIED_MAX = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with its status; ``is_replay`` if it was given before.

    ``reversed_at`` is when the activity was undone that it repeats.
    """

    body: dict[str, Any]
    status: int
    is_replay: bool = False
    reversed_at: datetime | None = None


def record_one(body: Any, key: str | None, caller: Caller, *, explain: bool) -> Answer:
    """Record one activity.

    Without a key in the body or the header one is made up, and the call must not
    be repeated: a repetition would be another activity.

    Raises:
        Problem: 409 while a request with the same key is being worked on.
        LoyaltyError: the refusal; the key is free.
    """
    now = clock.now()
    command = to_command(body, key or uuid.uuid4().hex, caller, now)

    if key is None and "key" not in body:
        recorded = record_activity(caller.program_id, command, now=now)
    else:
        with transaction.atomic():
            claim(SOURCE, caller.program_id, command.key)
            recorded = record_activity(caller.program_id, command, now=now)

    (stored,) = answers.stored_of([recorded])
    answer = answers.recorded_body(command, recorded, stored, explain=explain)
    return Answer(answer, 201, recorded.is_replay, recorded.reversed_at)


def simulate_one(body: Any, caller: Caller) -> Answer:
    """Decide one activity as it would be recorded now, and write nothing.

    Its key is not looked at: a recorded activity is decided anew. ``with_campaigns``
    counts campaigns by number as enabled.

    Raises:
        LoyaltyError: it would be refused, and why.
    """
    now = clock.now()
    tried = _tried_in(body)
    key_free = body
    if isinstance(body, dict):
        key_free = {**body, "key": None}
        key_free.pop("with_campaigns", None)
    command = to_command(key_free, uuid.uuid4().hex, caller, now)

    found = simulate_activity(caller.program_id, command, now=now, with_campaigns=tried)

    record = record_of(found.decision, found.programme)
    answer = {
        "member": found.member_id,
        "anonymous_id": command.anonymous_id,
        "type": command.activity_type,
        **answers.earnings_of(record),
        "explanation": answers.explanation_of(record),
    }
    if tried:
        live = current_programme(caller.program_id).offers
        answer["with_campaigns"] = [
            {"campaign": one, "is_live": live[one].is_enabled} for one in tried
        ]
    return Answer(answer, 200)


def _tried_in(body: Any) -> list[int]:
    """Return the campaigns that are to count as enabled, each once.

    Raises:
        Problem: 400, they are no numbers of rows or too many.
    """
    found = body.get("with_campaigns") if isinstance(body, dict) else None
    if found is None:
        return []
    if not isinstance(found, list) or len(found) > TRIED_MAX:
        detail = f"A list of at most {TRIED_MAX} numbers of campaigns."
        raise invalid_at("/with_campaigns", "invalid", detail)
    for place, one in enumerate(found):
        if isinstance(one, bool) or not isinstance(one, int) or one < 1:
            pointer = f"/with_campaigns/{place}"
            raise invalid_at(pointer, "invalid_number", "A campaign's number, 1 up.")
    return sorted(set(found))


@dataclass(slots=True)
class _Item:
    """One activity of a batch on its way."""

    command: RecordActivity | None = None
    problem: Problem | None = None
    recorded: Recorded | None = None


def record_batch(
    body: Any, key: str | None, caller: Caller, *, is_strict: bool
) -> Answer:
    """Record up to 1,000 activities, each on its own or all or none.

    Item ``i`` without a key of its own gets ``<key>/<i>`` of the header's key.

    Raises:
        Problem: 400 if nothing was recorded, with every refusal; 409 while a batch
            with the same key is being worked on.
    """
    now = clock.now()
    items = [
        _item(one, f"{key or uuid.uuid4().hex}/{place}", caller, now)
        for place, one in enumerate(_activities_in(body))
    ]
    with transaction.atomic():
        if key is not None:
            claim(SOURCE, caller.program_id, key)
        if not is_strict or not any(item.problem for item in items):
            _record(items, caller, now)
        if is_strict and any(item.problem for item in items):
            # Raised inside the block: what was recorded is taken back.
            raise _nothing_recorded(items)
    if all(item.problem for item in items):
        raise _nothing_recorded(items)
    return _batch_answer(items)


def _activities_in(body: Any) -> list[Any]:
    if not isinstance(body, dict) or body.keys() != {"activities"}:
        detail = "Write {“activities”: […]} and nothing else."
        raise invalid_at("", "invalid_batch", detail)
    found = body["activities"]
    if not isinstance(found, list):
        raise invalid_at("/activities", "not_a_list", "A list is expected here.")
    if not found:
        raise invalid_at("/activities", "empty", "Send at least one activity.")
    if len(found) > BATCH_MAX:
        detail = (
            f"At most {BATCH_MAX:,} activities in a batch; these are {len(found):,}."
        )
        raise invalid_at("/activities", "too_many", detail)
    return found


def _item(body: Any, key: str, caller: Caller, now: datetime) -> _Item:
    if isinstance(body, Unreadable):
        return _Item(problem=body.problem)
    try:
        return _Item(to_command(body, key, caller, now))
    except Problem as problem:
        return _Item(problem=problem)


def _record(items: list[_Item], caller: Caller, now: datetime) -> None:
    waiting = [item for item in items if item.command is not None]
    commands = [item.command for item in waiting if item.command is not None]
    outcomes: list[Outcome] = (
        record_activities(caller.program_id, commands, now=now) if commands else []
    )
    for item, outcome in zip(waiting, outcomes, strict=True):
        if isinstance(outcome, Refused):
            item.problem = refused(outcome.error)
        else:
            item.recorded = outcome


def _batch_answer(items: list[_Item]) -> Answer:
    recorded = [item.recorded for item in items if item.recorded is not None]
    stored = iter(answers.stored_of(recorded))
    results = [
        _result(place, item, stored.__next__) for place, item in enumerate(items)
    ]
    refused_count = len(items) - len(recorded)
    return Answer(
        {
            "recorded": len(recorded),
            "refused": refused_count,
            "results": results,
        },
        207 if refused_count else 200,
        is_replay=not refused_count and all(one.is_replay for one in recorded),
    )


def _result(
    place: int, item: _Item, next_stored: Callable[[], answers.Stored]
) -> dict[str, Any]:
    if item.recorded is None or item.command is None:
        problem = _moved(place, item.problem)
        return {"index": place, "status": problem.status, "problem": problem.as_json()}
    body = answers.recorded_body(
        item.command, item.recorded, next_stored(), explain=False
    )
    result: dict[str, Any] = {"index": place, "status": 201, "activity": body}
    if item.recorded.reversed_at is not None:
        result["reversed_at"] = moment_text(item.recorded.reversed_at)
    return result


def _moved(place: int, problem: Problem | None) -> Problem:
    """Let the pointers of an item's problem start at the batch."""
    if problem is None:
        raise AssertionError("What was not recorded has a problem.")
    errors = [
        {**error, "pointer": f"/activities/{place}{error['pointer']}"}
        for error in problem.errors
    ]
    return Problem(
        problem.status, problem.code, problem.detail, errors=errors, **problem.members
    )


def _nothing_recorded(items: list[_Item]) -> Problem:
    errors = []
    for place, item in enumerate(items):
        if item.problem is not None:
            pointer = f"/activities/{escaped(str(place))}"
            errors += _moved(place, item.problem).errors or [
                wrong(pointer, item.problem.code, item.problem.detail)
            ]
    refused_count = sum(item.problem is not None for item in items)
    return Problem(
        400,
        "nothing_recorded",
        f"Nothing was recorded: {refused_count} of {len(items)} activities cannot be.",
        errors=errors,
        refused=refused_count,
    )
