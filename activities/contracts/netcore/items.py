"""Reading one item of an upload; strict, total, every fault at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from activities.contracts.netcore.envelope import CONTRACT
from activities.services import RecordActivity
from activities.services.commands import NaturalKeys
from activities.services.discovering import NAME_CHARACTERS_MAX
from loyalty.api.batches import Unreadable
from loyalty.api.bodies import DATA_CHARACTERS_MAX, escaped, plain
from loyalty.api.problems import Problem
from loyalty.engine.moments import InvalidMoment, Moment, parse_moment
from loyalty.engine.numbers import InvalidNumber, NumberText, parse_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, tzinfo

    from loyalty.engine.identities import IdentityRules
    from loyalty.engine.programme import TypeRule

ID_CHARACTERS_MAX = 255
SOURCE_CHARACTERS_MAX = 50
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_NO_DIGITS = re.compile(r"\D", re.ASCII)
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_EXACT_MAX = 2**53

MISSING = "MISSING_PARAMETER"
INVALID_TYPE = "INVALID_TYPE"
TOO_LONG = "TOO_LONG"
TOO_LARGE = "TOO_LARGE"
EMPTY_ARRAY = "EMPTY_ARRAY"
INVALID_TIMESTAMP = "INVALID_TIMESTAMP"
CONFLICTING_IDS = "CONFLICTING_IDENTIFIERS"
INVALID_VALUE = "INVALID_VALUE"
NOT_AN_OBJECT = "NOT_AN_OBJECT"
UNREADABLE = "UNREADABLE"


class Fault(NamedTuple):
    """What is wrong with an item: the member, a stable code, and a sentence."""

    field: str
    code: str
    error: str


class Reading(NamedTuple):
    """How items are read: what the program and the call say about all of them."""

    zone: tzinfo | None
    primary_identity: str
    business_unit: str | None
    received_at: datetime
    rules: IdentityRules


@dataclass(slots=True)
class Item:
    """One item of an upload on its way; it is accepted if it ends without faults."""

    place: int
    faults: list[Fault] = field(default_factory=list)
    name: str = ""
    asset: str = ""
    source: str = ""
    identity: str | None = None
    anonymous_id: str | None = None
    email: str | None = None
    mobile: str | None = None
    # Identity and e-mail address as they were sent, capitals and all.
    spelled: tuple[str | None, str | None] = (None, None)
    moment: Moment | None = None
    moment_text: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    # The same, numbers as they were written.
    written: dict[str, Any] = field(default_factory=dict)
    params_text: bytes = b"{}"
    units: int | None = None


def read_item(place: int, body: Any, reading: Reading) -> Item:
    """Return the item with all its faults."""
    item = Item(place)
    if isinstance(body, Unreadable):
        item.faults.append(_unreadable(body.problem))
        return item
    if not isinstance(body, dict):
        error = "Bad Request - Every activity is an object"
        item.faults.append(Fault("", NOT_AN_OBJECT, error))
        return item
    read = _Reader(body, item.faults)
    item.name = read("activity_name", _text, NAME_CHARACTERS_MAX) or ""
    item.asset = read("asset_id", _text, ID_CHARACTERS_MAX) or ""
    _read_moment(item, read, reading.zone)
    _read_actor(item, read)
    item.source = read("activity_source", _text, SOURCE_CHARACTERS_MAX) or ""
    item.params = read("activity_params", _params) or {}
    if not item.faults:
        item.written = body["activity_params"]
        item.params_text = _canonical(item.params)
        if len(item.params_text) > DATA_CHARACTERS_MAX:
            item.faults.append(
                Fault("activity_params", TOO_LARGE, "Too Large - Activity Params")
            )
    return item


class _WrongMember(Exception):
    """A member of an item is absent or cannot be taken."""

    def __init__(self, code: str, told: str = "", path: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.told = told
        self.path = path


_LABELS = {
    MISSING: "Missing Parameter",
    TOO_LONG: "Too Long",
    TOO_LARGE: "Too Large",
    EMPTY_ARRAY: "Empty Array",
}


class _Reader:
    """Reads members one by one and keeps what is wrong with them."""

    __slots__ = ("_body", "_faults")

    def __init__(self, body: dict[str, Any], faults: list[Fault]) -> None:
        self._body = body
        self._faults = faults

    def __call__(self, name: str, reader: Callable[..., Any], *limits: Any) -> Any:
        try:
            return reader(self._body.get(name), *limits)
        except _WrongMember as wrong:
            self.refuse(f"{name}{wrong.path}", wrong.code, wrong.told or name)
            return None

    def refuse(self, name: str, code: str, told: str) -> None:
        """Note a fault. ``told`` is a member's name, or a sentence."""
        parameter = told.replace("_", " ").title() if " " not in told else told
        label = _LABELS.get(code, "Invalid Parameter")
        self._faults.append(Fault(name, code, f"{label} - {parameter}"))


