"""The first page tells what the program owes and what it needs next."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from activities.models import Upload
from activities.services import record_activities
from activities.services.reversing import reverse_activities
from campaigns.models import Campaign
from loyalty.models import Wallet
from loyalty.reports import outstanding_points, points_by_day
from tests.builders import (
    make_campaign,
    make_member,
    make_program,
    make_segment,
    make_type,
    make_wallet,
    purchase,
)

INDEX = reverse("admin:index")


def first_page(client):
    answer = client.get(INDEX)
    assert answer.status_code == 200
    return answer


def test_without_a_program_the_page_says_how_to_begin(client, admin_user):
    client.force_login(admin_user)

    text = first_page(client).content.decode()

    assert "There is no loyalty program yet" in text
    assert reverse("admin:loyalty_program_add") in text


def test_somebody_without_a_group_is_told_whom_to_ask(client, db):
    make_program()
    client.force_login(User.objects.create_user("new", is_staff=True))

    text = first_page(client).content.decode()

    assert "belong to no group yet" in text
    assert "held by members" not in text


def test_a_new_program_lists_its_next_steps(marketing):
    program = make_program()
    make_wallet(program)

    steps = first_page(marketing).context["steps"]

    assert [step.is_done for step in steps] == [True, *5 * [False]]


def test_the_tiles_tell_what_is_owed(marketing):
    program = make_program()
    make_wallet(program, expiry_model="days", expiry_count=10)
    make_type(program)
    members = [make_member(program), make_member(program)]
    now = timezone.now()
    record_activities(
        program.pk,
        [purchase(one, "1250.75", occurred_at=now) for one in members],
        now=now,
    )

    tile = first_page(marketing).context["tiles"][0]

    assert tile.title == "Loyalty points: held by members"
    assert tile.figure == "2,500"
    assert tile.note == "2,500 expire within 30 days"


def test_the_chart_parts_each_day_by_bucket_on_the_programs_clock(db):
    program = make_program(time_zone="America/Phoenix")
    make_type(program)
    member = make_member(program)
    make_campaign(program, points=10)
    make_campaign(
        program, points=3, included_segments=[make_segment(program, [member])]
    )
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    late_evening = datetime(2026, 3, 6, 5, tzinfo=UTC)  # 5 March in Phoenix
    record_activities(
        program.pk,
        [
            purchase(member, "20", occurred_at=late_evening),
            purchase(member, "7", occurred_at=late_evening - timedelta(days=2)),
        ],
        now=now,
    )
    wallet = Wallet.objects.get()

    days = points_by_day(
        program, wallet.pk, posted_since=now - timedelta(days=30), days=4
    )

    assert [(f"{day.day}", day.base, day.bonus, day.targeted) for day in days] == [
        ("2026-03-02", 0, 0, 0),
        ("2026-03-03", 7, 10, 3),
        ("2026-03-04", 0, 0, 0),
        ("2026-03-05", 20, 10, 3),
    ]
    assert points_by_day(program, wallet.pk, posted_since=now, days=4) != []
    later = now + timedelta(seconds=1)
    assert points_by_day(program, wallet.pk, posted_since=later, days=4) == []


def test_the_debt_of_another_program_is_not_counted(db):
    program, other = make_program(), make_program()
    for one in (program, other):
        make_type(one)
    now = timezone.now()
    member = make_member(other)
    record_activities(other.pk, [purchase(member, "9", occurred_at=now)], now=now)

    (line,) = outstanding_points(program, at=now, expiring_until=now)
    (foreign,) = outstanding_points(other, at=now, expiring_until=now)

    assert (line.points, line.pending, line.expiring) == (0, 0, 0)
    assert foreign.points == 9


def test_the_page_shows_uploads_under_way_and_campaigns_that_pay(marketing):
    program = make_program()
    now = timezone.now()
    make_campaign(program, name="Double Friday", ends_at=now + timedelta(days=2))
    make_campaign(program, name="Long gone", ends_at=now - timedelta(days=2))
    Upload.objects.create(
        program=program,
        original_name="july.csv",
        format="csv",
        status="running",
        phase_done=30,
        phase_total=120,
        created_at=now,
    )
    Upload.objects.create(
        program=program,
        original_name="june.csv",
        format="csv",
        status="finished",
        created_at=now,
    )

    context = first_page(marketing).context

    assert [line.name for line in context["live_campaigns"]] == ["Double Friday"]
    assert [(f"{line.upload}", line.percent) for line in context["uploads"]] == [
        ("july.csv", 25)
    ]
    assert Campaign.objects.count() == 2


def test_the_page_shows_nothing_of_another_program(marketing):
    make_program(name="Mine")
    other = make_program(name="Theirs")
    make_campaign(other, name="Their secret offer")

    text = first_page(marketing).content.decode()

    assert "Their secret offer" not in text


@pytest.mark.parametrize("address", [INDEX, reverse("admin:login")])
def test_signing_in_leads_to_the_first_page(client, marketer, address):
    form = client.get(address, follow=True)
    posted = {"username": marketer.username, "password": "x"}

    answer = client.post(form.wsgi_request.get_full_path(), posted)

    assert answer.status_code == 302
    assert answer["Location"] == INDEX


def test_what_was_taken_back_is_not_drawn_as_earned(marketing):
    program = make_program()
    make_type(program)
    member = make_member(program)
    now = timezone.now()
    wrong, _ = record_activities(
        program.pk,
        [
            purchase(member, "1000", key="wrong", occurred_at=now),
            purchase(member, "30", key="right", occurred_at=now),
        ],
        now=now,
    )
    reverse_activities(program.pk, [wrong.activity_id], now=now, reason="wrong file")

    (chart,) = first_page(marketing).context["charts"]

    assert chart.highest == "30"
    assert ("Base", "base", "30") in chart.sums


def test_a_day_of_which_everything_was_taken_back_draws_nothing(marketing):
    program = make_program()
    make_type(program)
    now = timezone.now()
    (only,) = record_activities(
        program.pk, [purchase(make_member(program), "9", occurred_at=now)], now=now
    )
    reverse_activities(program.pk, [only.activity_id], now=now, reason="wrong file")

    assert first_page(marketing).context["charts"] == []
