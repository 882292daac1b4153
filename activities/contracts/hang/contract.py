"""What the calls of Hang share: the envelope, the words, bodies in three forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.parsers import FormParser, MultiPartParser

from activities.services import (
    AmountTooLarge,
    BlockedMember,
    DisabledBusinessUnit,
    DisabledChannel,
    Implausible,
    KeyReused,
    NegativeValue,
    NoExchangeRate,
    OccurredTooLongAgo,
    OccursInTheFuture,
    ProgramDisabled,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    UnknownMember,
    ValueTooLarge,
)
from campaigns.services.programme import UnknownProgram
from campaigns.services.taking_part import (
    BlockedParticipant,
    QuestCompleted,
    QuestNotOpen,
    QuestPrizesGone,
    UnknownOptIn,
    UnknownParticipant,
    UnknownQuest,
)
from loyalty.api.bodies import StrictJsonParser, check_storable, parse_json
from loyalty.api.contract import Contract, ContractView, Refusal, answer, in_header
from loyalty.api.problems import Problem
from loyalty.engine.numbers import NumberText
from loyalty.services.members import IdentityTaken, UnknownIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

SOURCE = "hang"
ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "example": "Missing required parameters."}
    },
}
NO_MEMBERSHIP = "Could not find the program membership provided."
MISSING = "Missing required parameters."
# A row number that the database can hold, as answers write it.
_ROW = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_PART = re.compile(r"\[([^\[\]]*)\]")
_PARTS_MAX = 4

REFUSALS = {
    UnknownMember: Refusal(404, NO_MEMBERSHIP),
    UnknownIdentity: Refusal(404, NO_MEMBERSHIP),
    UnknownParticipant: Refusal(404, NO_MEMBERSHIP),
    BlockedMember: Refusal(422, "The program membership is not active."),
    BlockedParticipant: Refusal(422, "The program membership is not active."),
    UnknownActivityType: Refusal(404, "Could not find the activity type provided."),
    OccursInTheFuture: Refusal(400, "The transaction timestamp is in the future."),
    OccurredTooLongAgo: Refusal(400, "The transaction timestamp is too long ago."),
    NegativeValue: Refusal(400, "The activity type takes no negative value."),
    AmountTooLarge: Refusal(422, "The activity is worth more than can be held."),
    NoExchangeRate: Refusal(422, "There is no exchange rate for the currency."),
    Implausible: Refusal(422, "The activity is larger than the program accepts."),
    ValueTooLarge: Refusal(400, "The items add up to more than 14 digits."),
    KeyReused: Refusal(422, "The idempotency key was used for a different activity."),
    IdentityTaken: Refusal(409, "A program membership with these details exists."),
    UnknownQuest: Refusal(404, "Could not find the quest provided."),
    QuestNotOpen: Refusal(422, "The quest is not open to the program membership."),
    QuestCompleted: Refusal(422, "The quest has been completed."),
    UnknownOptIn: Refusal(404, "Could not find the opt-in provided."),
    QuestPrizesGone: Refusal(422, "The quest has no prizes left."),
    # The contract names neither, so these say that the key's unit is gone.
    UnknownBusinessUnit: Refusal(403, "The business unit of the API key is gone."),
    DisabledBusinessUnit: Refusal(403, "The business unit of the API key is disabled."),
    UnknownChannel: Refusal(400, "Could not find the channel provided."),
    DisabledChannel: Refusal(400, "The channel is disabled."),
    ProgramDisabled: Refusal(401, "The program of this API key is disabled."),
    UnknownProgram: Refusal(401, "The program of this API key is gone."),
}


def envelope(problem: Problem, _request: HttpRequest) -> HttpResponse:
    """Return a problem as the vendor's error catalogue spells it."""
    return answer({"message": problem.detail}, problem.status, problem.headers)


CONTRACT = Contract(SOURCE, "Hang", ("/partner-api/",), envelope, ERROR)


class HangView(ContractView):
    """A path of the partner API: one key per program, in ``X-API-Key``."""

    contract = CONTRACT
    keys = (in_header("X-API-Key"),)
    refusals = REFUSALS
    parser_classes = [StrictJsonParser, FormParser, MultiPartParser]


def missing() -> Problem:
    """Return the refusal of a body without something that is required."""
    return Problem(400, "missing", MISSING)


