"""A program behind the CrowdTwist contract, a member and a client with a key."""

import pytest
import time_machine

from loyalty.models import Identity, Member, Program
from tests.builders import NOON, make_member, make_program
from tests.contracts.crowdtwist.client import CrowdTwist


@pytest.fixture(autouse=True)
def noon():
    """Stop the clock at noon."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def program(db) -> Program:
    return make_program(time_zone="America/New_York")


@pytest.fixture
def crowdtwist(program) -> CrowdTwist:
    return CrowdTwist(program)


@pytest.fixture
def alice(program) -> Member:
    member = make_member(program)
    Identity.objects.create(
        program=program, member=member, kind="email", value="alice@example.com"
    )
    return member
