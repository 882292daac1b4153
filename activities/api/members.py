"""Members as bodies of single calls name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.api.commands import actor_in
from activities.services import UnknownMember
from loyalty.api.problems import invalid_at
from loyalty.services import UnknownIdentity, member_numbered, member_with

if TYPE_CHECKING:
    from loyalty.models import Member


def member_in(program_id: int, value: Any) -> Member:
    """Return the member that ``{"kind", "value"}`` or ``{"id"}`` names.

    Raises:
        Problem: 400, it names nobody.
        UnknownMember: nobody is called so.
    """
    actor = actor_in(value, "/member")
    if actor is None:
        raise invalid_at("/member", "required", "Name the member.")
    try:
        if isinstance(actor, int):
            return member_numbered(program_id, actor)
        return member_with(program_id, *actor)
    except UnknownIdentity as error:
        raise UnknownMember(error.message, field="member") from None