def invalid(name: str, sentence: str) -> Problem:
    """Return the refusal of a part that cannot be read."""
    return Problem(400, "invalid", f"Invalid parameter {name}: {sentence}")


def is_number(text: str) -> bool:
    """Whether a row can have this number."""
    return _ROW.fullmatch(text) is not None


def member_number(membership_id: str) -> int:
    """Return the number of a program membership.

    Raises:
        UnknownMember: no membership can have this id.
    """
    if not is_number(membership_id):
        raise UnknownMember(f"There is no membership {membership_id[:40]}.")
    return int(membership_id)


def body_of(data: Any) -> dict[str, Any]:
    """Return the body as an object, whichever of the three forms it was sent in.

    Names of forms nest like ``activity[line_items][0][item_id]``; a part that is
    expected to be an object or a list may be JSON text.

    Raises:
        Problem: 400; it is no object, or holds a file or text that cannot be kept.
    """
    if hasattr(data, "lists"):
        data = _nested(dict(data.lists()))
        check_storable(data)
    if isinstance(data, dict):
        return data
    raise missing()


def _nested(fields: Mapping[str, list[Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in fields.items():
        if any(isinstance(value, UploadedFile) for value in values):
            raise invalid(name[:100], "a file cannot be read here.")
        parts = _parts_of(name)
        if len(parts) > 1 and parts[-1] == "":
            _put(found, parts[:-1], list(values))
        elif "" in parts[1:]:
            _put_rows(found, parts, values)
        else:
            _put(found, parts, values[0] if len(values) == 1 else list(values))
    return found


def _parts_of(name: str) -> list[str]:
    """Return ``["a", "b", ""]`` for ``a[b][]``; the name itself if it is not nested."""
    head = name.partition("[")[0]
    parts = _PART.findall(name[len(head) :])
    if not head or not parts or head + "".join(f"[{one}]" for one in parts) != name:
        return [name]
    if len(parts) > _PARTS_MAX:
        raise invalid(name[:100], "it is nested too deep.")
    return [head, *parts]


def _put_rows(found: dict[str, Any], parts: list[str], values: list[Any]) -> None:
    """Put ``a[][x]``: the first value belongs to the first row, and so on."""
    place = parts.index("", 1)
    for row, value in enumerate(values):
        _put(found, [*parts[:place], str(row), *parts[place + 1 :]], value)


def _put(found: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        inner = found.setdefault(part, {})
        if not isinstance(inner, dict):
            raise invalid(part[:100], "it is given twice.")
        found = inner
    if parts[-1] in found:
        raise invalid(parts[-1][:100], "it is given twice.")
    found[parts[-1]] = value


def object_in(value: Any, name: str) -> dict[str, Any]:
    """Return an object, which a form may have as JSON text."""
    if _is_text(value):
        value = _json_in(value, name)
    if not isinstance(value, dict):
        raise invalid(name, "an object is expected.")
    return value


def list_in(value: Any, name: str) -> list[Any]:
    """Return a list, which a form may have as JSON text or under numbered names.

    JSON text of one object is a list of one: forms repeat the field for more.
    """
    if _is_text(value):
        found = _json_in(value, name)
        value = [found] if isinstance(found, dict) else found
    if isinstance(value, dict):
        if not all(map(is_number, value)):
            raise invalid(name, "a list is expected.")
        value = [value[place] for place in sorted(value, key=int)]
    if not isinstance(value, list):
        raise invalid(name, "a list is expected.")
    return value


def _json_in(text: str, name: str) -> Any:
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except Problem:
        raise invalid(name, "this text is no JSON.") from None


def id_in(value: Any, name: str, longest: int) -> str:
    """Return an id: trimmed text, or a whole number as text.

    Raises:
        Problem: 400; it is absent, blank, too long or of another kind.
    """
    if value is None or value == "":
        raise missing()
    is_number = isinstance(value, int | NumberText) and not isinstance(value, bool)
    if is_number and _WHOLE.fullmatch(str(value)):
        value = str(value)
    if not _is_text(value):
        raise invalid(name, "text is expected.")
    text = str(value).strip()
    if not text:
        raise missing()
    if len(text) > longest:
        raise invalid(name, f"at most {longest} characters.")
    return text


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, NumberText)
