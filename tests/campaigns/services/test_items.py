"""Item lists: however long, they cost an activity next to nothing."""

import pytest
from django.db import connection

from activities.services import record_activities
from campaigns.models import ListedItem
from campaigns.services.items import lists_of
from campaigns.services.programme import current_programme
from loyalty.models import Entry
from tests.builders import (
    NOON,
    line,
    make_campaign,
    make_item_list,
    make_member,
    make_program,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

MANY = 100_000


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


def pays_for(program, item_list):
    return make_campaign(
        program, item_list=item_list, reward_method="per_item_value", points=1
    )


def points_of(campaign):
    return [entry.amount for entry in Entry.objects.filter(offer=campaign)]


def test_a_product_of_a_long_list_pays_and_its_neighbour_does_not(program):
    campaign = pays_for(
        program, make_item_list(program, [f"p{n}" for n in range(MANY)])
    )
    member = make_member(program)
    items = (line(f"p{MANY - 1}", "7"), line(f"p{MANY}", "100"))

    record_activities(program.pk, [purchase(member, "107", lines=items)], now=NOON)

    assert points_of(campaign) == [7]


def test_a_long_list_is_not_part_of_the_compiled_programme(
    program, django_assert_max_num_queries
):
    pays_for(program, make_item_list(program, [f"p{n}" for n in range(MANY)]))

    with connection.execute_wrapper(_no_rows_of_items):
        programme = current_programme(program.pk)

    assert len(programme.item_list_ids) == 1


def _no_rows_of_items(execute, sql, params, many, context):
    assert "campaigns_listeditem" not in sql
    return execute(sql, params, many, context)


def test_a_product_is_looked_up_once_under_a_revision(
    program, django_assert_num_queries
):
    item_list = make_item_list(program, ["milk", "bread"])
    pays_for(program, item_list)
    programme = current_programme(program.pk)

    with django_assert_num_queries(1):
        first = lists_of(programme, ["milk", "soap"])
    with django_assert_num_queries(0):
        again = lists_of(programme, ["soap", "milk"])

    assert (first["milk"], again["soap"]) == ((item_list.pk,), ())


def test_a_product_that_joins_a_list_pays_from_then_on(program):
    item_list = make_item_list(program, ["milk"])
    campaign = pays_for(program, item_list)
    member = make_member(program)
    soap = {"lines": (line("soap", "3"),)}
    record_activities(program.pk, [purchase(member, "3", **soap)], now=NOON)

    ListedItem.objects.create(item_list=item_list, item_id="soap")
    record_activities(program.pk, [purchase(member, "3", **soap)], now=NOON)

    assert points_of(campaign) == [3]


def test_a_list_that_no_offer_uses_is_not_asked(program, django_assert_num_queries):
    make_item_list(program, ["milk"])
    programme = current_programme(program.pk)

    with django_assert_num_queries(0):
        assert lists_of(programme, ["milk"]) == {}
