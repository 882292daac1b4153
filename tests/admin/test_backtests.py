"""“Try it out” and the pages of backtests."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from activities import tasks
from activities.admin.backtest_form import Days, last_full_month
from activities.models import Activity, Backtest, BacktestStatus
from activities.services import record_activities
from activities.services.backtesting import run_backtest
from loyalty.models import Account, ActivityType, ConfigurationRevision, Entry, Member
from tests.builders import make_campaign, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ADD = "admin:activities_backtest_add"
TRY = "admin:activities_backtest_try"


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """Backtests that were queued."""
    found: list[int] = []
    monkeypatch.setattr(tasks, "enqueue_backtest", found.append)
    return found


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def draft(program):
    return make_campaign(program, name="Spring", points=7, is_enabled=False)


def buy(program, member, *, days_ago=0):
    at = NOW - timedelta(days=days_ago)
    record_activities(program.pk, [purchase(member, "20", occurred_at=at)], now=at)


def asked_for(program, *campaigns, **fields):
    today = NOW.date()
    return {
        "program": program.pk,
        "campaigns": [one.pk for one in campaigns],
        "first": today - timedelta(days=90),
        "last": today + timedelta(days=1),
        "dates": "period",
        "cost_per_point": "0.01",
        **fields,
    }


def tried(program, *campaigns, **fields):
    return {
        "campaigns": [one.pk for one in campaigns],
        "type": ActivityType.objects.get(program=program).pk,
        "occurred_at_0": NOW.date().isoformat(),
        "occurred_at_1": "12:00:00",
        "value": "20",
        **fields,
    }


def test_trying_a_draft_out_shows_what_it_would_pay_and_writes_nothing(
    marketing, program, draft
):
    make_member(program, "ann")
    before = _written()

    known = marketing.get(reverse(TRY), tried(program, draft, member="ann"))
    new = marketing.get(reverse(TRY), tried(program, draft))

    for answer in (known, new):
        text = answer.content.decode()
        assert 'Spring</a> <span class="loyalty-mark">draft</span>' in text
        assert "<strong>27</strong>" in text
        assert "no points moved" in text
    assert _written() == before


def _written():
    return [
        model.objects.count()
        for model in (Activity, Entry, Account, Member, ConfigurationRevision)
    ]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        pytest.param({"member": "nobody"}, "Nobody has this identity", id="member"),
        pytest.param({"items": "tea much"}, "is not a product", id="products"),
        pytest.param({"occurred_at_0": ""}, "This field is required", id="moment"),
    ],
)
def test_what_cannot_be_tried_is_said_beside_its_field(
    marketing, program, fields, complaint
):
    answer = marketing.get(reverse(TRY), tried(program, **fields))

    assert complaint in answer.content.decode()


def test_products_add_up_where_no_value_is_given(marketing, program):
    fields = {"value": "", "items": "tea 3.50\ncake 8.00 2"}

    answer = marketing.get(reverse(TRY), tried(program, **fields))

    assert "1 for every 1.00 of 11.50." in answer.content.decode()


def test_a_campaign_leads_to_trying_it_out_and_to_its_backtest(
    marketing, program, draft
):
    buy(program, make_member(program))

    for name, address in (("try_out", TRY), ("backtest", ADD)):
        page = reverse(f"admin:campaigns_campaign_{name}", args=[draft.pk])
        answer = marketing.get(page)
        assert answer["Location"] == f"{reverse(address)}?campaigns={draft.pk}"
        assert "Spring" in marketing.get(answer["Location"]).content.decode()


def test_a_backtest_is_asked_for_watched_and_read(marketing, program, draft, queued):
    ann = make_member(program, "=ann")
    buy(program, ann, days_ago=3)

    answer = marketing.post(reverse(ADD), asked_for(program, draft))

    backtest = Backtest.objects.get()
    assert queued == [backtest.pk]
    assert backtest.actor == "marketing"
    waiting = marketing.get(answer["Location"]).content.decode()
    assert "data-progress" in waiting
    progress = reverse("admin:activities_backtest_progress", args=[backtest.pk])
    assert marketing.get(progress)["X-Upload-Stage"] == "queued"
    run_backtest(backtest.pk)
    text = marketing.get(answer["Location"]).content.decode()
    assert "What would have been paid" in text
    assert "0.07" in text
    download = reverse("admin:activities_backtest_winners", args=[backtest.pk])
    rows = marketing.get(download).content.decode().splitlines()
    assert rows == ["member_id,member,points,awards", f"{ann.pk},'=ann,7,1"]
    listed = marketing.get(reverse("admin:activities_backtest_changelist"))
    assert "7 Loyalty points" in listed.content.decode()


def test_a_backtest_is_cancelled_after_a_question(marketing, program, draft):
    buy(program, make_member(program))
    marketing.post(reverse(ADD), asked_for(program, draft))
    backtest = Backtest.objects.get()
    page = reverse("admin:activities_backtest_cancel", args=[backtest.pk])

    assert "thrown away" in marketing.get(page).content.decode()
    assert Backtest.objects.get().status == BacktestStatus.QUEUED
    marketing.post(page, {"confirmed": "1"})

    assert Backtest.objects.get().status == BacktestStatus.CANCELLED


def test_before_anything_happened_the_pages_say_so(marketing, program):
    assert "Nothing to test on yet" in marketing.get(reverse(ADD)).content.decode()
    empty = reverse("admin:activities_backtest_changelist")
    assert "A backtest tries campaigns" in marketing.get(empty).content.decode()


def test_support_sees_backtests_and_asks_for_none(client, staff_of, program, draft):
    client.force_login(staff_of("Support"))
    buy(program, make_member(program))

    assert client.get(reverse(ADD)).status_code == 403
    page = reverse("admin:campaigns_campaign_backtest", args=[draft.pk])
    assert client.get(page).status_code == 403
    listed = reverse("admin:activities_backtest_changelist")
    assert client.get(listed).status_code == 200


def test_campaigns_of_other_programs_are_no_choice(marketing, program):
    buy(program, make_member(program))
    foreign = make_campaign(make_program())

    answer = marketing.post(reverse(ADD), asked_for(program, foreign))

    assert answer.status_code == 200
    assert not Backtest.objects.exists()


@pytest.mark.parametrize(
    ("first", "last", "proposed"),
    [
        pytest.param(
            "2025-03-04", "2026-02-10", ("2026-01-01", "2026-01-31"), id="now"
        ),
        pytest.param(
            "2017-01-01", "2017-12-31", ("2017-12-01", "2017-12-31"), id="old"
        ),
        pytest.param(
            "2026-02-03", "2026-02-09", ("2026-02-03", "2026-02-09"), id="new"
        ),
        pytest.param(
            "2026-01-20", "2026-02-09", ("2026-01-20", "2026-01-31"), id="part"
        ),
    ],
)
def test_the_last_full_month_is_proposed(first, last, proposed):
    history = Days(date.fromisoformat(first), date.fromisoformat(last))

    found = last_full_month(history, date(2026, 2, 10))

    assert (found.first.isoformat(), found.last.isoformat()) == proposed
