"""Activities that earned only when their person became known, as read back."""

from datetime import timedelta

import pytest

from activities.models import Activity
from activities.services import record_activities
from activities.services.history import history_of, points_earned
from tests.builders import NOON, make_member, make_program, make_type, purchase
from tests.callers import caller_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program(retro_points="all")
    make_type(program)
    return program


@pytest.fixture
def member(program):
    """A member that was anonymous for five points and then known for one."""
    member = make_member(program, "jo")
    for place, command in enumerate(
        [
            purchase(None, "5", anonymous_id="cookie-1"),
            purchase("jo", "1", anonymous_id="cookie-1"),
        ]
    ):
        now = NOON + timedelta(hours=place)
        record_activities(program.pk, [command], now=now)
    return member


def test_the_api_tells_what_an_activity_earned_in_the_end(program, member):
    first = Activity.objects.order_by("pk")[0]

    body = caller_for(program).get(f"activities/{first.pk}?explain=1").json()

    assert body["member"] == member.pk
    assert body["anonymous_id"] == "cookie-1"
    assert [one["points"] for one in body["explanation"]["awards"]] == [5]


def test_a_members_history_counts_what_was_earned_in_the_end(member):
    assert [points_earned(one) for one in history_of(member)] == [1, 5]


def test_the_decision_made_while_nobody_knew_stays(member):
    first = Activity.objects.order_by("pk")[0]

    assert first.decision["awards"] == []
    assert [one["reason"] for one in first.decision["rejections"]] == ["member_unknown"]
