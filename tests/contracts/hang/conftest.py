"""A program as a Hang client knows it, and the client."""

import copy
import json
from pathlib import Path

import pytest
import time_machine

from tests.builders import NOON, make_member, make_program, make_type
from tests.contracts.hang.client import HangClient

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture
def frozen():
    """The clock, at noon; ``frozen.shift(timedelta)`` moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def payload():
    """Reads a payload; keywords replace members of its activity, ... leaves out."""

    def read(name, *, key=None, **members):
        body = copy.deepcopy(json.loads((PAYLOADS / f"{name}.json").read_text()))
        part = body.get("activity", body)
        part.update(members)
        for missing in [one for one, value in part.items() if value is ...]:
            del part[missing]
        if key is not None:
            body["idempotency_key"] = key
        return body

    return read


@pytest.fixture
def program(db, frozen):
    """One point for each unit of value."""
    program = make_program()
    make_type(program, "activity_type_1", allows_negative_value=False)
    return program


@pytest.fixture
def member(program):
    return make_member(program, "user123")


@pytest.fixture
def client(program):
    return HangClient(program)
