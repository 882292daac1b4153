"""What a call asks for: parameters of the query, and of the body of a POST.

Read strictly, each at its own step of the checks. A parameter that is given twice
is refused: vendors' servers take now the first and now the last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from activities.contracts.spaaza.codes import refusal
from loyalty.api.idempotency import sent_key

if TYPE_CHECKING:
    from rest_framework.request import Request

#: Kinds of identities that are looked at for each parameter, in this order.
IDENTITY_KINDS = {
    "member_number": ("member_number", "loyalty_id", "card"),
    "authentication_point_identifier": (
        "authentication_point_identifier",
        "customer_id",
    ),
}
USER_ID = "user_id"
VALUE_CHARACTERS_MAX = 255
IDEMPOTENCY_KEY_CHARACTERS_MAX = 200
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_USER_ID = re.compile(r"\d{1,10}", re.ASCII)
# Longer integers are the number of nothing.
_DIGITS_MAX = 18
# Stands for a value of a kind that no parameter has, such as a list.
_NO_TEXT = "\0"


class Named(NamedTuple):
    """A member as a call names it: by parameter and value."""

    name: str
    value: str


class Asked:
    """The parameters of one call."""

    def __init__(self, request: Request) -> None:
        """Read query and body.

        Raises:
            Problem: 400, the body cannot be read.
        """
        self._request = request
        self._values: dict[str, list[Any]] = dict(request.query_params.lists())
        if request.method == "POST":
            self._add(request.data)

    def _add(self, body: Any) -> None:
        if hasattr(body, "lists"):
            given = dict(body.lists())
        elif isinstance(body, dict):
            given = {name: [value] for name, value in body.items()}
        else:
            sentence = "The body must be a form or a JSON object."
            raise refusal("parameter_invalid", sentence)
        for name, values in given.items():
            self._values.setdefault(name, []).extend(values)

    def campaign_id(self) -> int | None:
        """Return the number of the campaign; None if no campaign can have it.

        Raises:
            Problem: 245, 247, or 416 if it is given twice.
        """
        text = self._one("campaign_id")
        if text is None:
            raise refusal("campaign_id_not_present")
        if not _INTEGER.fullmatch(text):
            raise refusal("campaign_id_invalid")
        return int(text) if len(text) <= _DIGITS_MAX else None

    def chain_id(self) -> int | None:
        """Return the number of the chain; None if none is named.

        Raises:
            Problem: 217, no chain can have it, or 416 if it is given twice.
        """
        text = self._one("chain_id")
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise refusal("chain_id_not_found")
        return int(text)

    def member(self) -> Named | None:
        """Return how the member is named; None if not at all.

        Raises:
            Problem: 416, 154 or 419.
        """
        names = (USER_ID, *IDENTITY_KINDS)
        given = [name for name in names if self._one(name) is not None]
        if len(given) > 1:
            raise refusal("multiple_parameter_mismatch")
        if not given:
            return None
        named = Named(given[0], self._one(given[0]) or "")
        if named.name == USER_ID:
            if not _USER_ID.fullmatch(named.value):
                raise refusal("user_id_invalid")
        elif "\0" in named.value or len(named.value) > VALUE_CHARACTERS_MAX:
            raise refusal("parameter_invalid", f"The {named.name} cannot be read.")
        return named

    def idempotency_key(self) -> str:
        """Return the ``Idempotency-Key``; empty if there is none.

        Raises:
            Problem: 400, it is no key.
        """
        return sent_key(self._request, IDEMPOTENCY_KEY_CHARACTERS_MAX) or ""

    def _one(self, name: str) -> str | None:
        values = self._values.get(name, [])
        if len(values) > 1:
            raise refusal(
                "multiple_parameter_mismatch", f"The {name} was given several times."
            )
        return _text_of(values[0]) if values else None


def _text_of(value: Any) -> str | None:
    """Return a value as text; None for nothing, empty text or null."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return _NO_TEXT
    return str(value)
