"""``GET /v2/users/{user_id}/activity_history``: what came of the credits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import Activity
from activities.services import record_activities, reverse_activities
from loyalty.models import Account
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
    purchase,
)
from tests.contracts.crowdtwist.client import CrowdTwist, error_in, fixed

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def seconds(moment):
    return str(int(moment.timestamp()))


def credit(crowdtwist, member, row, **body):
    response = crowdtwist.post(
        f"/v2/users/{member.pk}/activities", {"activity_id": str(row.pk), **body}
    )
    assert response.status_code == 200, response.content


def history(crowdtwist, member, query="", version="v2"):
    path = f"/{version}/users/{member.pk}/activity_history{query}"
    response = crowdtwist.get(path)
    assert response.status_code == 200, response.content
    return response.json()


def test_a_credit_stands_in_the_history_to_the_type(program, crowdtwist, alice):
    tier = make_tier(program, "Bronze", 0)
    row = fixed(program, "shared a link", show_as_locked_by_tier=True)
    row.minimum_tier = tier
    credit(crowdtwist, alice, fixed(program, "first"))
    row.save()
    extra = {"url": "http://www.example.com/shared.html", "count": 2}
    credit(crowdtwist, alice, row, extra_data=extra)

    entry = history(crowdtwist, alice)[0]

    assert entry == {
        "activity_id": str(row.pk),
        "date_created": seconds(NOON),
        "date_awarded": seconds(NOON),
        "name": "shared a link",
        "num_points": 100,
        "show_as_locked_by_tier": True,
        "min_tier_id": tier.pk,
        "extra_data": extra,
    }


def test_t35_a_credit_that_paid_nothing_has_no_date_of_award(
    program, crowdtwist, alice
):
    once = fixed(program, "once", cap_count=1, frequency_period_id=5)
    credit(crowdtwist, alice, once)
    credit(crowdtwist, alice, once)

    newest, oldest = history(crowdtwist, alice)

    assert (newest["num_points"], newest["date_awarded"]) == (0, None)
    assert newest["date_created"] == seconds(NOON)
    assert (oldest["num_points"], oldest["date_awarded"]) == (100, seconds(NOON))


def test_recorded_and_awarded_are_two_instants(program, crowdtwist, alice):
    program.allows_backdating = True
    program.save()
    then = NOON - timedelta(days=3)
    credit(crowdtwist, alice, fixed(program, "late"), activity_date=int(seconds(then)))

    (entry,) = history(crowdtwist, alice)

    assert (entry["date_created"], entry["date_awarded"]) == (
        seconds(NOON),
        seconds(then),
    )


def test_points_are_what_was_earned_campaigns_and_override_included(
    program, crowdtwist, alice
):
    make_campaign(program, points=7)
    credit(crowdtwist, alice, fixed(program, "it"), num_points=150)

    (entry,) = history(crowdtwist, alice)

    assert entry["num_points"] == 157 == Account.objects.get(member=alice).balance


def test_points_of_other_wallets_are_not_mixed_in_and_decimals_are_cut(
    program, crowdtwist, alice
):
    fine = make_wallet(program, code="fine", decimals=2)
    make_campaign(program, points=7, wallet=make_wallet(program, code="other"))
    credit(crowdtwist, alice, fixed(program, "it", wallet=fine, points="2.75"))

    (entry,) = history(crowdtwist, alice)

    assert entry["num_points"] == 2


def test_without_extra_data_it_is_null(program, crowdtwist, alice):
    credit(crowdtwist, alice, fixed(program, "it"))

    assert history(crowdtwist, alice)[0]["extra_data"] is None


def test_the_history_is_of_this_member_from_every_source_newest_first(
    program, crowdtwist, alice
):
    make_type(program)
    credit(crowdtwist, make_member(program), fixed(program, "someone else's"))
    record_activities(program.pk, [purchase(alice, "12.50")], now=NOON)
    credit(crowdtwist, alice, fixed(program, "it"))

    assert [entry["name"] for entry in history(crowdtwist, alice)] == ["it", "Purchase"]


def test_what_was_reversed_counts_as_not_done(program, crowdtwist, alice):
    credit(crowdtwist, alice, fixed(program, "it"))
    reverse_activities(
        program.pk, [Activity.objects.get().pk], now=NOON, reason="mistake"
    )

    assert history(crowdtwist, alice) == []


def test_a_key_bound_to_a_unit_sees_the_activities_of_that_unit(program, alice):
    grocery = CrowdTwist(program, units=[make_unit(program)])
    fashion = CrowdTwist(program, units=[make_unit(program, "fashion")])
    credit(grocery, alice, fixed(program, "it"))

    assert len(history(grocery, alice)) == 1
    assert history(fashion, alice) == []


@pytest.fixture
def three_days(program, crowdtwist, alice):
    """Activities of yesterday, today and an hour ahead, called so."""
    program.allows_backdating = True
    program.save()
    for name, moment in (
        ("yesterday", NOON - timedelta(days=1)),
        ("today", NOON),
        ("ahead", NOON + HOUR),
    ):
        credit(
            crowdtwist, alice, fixed(program, name), activity_date=int(seconds(moment))
        )


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [
        pytest.param(None, None, ["ahead", "today", "yesterday"], id="no dates"),
        pytest.param(NOON, None, ["ahead", "today"], id="the start is inside"),
        pytest.param(None, NOON, ["yesterday"], id="the end is outside"),
        pytest.param(NOON, NOON + HOUR, ["today"], id="both"),
        pytest.param(NOON + HOUR, NOON, [], id="the wrong way round"),
    ],
)
def test_v21_cuts_the_history_by_dates(
    three_days, crowdtwist, alice, start, end, names
):
    dates = {"date_start": start, "date_end": end}
    query = "&".join(f"{name}={seconds(at)}" for name, at in dates.items() if at)

    entries = history(crowdtwist, alice, f"?{query}", version="v2.1")

    assert [entry["name"] for entry in entries] == names


def test_v2_knows_no_dates(three_days, crowdtwist, alice):
    assert len(history(crowdtwist, alice, f"?date_start={seconds(NOON)}")) == 3


@pytest.mark.parametrize("name", ["date_start", "date_end"])
@pytest.mark.parametrize(
    "text", ["soon", "", "0", "-5", "1e9", "2026-03-04", "1772625600000", "9" * 5000]
)
def test_a_date_that_cannot_be_read_is_invalid(crowdtwist, alice, name, text):
    response = crowdtwist.get(f"/v2.1/users/{alice.pk}/activity_history?{name}={text}")

    assert name in error_in(response, 400, "invalid_date")


def test_a_page_of_the_history(three_days, crowdtwist, alice):
    pages = [
        [
            entry["name"]
            for entry in history(
                crowdtwist, alice, f"?page_number={number}&page_size=2"
            )
        ]
        for number in (1, 2, 3)
    ]

    assert pages == [["ahead", "today"], ["yesterday"], []]


@pytest.mark.parametrize("version", ["v2", "v2.1"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("page_number=1", "page_size"),
        ("page_size=10", "page_number"),
        ("page_number=0&page_size=10", "page_number"),
        ("page_number=1&page_size=0", "page_size"),
        ("page_number=1&page_size=1001", "page_size"),
        ("page_number=x&page_size=10", "page_number"),
        (f"page_number={'9' * 5000}&page_size=10", "page_number"),
        ("page_number=1&page_size=", "page_size"),
    ],
)
def test_a_page_needs_number_and_size_and_both_good(
    crowdtwist, alice, version, query, named
):
    response = crowdtwist.get(f"/{version}/users/{alice.pk}/activity_history?{query}")

    assert f"[{named}]" in error_in(response, 400, "invalid")


def test_the_history_is_not_in_pages_unless_asked(program, crowdtwist, alice):
    make_type(program)
    record_activities(program.pk, [purchase(alice) for _ in range(120)], now=NOON)

    assert len(history(crowdtwist, alice)) == 120


def test_the_number_of_queries_does_not_grow_with_the_history(
    program, crowdtwist, alice
):
    make_type(program)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            history(crowdtwist, alice)
        return len(captured)

    record_activities(program.pk, [purchase(alice) for _ in range(2)], now=NOON)
    few = queries()
    record_activities(program.pk, [purchase(alice) for _ in range(18)], now=NOON)

    assert queries() == few
