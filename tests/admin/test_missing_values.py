"""An activity that came without the value that its type pays by is marked."""

import pytest

from activities.models import Activity
from tests.builders import make_member, make_program, make_type
from tests.callers import caller_for, purchase_body

pytestmark = pytest.mark.django_db
LIST = "/admin/activities/activity/"


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def activities(program):
    """Purchases with and without value, of types that pay by it and that do not."""
    make_type(program)
    make_type(program, "VISIT", reward_method="fixed", points=5)
    make_type(program, "ORDER", reward_method="fixed", value_param="total")
    member = make_member(program, "ann")
    client = caller_for(program)
    for key, kind, value in (
        ("valued", "PURCHASE", "5"),
        ("zero", "PURCHASE", "0"),
        ("missing", "PURCHASE", None),
        ("visit", "VISIT", None),
        ("order", "ORDER", None),
    ):
        body = purchase_body(member, key=key, type=kind, value=value)
        assert client.post("activities", body).status_code == 201
    return {one.key: one for one in Activity.objects.all()}


def shown(marketing, query=""):
    response = marketing.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return sorted(one.key for one in response.context["cl"].result_list)


def test_the_filter_finds_those_and_no_others(marketing, activities):
    assert shown(marketing, "value_given=missing") == ["missing", "order"]
    assert shown(marketing, "value_given=given") == ["valued", "zero"]
    assert len(shown(marketing)) == 5


def test_the_mark_stands_in_the_list_and_on_the_page(marketing, activities):
    marked = marketing.get(f"{LIST}?value_given=missing").content.decode()
    others = marketing.get(f"{LIST}?value_given=given").content.decode()
    assert marked.count("No value") == 2
    assert "No value" not in others

    page = marketing.get(f"{LIST}{activities['missing'].pk}/change/").content.decode()
    assert "None came, though the type pays by value" in page
    page = marketing.get(f"{LIST}{activities['visit'].pk}/change/").content.decode()
    assert "None came" not in page
