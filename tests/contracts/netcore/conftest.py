"""A program as a Netcore client knows it, and the client."""

import json
from pathlib import Path

import pytest
import time_machine

from tests.builders import NOON, make_channel, make_member, make_program, make_type
from tests.contracts.netcore.client import NetcoreClient

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture
def frozen():
    """The clock, at noon; ``frozen.shift(timedelta)`` moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def program(db, frozen):
    """A program in Kolkata where a purchase earns 5 points."""
    program = make_program(time_zone="Asia/Kolkata")
    make_type(program, "Purchase", reward_method="fixed", points=5)
    make_channel(program, "WEBSITE")
    make_channel(program, "APP")
    return program


@pytest.fixture
def member(program):
    """A member whose primary key is C-1."""
    return make_member(program, "C-1")


@pytest.fixture
def client(program):
    """A client with a key of the program."""
    return NetcoreClient(program)


@pytest.fixture
def payload():
    """Reads a payload file, as bytes."""

    def read(name):
        return (PAYLOADS / name).read_bytes()

    return read


@pytest.fixture
def item():
    """Makes a purchase of C-1 at noon; keywords replace members, ``...`` leaves out."""

    def make(**members):
        body = json.loads((PAYLOADS / "smallest.json").read_text()) | members
        return {name: value for name, value in body.items() if value is not ...}

    return make