def _text(value: Any, longest: int) -> str:
    if value is None:
        raise _WrongMember(MISSING)
    if not isinstance(value, str) or isinstance(value, NumberText):
        raise _WrongMember(INVALID_TYPE)
    text = value.strip()
    if not text:
        raise _WrongMember(MISSING)
    if len(text) > longest:
        raise _WrongMember(TOO_LONG)
    return text


def _optional_id(value: Any) -> str | None:
    """Return an id as text; integers may be written as such, blank is absent."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, NumberText):
        # Long integers arrive as they were written; fractions are no ids.
        if not _INTEGER.fullmatch(value):
            raise _WrongMember(INVALID_TYPE)
        value = str(value)
    if value is None:
        return None
    try:
        return _text(value, ID_CHARACTERS_MAX)
    except _WrongMember as wrong:
        if wrong.code == MISSING:
            return None
        raise


def _read_moment(item: Item, read: _Reader, zone: tzinfo | None) -> None:
    text = read("timestamp", _text, ID_CHARACTERS_MAX)
    if text is None:
        return
    item.moment_text = text[:40]
    try:
        item.moment = parse_moment(text, zone)
    except InvalidMoment as error:
        read.refuse("timestamp", INVALID_TIMESTAMP, f"Timestamp: {error}")


def _read_actor(item: Item, read: _Reader) -> None:
    before = len(item.faults)
    identity = read("identity", _optional_id)
    item.identity = _folded(identity)
    one = read("annonid", _optional_id)
    other = read("anonid", _optional_id)
    if one is not None and other is not None and one != other:
        read.refuse("annonid", CONFLICTING_IDS, "annonid and anonid differ")
    item.anonymous_id = other if one is None else one
    email = read("email", _optional_id)
    item.email = _folded(email)
    item.spelled = identity, email
    item.mobile = read("mobile", _optional_id)
    is_nobody = item.identity is None and item.anonymous_id is None
    if is_nobody and len(item.faults) == before:
        read.refuse("identity", MISSING, "identity")


def _folded(identity: str | None) -> str | None:
    """Return an e-mail address in lower case, and anything else as it is."""
    if identity is not None and _EMAIL.fullmatch(identity):
        return identity.lower()
    return identity


def _params(value: Any) -> dict[str, Any]:
    if value is None:
        raise _WrongMember(MISSING)
    if not isinstance(value, dict):
        raise _WrongMember(INVALID_TYPE)
    for path in _empty_arrays(value, ""):
        raise _WrongMember(EMPTY_ARRAY, path=path)
    try:
        found: dict[str, Any] = plain(value, "")
    except Problem as problem:
        pointer = str(problem.errors[0]["pointer"])
        raise _WrongMember(TOO_LARGE, path=pointer) from None
    return found


def _empty_arrays(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, dict | list):
                yield from _empty_arrays(member, f"{path}/{escaped(name)}")
    elif not value:
        yield path
    else:
        for place, member in enumerate(value):
            if isinstance(member, dict | list):
                yield from _empty_arrays(member, f"{path}/{place}")


def _canonical(params: dict[str, Any]) -> bytes:
    """Return JSON that is the same for the same data, however it was written."""
    return orjson.dumps(_whole(params), option=orjson.OPT_SORT_KEYS)


def _whole(value: Any) -> Any:
    """Return 250.0 as 250; they are the same number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_MAX:
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_whole(member) for member in value]
    return value


