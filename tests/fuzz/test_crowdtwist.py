"""The CrowdTwist contract keeps to its own document, whatever it is sent."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from loyalty.models import Identity
from tests.builders import make_member, make_program
from tests.callers import make_key
from tests.contracts.crowdtwist.client import everything, redeemed_a_code
from tests.fuzz.contracts import MODES, Contract, check_operation

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


def document():
    """Return the contract's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        path: methods
        for path, methods in whole["paths"].items()
        if path.startswith(("/v2/", "/v2.1/"))
        and any("CrowdTwist" in one["tags"] for one in methods.values())
    }
    return {**whole, "paths": ours}


CROWDTWIST = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    return make_program(allows_backdating=True)


@pytest.fixture
def names(program):
    """Numbers of an activity and of a member that are there."""
    member = make_member(program)
    Identity.objects.create(
        program=program, member=member, kind="email", value="alice@example.com"
    )
    redeemed_a_code(program)
    return {"activity_id": str(everything(program).pk), "user_id": str(member.pk)}


def anchored_on(names):
    """Return what makes a call name rows that are there."""

    def anchor(case):
        for name in set(case.path_parameters or ()) & names.keys():
            case.path_parameters[name] = names[name]
        (case.query or {}).pop("id_type", None)
        if isinstance(case.body, dict):
            case.body["activity_id"] = names["activity_id"]

    return anchor


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize(
    "operation", CROWDTWIST.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(
    operation, mode, program, names
):
    _, key = make_key(program)

    check_operation(
        operation,
        mode,
        headers={"X-CT-Authorization": f"CTApiKey {key}"},
        anchor=anchored_on(names),
        examples=EXAMPLES,
    )
