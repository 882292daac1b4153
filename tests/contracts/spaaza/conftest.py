"""A program with a scratch card, a member and an app; the clock stands at noon."""

from typing import Any

import pytest
import time_machine

from loyalty.models import Identity, Member, Program
from tests.builders import NOON, make_member, make_program
from tests.contracts.spaaza.client import CALLERS, scratch_card


@pytest.fixture(autouse=True)
def noon():
    """Stop the clock at noon."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def program(db) -> Program:
    return make_program()


@pytest.fixture
def member(program) -> Member:
    member = make_member(program, "crm-7")
    Identity.objects.create(
        program=program, member=member, kind="member_number", value="M-7"
    )
    return member


@pytest.fixture
def campaign(program) -> Any:
    return scratch_card(program)


@pytest.fixture(params=CALLERS)
def call(request, member, campaign):
    """A good call, in each of the ways to authenticate."""
    return CALLERS[request.param](member, campaign)
