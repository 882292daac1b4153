"""Activity types that clients name before anybody has listed them."""

import pytest

from activities.services.discovering import WAITING_MAX, types_named
from loyalty.models import ActivityType, Program
from tests.builders import make_program, make_type, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_wallet(program)
    return program


def revision_of(program):
    return Program.objects.get(pk=program.pk).configuration_revision


def test_known_names_change_nothing(program):
    make_type(program, "PURCHASE")
    before = revision_of(program)

    found = types_named(program.pk, ["Purchase", "PURCHASE", "purchase"])

    assert {name: one.code for name, one in found.items()} == {
        "Purchase": "PURCHASE",
        "PURCHASE": "PURCHASE",
        "purchase": "PURCHASE",
    }
    assert revision_of(program) == before


def test_a_type_that_was_renamed_is_found_by_its_new_code_alone(program):
    kind = make_type(program, "PURCHASE")
    types_named(program.pk, ["purchase"])
    ActivityType.objects.filter(pk=kind.pk).update(code="SALE")

    found = types_named(program.pk, ["sale"])

    assert [one.code for one in found.values()] == ["SALE"]


def test_names_of_another_program_are_not_known_here(program):
    make_type(make_program(), "PURCHASE")

    types_named(program.pk, ["Purchase"])

    assert ActivityType.objects.get(program=program).code == "Purchase"


def test_names_that_find_no_room_are_left_out(program):
    names = [f"Name {number}" for number in range(WAITING_MAX + 2)]

    found = types_named(program.pk, names)

    assert list(found) == names[:WAITING_MAX]


def test_reviewed_types_make_room_again(program):
    types_named(program.pk, [f"Name {number}" for number in range(WAITING_MAX)])
    ActivityType.objects.update(needs_review=False)

    found = types_named(program.pk, ["One more"])

    assert [one.code for one in found.values()] == ["One more"]


def test_a_found_out_type_goes_to_the_oldest_wallet(program):
    make_wallet(program, code="cash", name="Cashback")

    types_named(program.pk, ["Visit"])

    assert ActivityType.objects.get().wallet.code == "loyalty"


def test_without_a_wallet_nothing_is_listed(db):
    assert types_named(make_program().pk, ["Visit"]) == {}
