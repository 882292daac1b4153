"""What staff set up for CrowdTwist clients."""

import pytest
from django.urls import reverse

from activities.services import record_activities
from loyalty.models import Kind, KindNumber
from tests.builders import NOON, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client, admin_user):
    client.force_login(admin_user)
    return client


def form_of(answer):
    """Return what a browser would send back, unchanged."""
    context = answer.context
    sent = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            sent[field.html_name] = "" if field.value() is None else field.value()
    return sent


def test_the_numbers_of_a_kind_can_be_edited_and_nothing_else(browser):
    site = Kind.objects.get(key="your-site")
    address = reverse("admin:loyalty_kind_change", args=[site.pk])
    sent = form_of(browser.get(address))
    places = [name for name in sent if name.endswith("-number") and sent[name] == 6]
    number_field = next(name for name in places if name.startswith("numbers-"))

    answer = browser.post(address, {**sent, number_field: 77, "name": "Renamed"})

    assert answer.status_code == 302, answer.context["errors"]
    numbers = KindNumber.objects.filter(kind=site).values_list("number", flat=True)
    assert sorted(numbers) == [7, 77]
    site.refresh_from_db()
    assert site.name == "Your Site"


def test_credits_with_a_date_are_switched_on_in_the_admin(browser):
    program = make_program()
    address = reverse("admin:loyalty_program_change", args=[program.pk])
    sent = form_of(browser.get(address))
    assert sent["allows_backdating"] is False

    answer = browser.post(
        address,
        {
            **{name: value for name, value in sent.items() if value is not False},
            "allows_backdating": "on",
        },
    )

    assert answer.status_code == 302, answer.context["errors"]
    program.refresh_from_db()
    assert program.allows_backdating is True


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (150, "Points given by the caller; its rule alone gives 100."),
        (0, "No points given by the caller; its rule alone gives 100."),
    ],
)
def test_the_page_of_an_activity_tells_that_the_caller_gave_its_points(
    browser, given, told
):
    program = make_program()
    make_type(program, reward_method="fixed", points=100)
    command = purchase(make_member(program), given_points=given)
    (outcome,) = record_activities(program.pk, [command], now=NOON)

    answer = browser.get(
        reverse("admin:activities_activity_change", args=[outcome.activity_id])
    )

    assert told in answer.content.decode()
