"""Work does not grow with what an activity cannot meet, nor with a page's rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import builders
from tests.callers import purchase_body

# Raising these is a decision: it is the hot path of every till. Four of each open
# and close transactions.
QUERIES_OF_ONE_RECORDING_MAX = [
    pytest.param(0, 19, id="no campaign"),
    pytest.param(3, 25, id="campaigns of every sort"),
]


def queries_of(call):
    with CaptureQueriesContext(connection) as captured:
        response = call()
    assert response.status_code in {200, 201}, response.content
    return [query["sql"] for query in captured.captured_queries]


def record(client, member, key):
    body = purchase_body(member, key=key, items=[{"item_id": "1", "value": "1"}])
    return client.post("activities", body)


def rich(program, count):
    """Make campaigns of every sort: capped, budgeted, segmented, on items."""
    for _ in range(count):
        builders.make_campaign(program, cap_count=2, frequency_period_id=2)
        builders.make_campaign(program, points_budget=10_000)
        builders.make_campaign(
            program, included_segments=[builders.make_segment(program)]
        )
        builders.make_campaign(
            program, item_list=builders.make_item_list(program, ["1"])
        )


def test_recording_asks_as_often_with_48_campaigns_as_with_4(program, client, member):
    rich(program, 1)
    record(client, member, "warm-1")
    few = queries_of(lambda: record(client, member, "a"))
    rich(program, 11)
    record(client, member, "warm-2")

    many = queries_of(lambda: record(client, member, "b"))

    assert len(many) == len(few), "\n".join(many)


@pytest.mark.parametrize(("campaigns", "queries_max"), QUERIES_OF_ONE_RECORDING_MAX)
def test_recording_stays_within_its_budget_of_queries(
    program, client, member, campaigns, queries_max
):
    rich(program, campaigns)
    record(client, member, "warm")

    asked = queries_of(lambda: record(client, member, "a"))

    assert len(asked) <= queries_max, "\n".join(asked)


def test_a_batch_of_100_asks_as_often_as_a_batch_of_1(program, client, member):
    rich(program, 1)
    others = [builders.make_member(program) for _ in range(9)]
    for n, one in enumerate([member, *others]):
        record(client, one, f"warm-{n}")

    def batch_of(count, name):
        bodies = [
            purchase_body([member, *others][n % 10], key=f"{name}-{n}")
            for n in range(count)
        ]
        return client.post("activities/batch", {"activities": bodies})

    one = queries_of(lambda: batch_of(1, "one"))
    many = queries_of(lambda: batch_of(100, "many"))

    assert len(many) == len(one), "\n".join(many)


def test_a_page_of_20_asks_as_often_as_a_page_of_2(program, client, member):
    builders.make_channel(program, "STORE")
    builders.make_unit(program, "grocery")
    for n in range(20):
        body = purchase_body(
            member, key=f"k-{n}", channel="STORE", business_unit="grocery"
        )
        client.post("activities", body)

    few = queries_of(lambda: client.get("activities?page_size=2"))
    many = queries_of(lambda: client.get("activities?page_size=20"))

    assert len(many) == len(few), "\n".join(many)
