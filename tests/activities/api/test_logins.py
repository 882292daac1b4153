"""Opening sessions for members and staff over the API."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from activities.models import LoginSession
from activities.services.logins import (
    digest_of,
    forget_ended_logins,
    log_in_member,
    login_with,
)
from loyalty.models import IdempotentResponse
from tests.builders import NOON, make_member, make_program, make_unit
from tests.callers import caller_for, pointers_in, problem_in

pytestmark = pytest.mark.django_db
PATH = "login-sessions"
ANN = {"username": "ann", "password": "secret words"}


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def program(db):
    return make_program(session_hours=2)


@pytest.fixture
def member(program):
    return make_member(program, "C-1")


@pytest.fixture
def api(program):
    return caller_for(program)


def test_a_member_is_logged_in_as_long_as_the_program_says(program, member, api):
    response = api.post(PATH, {"member": {"kind": "customer_id", "value": "C-1"}})

    assert response.status_code == 201, response.content
    body = response.json()
    session = LoginSession.objects.get()
    assert (body["id"], body["session_user_id"]) == (session.pk, member.pk)
    assert bytes(session.digest) == digest_of(body["session_key"])
    assert session.expires_at == NOON + timedelta(hours=2)
    assert session.opened_by == "API key till"
    assert login_with(body["session_key"], now=NOON) == session
    assert response["Cache-Control"] == "no-store"


def test_a_client_may_say_how_long(member, api):
    api.post(PATH, {"member": {"id": member.pk}, "hours": 720})

    assert LoginSession.objects.get().expires_at == NOON + timedelta(days=30)


def test_the_key_is_stored_nowhere(member, api):
    body = {"member": {"id": member.pk}}

    first = api.post(PATH, body, Idempotency_Key="k").json()
    second = api.post(PATH, body, Idempotency_Key="k").json()

    assert first["session_key"] != second["session_key"]
    assert not IdempotentResponse.objects.exists()


def test_one_of_the_staff_logs_in_with_name_and_password(api):
    user = User.objects.create_user("ann", password="secret words", is_staff=True)

    response = api.post(
        PATH, {"staff": {"username": "ann", "password": "secret words"}}
    )

    assert response.status_code == 201, response.content
    assert response.json()["session_user_id"] == user.pk
    assert LoginSession.objects.get().expires_at == NOON + timedelta(hours=12)


@pytest.mark.parametrize(
    ("username", "password", "fields"),
    [
        ("ann", "wrong", {}),
        ("bob", "secret words", {}),
        ("ann", "secret words", {"is_staff": False}),
        ("ann", "secret words", {"is_active": False}),
        ("a\0", "b\0", {}),
    ],
)
def test_nobody_else_is_told_why_not(api, username, password, fields):
    defaults = {"is_staff": True}
    User.objects.create_user("ann", password="secret words", **{**defaults, **fields})

    response = api.post(PATH, {"staff": {"username": username, "password": password}})

    assert response.status_code in {400, 422}
    assert not LoginSession.objects.exists()


def test_guessing_passwords_is_stopped(api):
    User.objects.create_user("ann", password="secret words", is_staff=True)
    for _ in range(12):
        api.post(PATH, {"staff": {"username": "ann", "password": "wrong"}})

    response = api.post(
        PATH, {"staff": {"username": "ann", "password": "secret words"}}
    )

    problem_in(response, 422, "unknown_staff")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"member": {"id": 1}, "staff": {}}, ""),
        ({"member": {"id": 1}, "hours": 0}, "/hours"),
        ({"member": {"id": 1}, "hours": 721}, "/hours"),
        ({"member": {"id": 1}, "hours": "1"}, "/hours"),
        ({"member": {"id": 1}, "hours": True}, "/hours"),
        ({"member": "x"}, "/member"),
        ({"staff": "x"}, "/staff"),
        ({"staff": {"username": "ann"}}, "/staff/password"),
        ({"staff": {"username": 1, "password": "x"}}, "/staff/username"),
        ({"staff": {"username": "a", "password": "b"}, "hours": 1}, "/hours"),
        ({"member": {"id": 1}, "colour": "red"}, ""),
    ],
)
def test_a_wrong_body_is_refused_by_name(api, body, pointer):
    problem = problem_in(api.post(PATH, body), 400, "invalid")

    assert pointer in [one for one, _ in pointers_in(problem)]


def test_who_is_unknown_or_blocked_is_refused(program, member, api):
    problem_in(api.post(PATH, {"member": {"id": 10**9}}), 422, "unknown_member")
    stranger = make_member(make_program())
    problem_in(api.post(PATH, {"member": {"id": stranger.pk}}), 422, "unknown_member")
    member.is_blocked = True
    member.save()
    problem_in(api.post(PATH, {"member": {"id": member.pk}}), 422, "blocked_member")


def test_only_keys_of_the_whole_program_that_may_write_log_in(program, member):
    body = {"member": {"id": member.pk}}

    for fields in (
        {"can_write": False},
        {"can_write": False, "can_interact": True},
        {"units": [make_unit(program)]},
    ):
        assert caller_for(program, **fields).post(PATH, body).status_code == 403


def test_a_member_is_logged_out_by_its_own_program(member, api):
    number = api.post(PATH, {"member": {"id": member.pk}}).json()["id"]

    stranger = caller_for(make_program()).delete(f"{PATH}/{number}")
    problem_in(stranger, 404, "not_found")
    assert api.delete(f"{PATH}/{number}").status_code == 204
    assert not LoginSession.objects.exists()


def test_ended_sessions_are_forgotten(member):
    for hours in (1, 2):
        log_in_member(member, hours=hours, opened_by="test", now=NOON)

    assert forget_ended_logins(at=NOON + timedelta(hours=1)) == 1
    assert LoginSession.objects.count() == 1
