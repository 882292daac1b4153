"""The program into which the tests of uploads send files."""

import pytest

from loyalty.models import Program
from tests.builders import make_channel, make_member, make_program, make_type


@pytest.fixture
def program(db) -> Program:
    """A program of two members in which a purchase pays 1 point per whole unit."""
    program = make_program()
    make_type(program)
    make_channel(program)
    make_member(program, "ann")
    make_member(program, "ben")
    return program
