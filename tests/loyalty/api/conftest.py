"""A program and a client that may read and write."""

import pytest

from tests import builders
from tests.callers import caller_for


@pytest.fixture
def program(db):
    return builders.make_program()


@pytest.fixture
def client(program):
    return caller_for(program)
