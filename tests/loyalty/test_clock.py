"""A host's wrong clock moves no points: the database's clock decides."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from activities.services import record_activities
from loyalty import tasks
from loyalty.models import Account
from loyalty.services import clock
from tests.builders import (
    make_member,
    make_program,
    make_type,
    make_wallet,
    purchase,
)
from tests.callers import caller_for

pytestmark = [pytest.mark.django_db, pytest.mark.database_clock]

AHEAD = timedelta(days=40)


@pytest.fixture
def member():
    """Somebody with 50 points that expire in ten days."""
    program = make_program()
    wallet = make_wallet(program, expiry_model="days", expiry_count=10)
    make_type(program, wallet=wallet)
    member = make_member(program)
    now = clock.now()
    command = purchase(member, "50", occurred_at=now)
    record_activities(program.pk, [command], now=now)
    return member


def database_moment():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("wrong_by", [-AHEAD, timedelta(0), AHEAD])
def test_the_moment_is_the_databases_whatever_the_host_shows(wrong_by):
    with time_machine.travel(datetime.now(tz=UTC) + wrong_by):
        moments = [clock.now() for _ in range(3)]
        difference = abs(moments[0] - database_moment())

    assert difference < timedelta(seconds=5)
    assert moments == sorted(moments)


@pytest.mark.parametrize("wrong_by", [-AHEAD, timedelta(seconds=61), AHEAD])
def test_nothing_expires_on_a_host_whose_clock_is_wrong(member, wrong_by, caplog):
    with time_machine.travel(datetime.now(tz=UTC) + wrong_by):
        tasks.expire_points()
        tasks.expire_vouchers()

    assert Account.objects.get(member=member).balance == 50
    assert "Nothing expires until they differ by less than a minute" in caplog.text


def test_a_small_difference_does_not_stop_expiry():
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=50)):
        assert abs(clock.agreed_now() - database_moment()) < timedelta(seconds=5)


def test_an_activity_of_the_future_is_refused_by_a_host_that_is_ahead(member):
    client = caller_for(member.program)
    body = {
        "key": "R-1",
        "activity_type": "PURCHASE",
        "member_id": member.pk,
        "value": "5",
        "occurred_at": (datetime.now(tz=UTC) + timedelta(days=30)).isoformat(),
    }

    with time_machine.travel(datetime.now(tz=UTC) + AHEAD):
        answer = client.post("activities", body)

    assert answer.status_code == 400
    assert Account.objects.get(member=member).balance == 50
