"""Whole numbers of bodies are read however JSON writes them."""

import pytest

from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = builders.make_program()
    builders.make_type(program)
    return program


def written(text, **members):
    body = {"name": "Ten", "reward_method": "fixed", "points": "10", **members}
    pairs = [f'"{name}": "{value}"' for name, value in body.items()]
    return "{" + ", ".join([*pairs, text]) + "}"


@pytest.mark.parametrize("literal", ["5", "5.0", "50e-1", "0.5e1"])
def test_a_whole_number_of_a_field_and_the_id_of_a_row(program, literal):
    client = caller_for(program)
    wallet = program.wallet_set.get().pk
    text = f'"cap_count": {literal}, "frequency_period": 2.0, "wallet": {wallet}.0'

    response = client.post("campaigns", written(text))

    assert response.status_code == 201, response.content
    assert response.json()["cap_count"] == 5
    assert response.json()["wallet"] == wallet


@pytest.mark.parametrize("literal", ["5.5", '"5"', "true", "1e99", "[5]"])
def test_what_is_not_a_whole_number_is_refused(program, literal):
    wallet = program.wallet_set.get().pk
    text = f'"cap_count": {literal}, "frequency_period": 2, "wallet": {wallet}'

    problem = problem_in(
        caller_for(program).post("campaigns", written(text)), 400, "invalid"
    )

    assert pointers_in(problem) == [("/cap_count", "not_a_whole_number")]


def test_a_member_is_found_by_an_id_with_decimals_of_zero(program):
    member = builders.make_member(program)
    body = purchase_body(member)
    body["member"] = {"id": float(member.pk)}

    assert caller_for(program).post("activities", body).status_code == 201

    body["member"] = {"id": member.pk + 0.5}
    body["key"] = "other"
    assert caller_for(program).post("activities", body).status_code == 400
