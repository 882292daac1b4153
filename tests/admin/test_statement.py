"""What moved a member's points, in both directions, and what the balance was then."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from activities.models import Activity
from activities.services import record_activities, reverse_activities
from loyalty.models import Account, Entry, FrequencyPeriod, Lot, Member
from loyalty.reports import Span, movements_of
from tests.admin.forms import page
from tests.builders import (
    NOON,
    line,
    make_campaign,
    make_member,
    make_program,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program(time_zone="Europe/Amsterdam")
    make_type(program)
    return program


@pytest.fixture
def member(program):
    return make_member(program, "ann")


def earn(program, member, value, at=NOON):
    command = purchase(member, value, occurred_at=at)
    (done,) = record_activities(program.pk, [command], now=at)
    return done.activity_id


def statement(client, member, **sent):
    answer = client.get(
        reverse("admin:loyalty_member_statement", args=[member.pk]), sent
    )
    assert answer.status_code == 200
    return answer


def rows(answer):
    return [(one.amount, one.balance) for one in answer.context["lines"]]


def test_debits_stand_beside_credits_with_the_balance_after_each(
    admin_client, program, member
):
    first = earn(program, member, "30")
    earn(program, member, "12", NOON + timedelta(hours=1))
    reverse_activities(
        program.pk, [first], now=NOON + timedelta(hours=2), reason="Returned"
    )

    answer = statement(admin_client, member)

    assert rows(answer) == [("−30", "12"), ("+12", "42"), ("+30", "30")]
    assert [one.is_reversed for one in answer.context["lines"]] == [False, False, True]
    assert "Reversal" in answer.content.decode()


def test_the_last_balance_is_the_balance(program, member):
    first = earn(program, member, "30")
    earn(program, member, "12")
    reverse_activities(program.pk, [first], now=NOON, reason="Returned")
    account = Account.objects.get(member=member)

    assert movements_of(account.pk, Span())[0].balance == account.balance


def test_days_are_those_of_booking_in_the_zone_of_the_program(
    admin_client, program, member
):
    # 23:30 UTC on 4 March is 5 March in Amsterdam.
    earn(program, member, "1", datetime(2026, 3, 4, 22, 59, tzinfo=UTC))
    earn(program, member, "2", datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    earn(program, member, "4", datetime(2026, 3, 5, 23, 0, tzinfo=UTC))

    answer = statement(
        admin_client, member, booked_from="05/03/2026", booked_to="05/03/2026"
    )

    assert rows(answer) == [("+2", "3")]


def test_a_day_that_cannot_be_read_is_refused_visibly(admin_client, program, member):
    earn(program, member, "1")

    answer = statement(admin_client, member, booked_from="soon")

    assert rows(answer) == []
    assert "“soon” is not a valid date" in answer.content.decode()


@pytest.mark.parametrize("number", ["-1", "x", "9" * 30, "", "²"])
def test_a_page_that_is_not_there_is_no_error(admin_client, program, member, number):
    earn(program, member, "1")

    statement(admin_client, member, p=number, wallet="x")


def test_it_goes_on_over_pages(admin_client, program, member):
    commands = [purchase(member, "1") for _ in range(60)]
    record_activities(program.pk, commands, now=NOON)

    first = statement(admin_client, member)
    second = statement(admin_client, member, p="1")

    assert len(first.context["lines"]) == 50
    assert [one[1] for one in rows(second)] == [str(n) for n in range(10, 0, -1)]
    assert "Older" in first.content.decode()
    assert "Newer" in second.content.decode()


def test_a_member_of_another_program_has_no_statement_here(admin_client, program):
    other = make_member(make_program())

    address = reverse("admin:loyalty_member_statement", args=[other.pk])

    assert admin_client.get(address).status_code == 404


def test_the_page_of_a_member_shows_what_was_taken_and_reversed(
    admin_client, program, member
):
    first = earn(program, member, "30")
    reverse_activities(program.pk, [first], now=NOON, reason="Returned")

    text = admin_client.get(page(Member, "change", member.pk)).content.decode()

    assert "−30" in text
    assert text.count(">Taken back<") == 2
    assert reverse("admin:loyalty_member_statement", args=[member.pk]) in text


def test_the_page_of_a_member_lists_what_expires_by_month(
    admin_client, program, member
):
    earn(program, member, "30")
    Lot.objects.update(expires_at=datetime(2099, 3, 31, 22, 30, tzinfo=UTC))

    text = admin_client.get(page(Member, "change", member.pk)).content.decode()

    # Half past midnight on 1 April in Amsterdam.
    assert "April 2099" in text


def test_searching_entries_finds_what_a_member_gave_too(admin_client, program, member):
    first = earn(program, member, "30")
    reverse_activities(program.pk, [first], now=NOON, reason="Returned")

    answer = admin_client.get(page(Entry, "changelist"), {"q": "ann"})

    assert len(answer.context["cl"].result_list) == 2


def test_line_items_stand_on_the_page_of_their_activity(admin_client, program, member):
    command = purchase(member, "7", lines=(line("tea-1", "7"),))
    (done,) = record_activities(program.pk, [command], now=NOON)

    text = admin_client.get(page(Activity, "change", done.activity_id)).content.decode()

    assert "Line items" in text
    assert "<td>tea-1</td>" in text


def test_a_cap_names_the_purchase_that_used_it(admin_client, program, member):
    make_campaign(
        program, cap_count=1, frequency_period=FrequencyPeriod.objects.get(pk=2)
    )
    first = earn(program, member, "5")
    second = earn(program, member, "5", NOON + timedelta(minutes=5))

    text = admin_client.get(page(Activity, "change", second)).content.decode()

    assert (
        f'Used by: <a class="loyalty-link" href="{page(Activity, "change", first)}"'
        in text
    )
