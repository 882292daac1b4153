"""What a backtest finds, and that it ends whatever becomes of its workers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from activities import tasks
from activities.models import Activity, Backtest, BacktestDates, BacktestStatus
from activities.services import record_activities, reverse_activities
from activities.services.backtesting import (
    BacktestEnded,
    EmptyPeriod,
    NewBacktest,
    Span,
    UnknownTrial,
    cancel_backtest,
    create_backtest,
    run_backtest,
    running,
    stalled_backtests,
)
from activities.services.backtesting.leases import take_lease
from campaigns.models import Campaign
from loyalty.models import Account, Entry
from loyalty.services.jobs import Superseded
from tests.builders import (
    NOON,
    line,
    make_campaign,
    make_item_list,
    make_member,
    make_program,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = Span(NOON - DAY, NOON + 6 * DAY)


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def members(program):
    """Ann buys on four days, Bob on one, for 10 each time."""
    ann, bob = make_member(program, "ann"), make_member(program, "bob")
    for day in range(4):
        buy(program, ann, NOON + day * DAY)
    buy(program, bob, NOON + 2 * DAY)
    return ann, bob


def buy(program, member, at, **fields):
    command = purchase(member, "10", occurred_at=at, **fields)
    record_activities(program.pk, [command], now=at)


def draft(program, **fields) -> Campaign:
    return make_campaign(program, is_enabled=False, **fields)


def found_by(program, *campaigns, span=WEEK, **fields) -> Any:
    wanted = NewBacktest(span, [one.pk for one in campaigns], **fields)
    backtest = create_backtest(program, wanted, now=NOON)
    assert run_backtest(backtest.pk) is False
    backtest.refresh_from_db()
    assert backtest.status == BacktestStatus.FINISHED, backtest.failure
    return backtest.result


def line_of(result, campaign) -> Any:
    return next(one for one in result["offers"] if one["offer"] == campaign.pk)


def test_a_draft_is_told_by_what_it_would_have_cost(program, members):
    campaign = draft(program, points=5)

    result = found_by(program, campaign, cost_per_point=Decimal("0.02"))

    assert (result["activities"], result["members"], result["reached"]) == (5, 2, 2)
    assert result["cost"] == "0.50"
    line = line_of(result, campaign)
    assert (line["points"], line["awards"], line["members"]) == (25, 5, 2)
    assert line["recorded_points"] == 0
    (wallet,) = result["wallets"]
    assert (wallet["points"], wallet["everything"], wallet["recorded"]) == (25, 75, 50)
    assert result["days"][2] == {"day": "2026-03-06", "wallets": {"loyalty": [10, 20]}}
    assert [one["points"] for one in result["winners"]] == ["20", "5"]
    assert result["distribution"] == [
        {"from": 1, "until": 10, "members": 1},
        {"from": 10, "until": 20, "members": 0},
        {"from": 20, "until": 50, "members": 1},
    ]


def test_nothing_is_written_but_the_result(program, members):
    campaign = draft(program, points=5, points_budget=12)
    before = (Entry.objects.count(), Account.objects.count(), Activity.objects.count())

    found_by(program, campaign)

    after = (Entry.objects.count(), Account.objects.count(), Activity.objects.count())
    assert before == after
    campaign.refresh_from_db()
    assert not campaign.is_enabled


def test_a_budget_is_given_out_in_order_of_time_over_all_members(program):
    ann, bob = make_member(program), make_member(program)
    # One file or batch: the ledger would go member by member.
    commands = [
        purchase(ann, "10", occurred_at=NOON),
        purchase(ann, "10", occurred_at=NOON + 3 * DAY),
        purchase(bob, "10", occurred_at=NOON + DAY),
    ]
    record_activities(program.pk, commands, now=NOON + 3 * DAY)
    campaign = draft(program, points=10, points_budget=20)

    result = found_by(program, campaign)

    assert line_of(result, campaign)["members"] == 2
    (limit,) = result["limits"]
    assert limit["spent_on"] == "2026-03-05"
    assert {one["member"]: one["points"] for one in result["winners"]} == {
        ann.pk: "10",
        bob.pk: "10",
    }


def test_caps_and_attempts_count_within_the_replay(program, members):
    campaign = draft(program, points=5, required_attempts=2)

    result = found_by(program, campaign)

    assert line_of(result, campaign)["awards"] == 2


def test_overlaps_name_the_other_campaign(program):
    live = make_campaign(
        program,
        reward_method="per_item_value",
        points=1,
        item_list=make_item_list(program, ["tea"]),
    )
    both, other = draft(program, points=5), draft(program, points=7)
    ann = make_member(program)
    buy(program, ann, NOON, lines=(line("tea", "3"),))
    buy(program, ann, NOON + DAY)

    result = found_by(program, both, other)

    pairs = {
        (one["campaign"], one["other"]): (one["activities"], one["other_points"])
        for one in result["overlaps"]
    }
    assert pairs == {(both.pk, live.pk): (1, 3), (other.pk, live.pk): (1, 3)}


def test_dates_count_only_if_they_are_asked_for(program, members):
    campaign = draft(program, points=5, starts_at=NOON + 3 * DAY)

    as_if = found_by(program, campaign)
    own = found_by(program, campaign, dates=BacktestDates.OWN.value)

    assert line_of(as_if, campaign)["awards"] == 5
    assert line_of(own, campaign)["awards"] == 1


def test_what_cannot_be_replayed_is_named(program, members):
    ann, _ = members
    buy(program, None, NOON, anonymous_id="phone")
    activity_id = Activity.objects.filter(member=ann).first().pk
    reverse_activities(program.pk, [activity_id], now=NOON + 5 * DAY, reason="x")
    card = draft(program, context="interaction")

    result = found_by(program, card)

    notes = {one["code"]: one["count"] for one in result["notes"]}
    assert notes == {
        "unknown_people": 1,
        "reversed": 1,
        "not_set_off_by_activities": 1,
    }


def test_a_period_without_activities_finds_nothing(program):
    campaign = draft(program)

    result = found_by(program, campaign)

    assert (result["activities"], result["reached"]) == (0, 0)
    assert result["winners"] == result["distribution"] == result["days"] == []


def test_a_killed_worker_is_followed_by_one_that_goes_on(program, monkeypatch):
    monkeypatch.setattr(running, "MEMBERS_AT_ONCE", 1)
    for _ in range(3):
        buy(program, make_member(program), NOON)
    backtest = create_backtest(program, NewBacktest(WEEK), now=NOON)
    replays: list[Any] = []
    replayed = running.replayed

    def dying(*args, **kwargs):
        if len(replays) == 2:
            raise KeyboardInterrupt
        replays.append(1)
        return replayed(*args, **kwargs)

    monkeypatch.setattr(running, "replayed", dying)

    def counting(*args, **kwargs):
        replays.append(1)
        return replayed(*args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        run_backtest(backtest.pk)
    assert run_backtest(backtest.pk) is False
    backtest.refresh_from_db()
    assert (backtest.status, backtest.chunks_done) == (BacktestStatus.RUNNING, 2)

    go_stale(backtest)
    assert stalled_backtests() == [backtest.pk]
    monkeypatch.setattr(running, "replayed", counting)
    run_backtest(backtest.pk)

    backtest.refresh_from_db()
    assert backtest.status == BacktestStatus.FINISHED
    assert len(replays) == 3
    assert backtest.result["activities"] == 3


def go_stale(backtest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE activities_backtest SET touched_at = now() - interval '1 minute'"
            " WHERE id = %s",
            [backtest.pk],
        )


def test_another_configuration_makes_it_start_anew(program, members, monkeypatch):
    monkeypatch.setattr(running, "MEMBERS_AT_ONCE", 1)
    backtest = create_backtest(program, NewBacktest(WEEK), now=NOON)
    assert run_backtest(backtest.pk, until=NOON - 9000 * DAY) is True
    first = Backtest.objects.get().revision
    make_campaign(program, points=3)

    run_backtest(backtest.pk)

    backtest.refresh_from_db()
    assert (backtest.revision or 0) > (first or 0)
    assert backtest.result["activities"] == 5
    assert backtest.result["wallets"][0]["everything"] == 50 + 15


def test_who_was_overtaken_or_cancelled_writes_nothing(program):
    backtest = create_backtest(program, NewBacktest(WEEK), now=NOON)
    lease = take_lease(backtest.pk)
    assert take_lease(backtest.pk) is None

    cancel_backtest(backtest, now=NOON)

    with pytest.raises(Superseded):
        lease.write(done_count=3)
    with pytest.raises(BacktestEnded):
        cancel_backtest(backtest, now=NOON)
    assert run_backtest(backtest.pk) is False
    assert Backtest.objects.get().status == BacktestStatus.CANCELLED


def test_the_task_runs_it(program, members):
    backtest = create_backtest(program, NewBacktest(WEEK), now=NOON)

    tasks.run_backtest(backtest_id=backtest.pk)

    assert Backtest.objects.get().status == BacktestStatus.FINISHED


def test_campaigns_of_other_programs_and_empty_periods_are_refused(program):
    foreign = make_campaign(make_program())

    with pytest.raises(UnknownTrial):
        create_backtest(program, NewBacktest(WEEK, [foreign.pk]), now=NOON)
    with pytest.raises(EmptyPeriod):
        create_backtest(program, NewBacktest(Span(NOON, NOON)), now=NOON)


def test_a_backtest_sees_its_own_program_only(program, members):
    other = make_program()
    make_type(other)
    buy(other, make_member(other), NOON)

    assert found_by(program)["activities"] == 5
    assert found_by(other)["activities"] == 1
