"""The Hang contract keeps to its own document, whatever it is sent."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.builders import NOON, make_member, make_program, make_quest, make_type
from tests.callers import make_key
from tests.fuzz.contracts import MODES, Contract, check_operation

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


def document():
    """Return the contract's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        path: methods
        for path, methods in whole["paths"].items()
        if path.startswith("/partner-api/")
    }
    return {**whole, "paths": ours}


HANG = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def names(program):
    """Numbers of a membership and a quest that are there."""
    quest = make_quest(program, opt_in_mode="by_call")
    return {"membership_id": str(make_member(program).pk), "quest_id": str(quest.pk)}


def anchored_on(names):
    """Return what makes a call name rows that are there."""

    def anchor(case):
        for name in set(case.path_parameters or ()) & names.keys():
            case.path_parameters[name] = names[name]
        if not isinstance(case.body, dict):
            return
        real = {"activity_type_id": "PURCHASE", "transaction_timestamp": NOON_SECONDS}
        if isinstance(case.body.get("activity"), dict):
            case.body["activity"] |= real
        elif "activity[value]" in case.body:
            case.body |= {f"activity[{name}]": one for name, one in real.items()}

    return anchor


NOON_SECONDS = int(NOON.timestamp())


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize(
    "operation", HANG.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(
    operation, mode, program, names
):
    _, key = make_key(program)

    check_operation(
        operation,
        mode,
        headers={"X-API-Key": key},
        anchor=anchored_on(names),
        examples=EXAMPLES,
    )
