"""Calling an API with what its own OpenAPI document allows, and with what not.

A contract is a document and the headers that its callers send; each operation of
it becomes one test. Another API joins by another ``Contract``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from schemathesis import APIOperation, Case

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True)
class Contract:
    """An API as its document describes it; loaded once, when first asked."""

    document: Callable[[], dict[str, Any]]
    _loaded: list[Any] = field(default_factory=list)

    def operations(self) -> list[APIOperation]:
        """Return every operation of the document."""
        if not self._loaded:
            schema = schemathesis.openapi.from_dict(self.document())
            schema.app = get_wsgi_application()
            self._loaded.append(schema)
        return [found.ok() for found in self._loaded[0].get_all_operations()]


@contextmanager
def _one_connection() -> Iterator[None]:
    """Let the calls use the test's own connection, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def check_operation(
    operation: APIOperation,
    mode: GenerationMode,
    *,
    headers: Mapping[str, str],
    anchor: Callable[[Case], None],
    examples: int,
    is_foreseen: Callable[[Any], bool] = lambda _: False,
) -> None:
    """Call an operation ``examples`` times and hold each answer to the document.

    ``anchor`` lets a call name what is there, so that it gets past the first
    look; half of the calls go through it. What a call writes is taken back.
    ``is_foreseen`` says which answers of 500 a vendor's table asks for.
    """

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_anchored=st.booleans())
    def hold(case: Case, is_anchored: bool) -> None:  # noqa: FBT001
        if is_anchored:
            anchor(case)
        with _one_connection(), transaction.atomic():
            response = case.call(headers=dict(headers))
            transaction.set_rollback(True)
        checks = CHECKS[1:] if is_foreseen(response) else CHECKS
        case.validate_response(response, checks=checks)

    try:
        hold()
    except Unsatisfiable:
        # Nothing can be wrong with a call that takes no input.
        if mode is GenerationMode.POSITIVE:
            raise
