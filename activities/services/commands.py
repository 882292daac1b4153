"""What enters: the command to record one activity, and what may come of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from loyalty.engine.numbers import format_value
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loyalty.engine.decisions import Decision

#: The source of the native API; unless somebody says otherwise, that of files too.
RECEIPTS = "api"
#: Contracts whose clients number receipts themselves. Their keys are those of the
#: native API: one receipt is one activity, whichever way it comes.
SHARING_RECEIPTS = ("es_loyalty", "hang")


class Line(NamedTuple):
    """A line item as it was reported; ``units`` is its value in 1/10,000."""

    item_id: str
    units: int
    quantity: str = ""
    group_id: str = ""


class NaturalKeys(NamedTuple):
    """The natural keys of one event under whatever name its actor is known.

    ``of_identity`` and ``of_anonymous`` return the key with an identity of
    ``identity_kind`` and with an anonymous id.
    """

    identity_kind: str
    of_identity: Callable[[str], str]
    of_anonymous: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class RecordActivity:
    """One activity as its caller reported it, normalised.

    ``member`` names the actor by identity, as (kind, value); ``member_id`` names
    it by number. One of them, or ``anonymous_id``, is given. An ``anonymous_id``
    beside a member says that the anonymous profile is that member's: the first
    such activity merges it. ``also_known_as`` are identities by which the member
    is looked for if nobody has ``member``; ``member`` then becomes another
    identity of whom they find. ``key`` is unique within ``key_scope``;
    ``has_natural_key`` says that it was made of the payload, so that the same key
    is the same request. ``units`` is the value in 1/10,000; None if the caller gave
    none, and the value is then the sum of the lines. ``given_points`` stand in place
    of what the type's own rule computes: whole points of its wallet, zero or more.
    ``currency`` is an ISO code, empty if the caller named none. Moments are aware;
    ``received_at`` is when the request or file reached the edge.
    ``is_from_file`` says that it stood in an uploaded file. ``natural_keys`` are those
    of an event that may have come under another name of its actor.
    """

    source: str
    key: str
    activity_type: str
    occurred_at: datetime
    occurred_at_text: str
    received_at: datetime
    zone_assumed: bool = False
    member: tuple[str, str] | None = None
    member_id: int | None = None
    anonymous_id: str | None = None
    channel: str | None = None
    business_unit: str | None = None
    units: int | None = None
    lines: tuple[Line, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    given_points: int | None = None
    also_known_as: tuple[tuple[str, str], ...] = ()
    has_natural_key: bool = False
    currency: str = ""
    is_from_file: bool = False
    natural_keys: NaturalKeys | None = field(default=None, compare=False, repr=False)

    @property
    def key_scope(self) -> str:
        """Return within what the key is unique: see ``scope_of``."""
        return scope_of(self.source)


def scope_of(source: str) -> str:
    """Return the source within which keys of ``source`` are unique.

    >>> scope_of("hang"), scope_of("till-import")
    ('api', 'till-import')
    """
    return RECEIPTS if source in SHARING_RECEIPTS else source


def scopes_to_search(source: str) -> tuple[str, ...]:
    """Return the scopes in which a key of ``source`` may stand already.

    Rows of the sharing contracts from before they shared are scopes of their own.
    """
    scope = scope_of(source)
    return (RECEIPTS, *SHARING_RECEIPTS) if scope == RECEIPTS else (scope,)


def payload_of(command: RecordActivity) -> dict[str, Any]:
    """Return what makes two requests the same request, by field name.

    Spelling does not matter (``50`` and ``50.0``, key order, the zone a moment
    was written in); when it arrived does not either.
    """
    actor: Any = command.member_id
    if command.member is not None:
        actor = list(command.member)
    if command.anonymous_id is not None:
        known_as = {} if actor is None else {"member": actor}
        actor = {"anonymous_id": command.anonymous_id, **known_as}
    payload = {
        "member": actor,
        "type": command.activity_type,
        "channel": command.channel,
        "business_unit": command.business_unit,
        "occurred_at": command.occurred_at.isoformat(),
        "value": None if command.units is None else format_value(command.units),
        "items": [
            [line.item_id, line.units, line.quantity, line.group_id]
            for line in command.lines
        ],
        "data": command.data,
    }
    # Named only where it is used: fingerprints that are stored stay what they were.
    if command.given_points is not None:
        payload["points"] = command.given_points
    if command.currency:
        payload["currency"] = command.currency
    return payload


def fingerprint_of(command: RecordActivity) -> bytes:
    """Return the SHA-256 digest of the normalised payload, or of a natural key."""
    if command.has_natural_key:
        return hashlib.sha256(command.key.encode()).digest()
    text = orjson.dumps(payload_of(command), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()


@dataclass(slots=True)
class Recorded:
    """The activity stands. ``is_replay`` says it stood before this command.

    ``decision`` is None for a replay; the row's decision record tells then.
    ``reversed_at`` is when an activity that is replayed was undone, if it was.
    """

    activity_id: int
    member_id: int | None
    is_replay: bool = False
    decision: Decision | None = None
    reversed_at: datetime | None = None


@dataclass(slots=True)
class Refused:
    """Nothing was stored; the key is still free."""

    error: LoyaltyError


Outcome = Recorded | Refused


class UnknownActivityType(LoyaltyError):
    """No activity type has this code."""

    code = "unknown_activity_type"


class UnknownChannel(LoyaltyError):
    """No channel has this code."""

    code = "unknown_channel"


class DisabledChannel(LoyaltyError):
    """The channel is switched off."""

    code = "disabled_channel"


class UnknownBusinessUnit(LoyaltyError):
    """No business unit has this code."""

    code = "unknown_business_unit"


class DisabledBusinessUnit(LoyaltyError):
    """The business unit is switched off."""

    code = "disabled_business_unit"


class UnknownMember(LoyaltyError):
    """Nobody has this identity."""

    code = "unknown_member"


class BlockedMember(LoyaltyError):
    """The member is blocked."""

    code = "blocked_member"


class OccursInTheFuture(LoyaltyError):
    """The activity lies more than an hour ahead."""

    code = "occurs_in_the_future"


class OccurredTooLongAgo(LoyaltyError):
    """The activity is older than the program accepts."""

    code = "occurred_too_long_ago"


class NegativeValue(LoyaltyError):
    """The activity type takes no negative values."""

    code = "negative_value"


class NoExchangeRate(LoyaltyError):
    """The program has no rate for the activity's currency at its moment."""

    code = "no_exchange_rate"


class Implausible(LoyaltyError):
    """A figure is beyond what the program takes for plausible."""

    code = "implausible"


class ValueTooLarge(LoyaltyError):
    """The lines add up to a value that no activity can have."""

    code = "invalid_number"


class KeyReused(LoyaltyError):
    """The key was used for another request; ``facts["differing"]`` names fields."""

    code = "key_reused"


class ProgramDisabled(LoyaltyError):
    """The program is switched off."""

    code = "program_disabled"
