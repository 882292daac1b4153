"""A product is the same in any case, on lists, in baskets and in quests."""

import io

import pytest

from campaigns.models import ListedItem
from campaigns.services.item_uploads import ItemChange, upload_items
from campaigns.services.items import listed
from loyalty.engine.baskets import netted
from loyalty.engine.quests import Requirement, amounts_of
from tests.builders import make_item_list, make_program
from tests.callers import caller_for


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["PEN-1", "pen-1", " Pen-1 ", "Pen-1"])
def test_a_product_is_on_a_list_in_any_spelling(asked):
    item_list = make_item_list(make_program(), ["Pen-1", "caf\u00e9"])

    assert listed([asked, "CAFE\u0301", "pen1"], [item_list.pk]) == {
        asked: (item_list.pk,),
        "CAFE\u0301": (item_list.pk,),
        "pen1": (),
    }


@pytest.mark.django_db
def test_a_file_adds_a_product_once_and_keeps_what_it_spells_otherwise():
    item_list = make_item_list(make_program(), ["Pen-1", "ink"])
    file = io.BytesIO(b"pen-1\nTEA\ntea\n")

    report = upload_items(item_list, file, change=ItemChange.REPLACE, has_heading=False)

    assert (report.added_count, report.removed_count) == (1, 1)
    ids = set(ListedItem.objects.values_list("item_id", flat=True))
    assert ids in ({"Pen-1", "TEA"}, {"Pen-1", "tea"})


@pytest.mark.django_db
def test_the_api_adds_and_removes_a_product_in_any_spelling():
    program = make_program()
    item_list = make_item_list(program, ["Pen-1"])
    path = f"item-lists/{item_list.pk}/items"
    client = caller_for(program)

    added = client.post(path, {"items": ["PEN-1", "Tea", "tea"]})
    removed = client.post(f"{path}/remove", {"items": ["pen-1"]})

    assert (added.json(), removed.json()) == ({"added": 1}, {"removed": 1})
    assert ListedItem.objects.get().item_id == "Tea"


def test_lines_of_one_product_net_out_in_any_spelling():
    [pen] = netted([("Pen-1", 50_000, "2"), ("PEN-1 ", -20_000, "-1")])

    assert (pen.item_id, pen.units, pen.quantity) == ("Pen-1", 30_000, 1)


def test_a_quest_counts_a_product_in_any_spelling():
    coffee = Requirement(1, 7, 30_000, restricted_to=frozenset({"Latte"}))

    assert amounts_of([coffee], 7, 40_000, netted([("LATTE", 40_000, "")])) == (
        (1, 40_000),
    )
