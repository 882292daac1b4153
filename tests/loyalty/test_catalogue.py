"""The catalogue's rows: which are live, and the numbers of kinds."""

from datetime import timedelta

import pytest

from campaigns.services.programme import current_programme
from loyalty.models import ActivityType, KindNumber
from tests.builders import NOON, make_program, make_type

pytestmark = pytest.mark.django_db

MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("fields", "is_live"),
    [
        pytest.param({}, True, id="no dates"),
        pytest.param({"starts_at": NOON}, True, id="the first instant is inside"),
        pytest.param({"starts_at": NOON + MOMENT}, False, id="not started"),
        pytest.param({"ends_at": NOON}, False, id="the last instant is outside"),
        pytest.param({"ends_at": NOON + MOMENT}, True, id="not ended"),
        pytest.param({"is_enabled": False}, False, id="switched off"),
        pytest.param(
            {"is_enabled": False, "starts_at": NOON}, False, id="off within its dates"
        ),
    ],
)
def test_live_is_on_and_within_its_dates(fields, is_live):
    row = make_type(make_program(), **fields)

    assert list(ActivityType.objects.live_at(NOON)) == ([row] if is_live else [])


def test_both_lists_number_every_kind():
    numbers = {
        numbering: list(
            KindNumber.objects.filter(numbering=numbering)
            .order_by("number")
            .values_list("number", "name")
        )
        for numbering in ("extended", "plain")
    }

    common = ["Facebook", "Merchandise", "Music"]
    assert numbers["extended"] == list(
        enumerate(
            [*common, "Tickets", "Twitter", "Your Site", "Check-In", "Code Redemption"],
            start=1,
        )
    )
    assert numbers["plain"] == [
        *enumerate(common, start=1),
        (5, "Tickets"),
        (6, "Twitter"),
        (7, "Your Site"),
        (8, "Foursquare Check-in"),
        (9, "Code Redemption"),
    ]


def test_switching_dated_credits_on_is_a_new_revision_of_the_configuration():
    program = make_program()
    before = current_programme(program.pk)

    program.allows_backdating = True
    program.save()

    after = current_programme(program.pk)
    assert (before.allows_backdating, after.allows_backdating) == (False, True)
    assert after.revision > before.revision
