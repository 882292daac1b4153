"""Turning whatever a view raises into a problem."""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.models import (
    CheckConstraint,
    ProtectedError,
    RestrictedError,
    UniqueConstraint,
)
from django.http import Http404
from rest_framework import exceptions

from loyalty.api.authentication import no_key
from loyalty.api.bodies import escaped
from loyalty.api.problems import Problem, invalid, refused, response_of, wrong
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

logger = logging.getLogger("loyalty.api")

BODY_MEGABYTES_MAX = 10
BUSY_SECONDS = 2
_DISK_SECONDS = 60


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the response to an anticipated exception; None leaves a bug a bug."""
    problem = problem_of(exc, context.get("view"))
    if problem is None:
        return None
    return response_of(problem, context["request"].path)


def problem_of(exc: Exception, view: Any = None) -> Problem | None:
    """Return what an exception means to a caller; None if it is a bug."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, LoyaltyError):
        return refused(exc)
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc, view)
    if isinstance(exc, ProtectedError | RestrictedError):
        return Problem(409, "in_use", "Other rows still refer to it.")
    if isinstance(exc, IntegrityError):
        return _of_database(exc)
    if isinstance(exc, OSError | OperationalError | InterfaceError):
        return _of_exhaustion(exc)
    return _of_django(exc)


def _of_exhaustion(exc: Exception) -> Problem | None:
    """Return the problem of what is used up for now; None for another OSError."""
    if isinstance(exc, OSError):
        if exc.errno not in {errno.ENOSPC, errno.EDQUOT}:
            return None
        logger.error("The disk is full", exc_info=exc)
        return Problem(
            507,
            "storage_full",
            "The site has no room left on its disk. Nothing was kept; send it again "
            "later.",
            headers={"Retry-After": str(_DISK_SECONDS)},
        )
    logger.warning("The database did not answer in time", exc_info=exc)
    return Problem(
        503,
        "unavailable",
        "The site is too busy, or its database is away for a moment. Nothing is "
        "lost: send the same request again.",
        headers={"Retry-After": str(BUSY_SECONDS)},
    )


def _of_framework(exc: exceptions.APIException, view: Any) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return invalid(list(_flattened(exc.detail, "")))
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return no_key()
    headers = {}
    if isinstance(exc, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(getattr(view, "allowed_methods", ()))
    wait = getattr(exc, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(int(wait))
    code = _CODES.get(exc.status_code, str(exc.default_code))
    detail = str(exc.detail)
    if isinstance(exc, exceptions.UnsupportedMediaType):
        detail = "Send application/json." if view is None else _accepted_types(view)
    return Problem(exc.status_code, code, detail, headers=headers)


_CODES = {
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def _accepted_types(view: Any) -> str:
    types = " or ".join(parser.media_type for parser in view.parser_classes)
    return f"The body must be {types}; name it in Content-Type."


def _of_django(exc: Exception) -> Problem | None:
    if isinstance(exc, Http404):
        return Problem(404, "not_found", "There is nothing here with this number.")
    if isinstance(exc, PermissionDenied):
        return Problem(403, "forbidden", "This is not allowed.")
    if isinstance(exc, RequestDataTooBig):
        return body_too_large()
    if isinstance(exc, ModelValidationError):
        return invalid([wrong("", "invalid", text) for text in exc.messages])
    if isinstance(exc, SuspiciousOperation):
        return Problem(400, "bad_request", "This request cannot be read.")
    return None


def body_too_large(limit: int = BODY_MEGABYTES_MAX * 1024 * 1024) -> Problem:
    """Return the problem of a body over the limit, in bytes."""
    if limit < 1024 * 1024:
        detail = f"A body may have at most {limit // 1024} kB here."
    else:
        detail = (
            f"A body may have at most {limit // 1024 // 1024} MB. Send batches of at "
            "most 1,000 activities, or upload a file."
        )
    return Problem(413, "body_too_large", detail)


def _flattened(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Yield the entries of the framework's nested errors."""
    if isinstance(detail, dict):
        for name, member in detail.items():
            is_whole = name == "non_field_errors"
            path = pointer if is_whole else f"{pointer}/{escaped(str(name))}"
            yield from _flattened(member, path)
    elif isinstance(detail, list):
        for place, member in enumerate(detail):
            if isinstance(member, dict):
                yield from _flattened(member, f"{pointer}/{place}")
            else:
                yield from _flattened(member, pointer)
    else:
        code = str(getattr(detail, "code", "invalid") or "invalid")
        yield wrong(pointer, code, str(detail))


def _of_database(exc: IntegrityError) -> Problem | None:
    """Return the sentence of a rule that the database held against a race."""
    diagnosis = getattr(exc.__cause__, "diag", None)
    if diagnosis is None:
        return None
    rule = _rule(diagnosis.constraint_name)
    if rule is not None:
        return Problem(409, rule.name, str(rule.violation_error_message))
    if diagnosis.sqlstate == "23514" and not diagnosis.constraint_name:
        # Raised by a trigger, with a sentence for people.
        return Problem(409, "conflict", diagnosis.message_primary)
    if diagnosis.sqlstate in {"23503", "23505"}:
        return Problem(409, "conflict", "Somebody else changed this just now.")
    return None


def _rule(name: str | None) -> CheckConstraint | UniqueConstraint | None:
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name and isinstance(
                constraint, CheckConstraint | UniqueConstraint
            ):
                return constraint
    return None
