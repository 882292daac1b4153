"""Refusals: anticipated "cannot", each with a stable code."""

from typing import Any, ClassVar


class LoyaltyError(Exception):
    """A refusal. Subclasses are named for the fact and stand where it is found.

    ``code`` is stable and published; ``field`` names the member of the input
    that is wrong, ``facts`` are further details a client may want.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, field: str = "", **facts: Any) -> None:
        """Keep the sentence for people and the facts for programs."""
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts = facts
