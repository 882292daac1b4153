"""What a key may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission

from loyalty.api.authentication import Caller, no_key
from loyalty.api.problems import Problem

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Reading needs the read scope, everything else the write scope.

    A view's ``reading_actions`` are POSTs that write nothing.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise the problem that says what is missing."""
        caller = request.auth
        if not isinstance(caller, Caller):
            raise no_key()
        reads = request.method in SAFE_METHODS or getattr(
            view, "action", None
        ) in getattr(view, "reading_actions", ())
        if reads and not caller.can_read:
            raise _missing("read")
        if not reads and not caller.can_write:
            raise _missing("write")
        return True


class IsForEveryUnit(BasePermission):
    """What concerns the whole program is closed to keys bound to units.

    With ``unit_bound_keys_may_read`` of the view, they may still look.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise the problem that says why not."""
        caller = request.auth
        if not isinstance(caller, Caller) or not caller.unit_ids:
            return True
        if request.method in SAFE_METHODS and getattr(
            view, "unit_bound_keys_may_read", False
        ):
            return True
        raise bound_to_units()


def bound_to_units() -> Problem:
    """Return the problem of a key that may not do what concerns every unit."""
    return Problem(
        403,
        "bound_to_business_units",
        "This API key is bound to business units; this concerns all of them.",
    )


def _missing(scope: str) -> Problem:
    return Problem(
        403, "missing_scope", f"This API key has no {scope} scope.", scope=scope
    )
