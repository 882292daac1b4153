"""Activities tell their currency, and campaigns ask for it."""

import pytest

from activities.models import Activity
from tests import builders
from tests.callers import pointers_in, problem_in, purchase_body


def test_a_currency_is_stored_shown_and_asked_for(program, client):
    builders.make_campaign(program, points=7, currencies=["EUR"])
    member = builders.make_member(program)

    euros = client.post("activities", purchase_body(member, currency="EUR", key="a"))
    francs = client.post("activities", purchase_body(member, currency="CHF", key="b"))
    untold = client.post("activities", purchase_body(member, key="c"))

    bonuses = [
        answer.json()["totals"]["loyalty"]["bonus"]
        for answer in (euros, francs, untold)
    ]
    assert bonuses == [7, 0, 0]
    row = client.get(f"activities/{euros.json()['id']}").json()
    assert row["currency"] == "EUR"
    assert list(Activity.objects.order_by("pk").values_list("currency", flat=True)) == [
        "EUR",
        "CHF",
        "",
    ]


@pytest.mark.parametrize("wrong", ["eur", "EURO", "€", "E R"])
def test_what_is_no_currency_is_refused(program, client, wrong):
    body = purchase_body(builders.make_member(program), currency=wrong)

    problem = problem_in(client.post("activities", body), 400, "invalid")

    assert pointers_in(problem) == [("/currency", "invalid_currency")]
    assert "write its ISO code in three capital letters" in problem["detail"]
