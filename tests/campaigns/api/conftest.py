"""A program in which a purchase pays 1 point per whole unit, and its client."""

import pytest

from tests import builders
from tests.callers import caller_for


@pytest.fixture
def program(db):
    program = builders.make_program()
    builders.make_type(program)
    return program


@pytest.fixture
def client(program):
    return caller_for(program)
