"""The ES Loyalty contract and its tokens keep to their own document."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from loyalty.models import Identity
from tests.builders import NOON, make_channel, make_member, make_program, make_type
from tests.callers import make_key
from tests.contracts.es_loyalty.client import EsClient
from tests.fuzz.contracts import MODES, Contract, check_operation

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


def document():
    """Return the contract's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        path: methods
        for path, methods in whole["paths"].items()
        if path.startswith(("/client/", "/oauth/"))
    }
    return {**whole, "paths": ours}


ES_LOYALTY = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program, "SURVEY_RESPONSE")
    make_channel(program, "APP")
    member = make_member(program)
    Identity.objects.create(
        program=program, member=member, kind="account_id", value="A-1"
    )
    EsClient(program).open("A-1", {"correlationId": "s-1"})
    return program


def anchored_on(client_id, secret):
    """Return what makes a call name a session, an account, a type and a client."""

    def anchor(case):
        names = {"correlation_id": "s-1", "identifier": "A-1"}
        for name in set(case.path_parameters or ()) & names.keys():
            case.path_parameters[name] = names[name]
        if not isinstance(case.body, dict):
            return
        if case.path.startswith("/oauth/"):
            case.body |= {"client_id": client_id, "client_secret": secret}
            case.body.pop("scope", None)
        else:
            case.body |= {"action": "SURVEY_RESPONSE", "when": NOON.isoformat()}
            for name in ("businessUnit", "loyaltyId"):
                case.body.pop(name, None)

    return anchor


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize(
    "operation", ES_LOYALTY.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(operation, mode, program):
    _, key = make_key(program)
    client_id, _, secret = key.partition(".")
    is_token_call = operation.path.startswith("/oauth/")

    check_operation(
        operation,
        mode,
        headers={} if is_token_call else {"Authorization": f"Bearer {key}"},
        anchor=anchored_on(client_id, secret),
        examples=EXAMPLES,
    )