def to_command(
    item: Item, kind: TypeRule, channel: str, reading: Reading
) -> RecordActivity:
    """Return the command of an item without faults."""
    if item.moment is None:
        raise AssertionError("An item without faults has a moment.")
    return RecordActivity(
        source=CONTRACT.name,
        key=_own_key(item, item.moment.at, reading),
        natural_keys=NaturalKeys(
            reading.primary_identity,
            partial(_natural_key, item, item.moment.at, "identity"),
            partial(_natural_key, item, item.moment.at, "anonymous"),
        ),
        has_natural_key=True,
        activity_type=kind.code,
        occurred_at=item.moment.at,
        occurred_at_text=item.moment_text,
        received_at=reading.received_at,
        zone_assumed=item.moment.zone_assumed,
        member=None
        if item.identity is None
        else (reading.primary_identity, item.identity),
        anonymous_id=item.anonymous_id,
        also_known_as=_known_as(item, reading.primary_identity),
        channel=channel,
        business_unit=reading.business_unit,
        units=item.units,
        data={
            "activity_name": item.name,
            "asset_id": item.asset,
            "activity_params": item.params,
        },
    )


def read_value(item: Item, name: str) -> None:
    """Read the value of an item from the param that its type names for it.

    What is there and is not a number is a fault: it would earn nothing, and nobody
    would know. Staff find activities whose type pays by value and that came without
    one in the admin.
    """
    written = item.written.get(name) if name else None
    if written is None or written == "":
        return
    try:
        item.units = parse_value(written)
    except InvalidNumber as error:
        words = f"Invalid Parameter - {name}: {error}"
        path = f"activity_params/{escaped(name)}"
        item.faults.append(Fault(path, INVALID_VALUE, words))


def _unreadable(problem: Problem) -> Fault:
    pointer = str(problem.errors[0].get("pointer", "")) if problem.errors else ""
    words = f"Bad Request - {problem.detail}"
    return Fault(pointer.strip("/"), UNREADABLE, words)


def _known_as(item: Item, primary_identity: str) -> tuple[tuple[str, str], ...]:
    """Return the identities by which a contact may be found besides.

    Members that other ways in have loaded may have an address with capitals.
    """
    identity, email = item.spelled
    found = [(primary_identity, identity)] if identity != item.identity else []
    found += [("email", one) for one in dict.fromkeys((item.email, email))]
    if item.mobile is not None:
        digits = _NO_DIGITS.sub("", item.mobile)
        phones = (item.mobile, digits, f"+{digits}")
        found += [("phone", one) for one in phones]
    return tuple((kind, value) for kind, value in found if value)


def _own_key(item: Item, at: datetime, reading: Reading) -> str:
    """Return the key of an item under the name that it gives its contact."""
    if item.identity is None:
        return _natural_key(item, at, "anonymous", item.anonymous_id or "")
    key = reading.rules.key_of(reading.primary_identity, item.identity)
    return _natural_key(item, at, "identity", key)


def _natural_key(item: Item, at: datetime, kind: str, actor: str) -> str:
    """Return what makes two items of an actor the same event."""
    second = at.replace(microsecond=0).isoformat()
    parts = [item.asset, (kind, actor), item.name.lower(), second]
    return hashlib.sha256(orjson.dumps(parts) + item.params_text).hexdigest()
