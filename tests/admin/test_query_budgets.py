"""How many queries the pages take that grew with what they show."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from tests.admin.forms import page
from tests.builders import make_campaign, make_method, make_program, make_type


def queries_of(client, prizes):
    program = make_program()
    make_type(program)
    card = make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        points=0,
    )
    for _ in range(prizes):
        make_method(card, usage_limit=10)
    session = client.session
    session["working_program"] = program.pk
    session.save()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page(Campaign, "change", card.pk)).status_code == 200
    return len(queries)


@pytest.mark.django_db
def test_a_prize_more_takes_one_query_more_at_most(admin_client):
    queries_of(admin_client, 1)
    few, many = queries_of(admin_client, 4), queries_of(admin_client, 8)

    assert many - few <= 4
    assert few < 100
