"""The Spaaza contract keeps to its own document, whatever it is sent."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from activities.contracts.spaaza.codes import CODES
from tests.builders import make_campaign, make_member, make_program
from tests.callers import make_key
from tests.contracts.spaaza.client import APP, USER_ID, as_member
from tests.fuzz.contracts import MODES, Contract, check_operation

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
FORESEEN = {name for name, code in CODES.items() if code.status == 500}


def document():
    """Return the contract's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        path: methods
        for path, methods in whole["paths"].items()
        if path == "/interact-campaign"
    }
    return {**whole, "paths": ours}


SPAAZA = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def member(program):
    return make_member(program)


@pytest.fixture
def campaign(program):
    return make_campaign(program, context="interaction")


def is_foreseen(response):
    """Whether a 500 is one of the three that the vendor's table asks for."""
    body = response.json()
    errors = [body.get("error", {}), *body.get("errors", {}).values()]
    return any(one.get("name") in FORESEEN for one in errors)


def anchored_on(member, campaign):
    """Return what makes a call name rows that are there."""

    def anchor(case):
        case.query = {
            **(case.query or {}),
            "campaign_id": campaign.pk,
            "user_id": member.pk,
        }
        for name in ("chain_id", "member_number", "authentication_point_identifier"):
            case.query.pop(name, None)
        for name in (APP, USER_ID):
            (case.headers or {}).pop(name, None)
        if isinstance(case.body, dict):
            case.body = {}

    return anchor


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize("who", ["a client", "a member"])
@pytest.mark.parametrize(
    "operation", SPAAZA.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(
    operation, mode, who, member, campaign
):
    if who == "a client":
        headers = {"Authorization": f"Bearer {make_key(member.program)[1]}"}
    else:
        headers = as_member(member, campaign).headers

    check_operation(
        operation,
        mode,
        headers=headers,
        anchor=anchored_on(member, campaign),
        examples=EXAMPLES,
        is_foreseen=is_foreseen,
    )
