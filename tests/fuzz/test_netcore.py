"""The Netcore contract keeps to its own document."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.builders import NOON, make_channel, make_program, make_type
from tests.callers import make_key
from tests.fuzz.contracts import MODES, Contract, check_operation

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


def document():
    """Return the contract's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        path: methods
        for path, methods in whole["paths"].items()
        if path.startswith("/v1/activity/")
    }
    return {**whole, "paths": ours}


NETCORE = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program, "Purchase")
    make_channel(program, "WEBSITE")
    return program


def anchor(case):
    """Let items name a known type, a channel and a moment."""
    items = case.body if isinstance(case.body, list) else [case.body]
    for place, item in enumerate(items):
        if isinstance(item, dict):
            item |= {"activity_name": "Purchase", "activity_source": "web"}
            item |= {"timestamp": NOON.isoformat(), "identity": f"C-{place}"}


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize(
    "operation", NETCORE.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(operation, mode, program):
    _, key = make_key(program)

    check_operation(
        operation,
        mode,
        headers={"Authorization": f"Bearer {key}"},
        anchor=anchor,
        examples=EXAMPLES,
    )
