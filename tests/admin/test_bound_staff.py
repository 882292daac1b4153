"""Staff who are bound to programs see and work in no other."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from activities.services.logins import log_in_staff, login_with
from loyalty.models import ApiKey, Program, StaffProgram
from loyalty.services.staff import programs_of
from tests.admin.forms import complaints, page, save
from tests.builders import NOON, make_campaign, make_program, make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(db):
    return make_program(name="First")


@pytest.fixture
def second(first):
    return make_program(name="Second")


@pytest.fixture
def bound(client, staff_of, first, second):
    """A browser of an operator who is bound to the second program."""
    user = staff_of("Operator")
    StaffProgram.objects.create(user=user, program=second)
    client.force_login(user)
    return client


def test_who_is_bound_to_none_works_in_every_program(staff_of, first, second):
    assert set(programs_of(staff_of("Marketing"))) == {first, second}


def test_superusers_work_in_every_program(first, second):
    user = User.objects.create_superuser("root", password="x")
    StaffProgram.objects.create(user=user, program=first)

    assert set(programs_of(user)) == {first, second}


def test_bound_staff_start_in_their_program(bound, second):
    page = bound.get(reverse("admin:index"))

    assert page.context["program"] == second


def test_the_list_and_the_menu_of_programs_name_no_other(bound):
    page = bound.get(reverse("admin:loyalty_program_changelist")).content.decode()

    assert "Second" in page
    assert "First" not in page


@pytest.mark.parametrize("name", ["work_in", "change", "history"])
def test_another_program_cannot_be_opened(bound, first, name):
    bound.get(reverse(f"admin:loyalty_program_{name}", args=[first.pk]), follow=True)

    page = bound.get(reverse("admin:index"))
    assert page.context["program"].name == "Second"


def test_rows_of_another_program_cannot_be_opened(bound, first):
    campaign = make_campaign(first, name="Secret")
    segment = make_segment(first, [], name="Secret segment")
    for name, row in (
        ("campaigns_campaign", campaign),
        ("loyalty_segment", segment),
    ):
        page = bound.get(reverse(f"admin:{name}_change", args=[row.pk]), follow=True)
        assert b"Secret" not in page.content


def test_a_session_that_chose_another_program_before_loses_it(
    client, staff_of, first, second
):
    user = staff_of("Marketing")
    client.force_login(user)
    client.get(reverse("admin:loyalty_program_work_in", args=[first.pk]))
    StaffProgram.objects.create(user=user, program=second)

    assert client.get(reverse("admin:index")).context["program"] == second


def test_a_program_that_bound_staff_create_is_theirs(bound):
    answer = save(bound, page(Program, "add"), name="Third", code="third")

    assert answer.status_code == 302, complaints(answer)
    third = Program.objects.get(code="third")
    user = StaffProgram.objects.get(program=third).user
    assert third in programs_of(user)


def test_another_password_ends_the_sessions_of_staff(staff_of):
    user = staff_of("Marketing")
    opened = log_in_staff(user, opened_by="test", now=NOON)
    assert login_with(opened.key, now=NOON) is not None

    user.set_password("another")
    user.save()

    assert login_with(opened.key, now=NOON) is None


def test_the_address_of_a_key_holds_nothing_of_its_secret(first):
    row, secret = ApiKey.objects.create_key(name="till", program=first)

    prefix, _, rest = secret.partition(".")
    address = reverse("admin:loyalty_apikey_change", args=[row.pk])
    assert (row.pk, row.prefix) == (prefix, prefix)
    assert row.hashed_key not in address
    assert rest not in address
    assert ApiKey.objects.is_valid(secret)
