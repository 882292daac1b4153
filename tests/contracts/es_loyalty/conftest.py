"""A program as an ES Loyalty client knows it, and the client."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from loyalty.models import Identity
from tests.builders import (
    NOON,
    make_channel,
    make_member,
    make_program,
    make_type,
    make_unit,
)
from tests.contracts.es_loyalty.client import EsClient

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture
def frozen():
    """The clock, at noon; ``frozen.shift(timedelta)`` moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def payload():
    """Reads a payload by name; keywords replace members, ``...`` leaves them out."""

    def read(name, **members):
        body = {**json.loads((PAYLOADS / f"{name}.json").read_text()), **members}
        return {key: value for key, value in body.items() if value is not ...}

    return read


@pytest.fixture
def program(db, frozen):
    """Points of 5 for a survey; units, channels and a member with two cards."""
    program = make_program(name="Complete Journey")
    make_type(
        program,
        "SURVEY_RESPONSE",
        reward_method="fixed",
        points=5,
        allows_negative_value=False,
    )
    make_unit(program, "grocery", name="Grocery & Co.")
    make_unit(program, "garden", name="Garden.Shop")
    make_unit(program, "closed", name="Closed", is_enabled=False)
    make_channel(program, "APP")
    make_channel(program, "POS", is_enabled=False)
    return program


@pytest.fixture
def member(program):
    """A member with an account id, two cards, an e-mail address and a phone."""
    member = make_member(program, "C-1")
    for kind, value in (
        ("account_id", "5f0c2d3e-0000-4000-8000-0000000000aa"),
        ("loyalty_id", "6000111"),
        ("loyalty_id", "6000222"),
        ("email", "jo@example.com"),
        ("phone", "+12125550100"),
    ):
        Identity.objects.create(program=program, member=member, kind=kind, value=value)
    return member


@pytest.fixture
def client(program, member):
    """A client with a key of the program and an open session of the member."""
    client = EsClient(program)
    client.open("C-1", {"correlationId": "s-1"}, "EXTERNAL_ID")
    return client


A_DAY = timedelta(hours=24)
