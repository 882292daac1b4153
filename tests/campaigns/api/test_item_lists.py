"""Lists of products over the API."""

import pytest

from campaigns.models import ListedItem
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body


@pytest.fixture
def path(client):
    row = client.post("item-lists", {"code": "fruit", "name": "Fruit"}).json()
    return f"item-lists/{row['id']}"


def items_in(client, path):
    rows = client.get(f"{path}/items").json()["results"]
    return {row["item_id"] for row in rows}


def test_products_are_put_on_a_list_and_taken_off(client, path):
    added = client.post(f"{path}/items", {"items": ["1", "2", "2"]})
    again = client.post(f"{path}/items", {"items": ["2", "3"]})
    removed = client.post(f"{path}/items/remove", {"items": ["1", "9"]})

    assert added.json() == {"added": 2}
    assert again.json() == {"added": 1}
    assert removed.json() == {"removed": 1}
    assert items_in(client, path) == {"2", "3"}


def test_one_product_is_looked_up(client, path):
    client.post(f"{path}/items", {"items": ["1", "2"]})

    assert client.get(f"{path}/items?item_id=2").json()["results"] == [{"item_id": "2"}]
    assert client.get(f"{path}/items?item_id=9").json()["results"] == []


def test_products_come_in_pages(client, path):
    client.post(f"{path}/items", {"items": [str(n) for n in range(120)]})

    first = client.get(f"{path}/items?page_size=100").json()
    second = client.get(first["next"]).json()

    found = [row["item_id"] for row in first["results"] + second["results"]]
    assert sorted(found, key=int) == [str(n) for n in range(120)]
    assert second["next"] is None


def test_a_change_of_a_list_counts_at_once(program, client, path):
    number = int(path.split("/")[1])
    builders.make_campaign(program, item_list_id=number)
    member = builders.make_member(program)
    body = purchase_body(member, items=[{"item_id": "7", "value": 1}])

    def bonus():
        sums = client.post("activities/simulate", body).json()["totals"]["loyalty"]
        return sums["bonus"] + sums["targeted"]

    before = bonus()
    client.post(f"{path}/items", {"items": ["7"]})
    listed = bonus()
    client.post(f"{path}/items/remove", {"items": ["7"]})

    assert (before, listed, bonus()) == (0, 10, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": "1"}, "/items"),
        ({"items": [1]}, "/items/0"),
        ({"items": [""]}, "/items/0"),
        ({"items": ["x" * 101]}, "/items/0"),
        ({"items": ["1"] * 10_001}, "/items"),
        ({"items": ["1"], "more": 1}, "/more"),
    ],
)
def test_what_is_no_product_is_refused(client, path, body, pointer):
    problem = problem_in(client.post(f"{path}/items", body), 400, "invalid")

    assert pointer in {where for where, _ in pointers_in(problem)}, problem
    assert ListedItem.objects.count() == 0


def test_lists_of_another_program_are_not_there(client, path):
    stranger = caller_for(builders.make_program())

    problem_in(stranger.get(f"{path}/items"), 404, "not_found")
    problem_in(stranger.post(f"{path}/items", {"items": ["1"]}), 404, "not_found")
    assert ListedItem.objects.count() == 0
