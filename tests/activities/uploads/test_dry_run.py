"""What the check promises is what the run pays."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from activities.models import Activity
from activities.reports import bucket_totals, ledger_mismatches
from activities.services.uploads import dry_run, running, staging
from loyalty.models import Account, Entry, FrequencyPeriod
from tests.activities.uploads.files import checked, confirmed, finished, run
from tests.builders import (
    make_campaign,
    make_item_list,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_wallet,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def program(db):
    """A program with caps, attempts, tiers, segments and a budget."""
    program = make_program()
    daily = FrequencyPeriod.objects.get(unit="calendar_day")
    make_type(program, cap_count=3, frequency_period=daily)
    members = [make_member(program, f"m{n:02}") for n in range(20)]
    gold = make_tier(program, "Gold", 60)
    make_campaign(program, name="Gold", minimum_tier=gold, points=4)
    make_campaign(program, name="Every third", points=9, required_attempts=3)
    make_campaign(
        program,
        name="Fruit",
        reward_method="per_item_value",
        points=2,
        item_list=make_item_list(program, ["pears"]),
    )
    make_campaign(
        program,
        name="Some",
        included_segments=[make_segment(program, members[:7])],
        cap_count=1,
        frequency_period=daily,
    )
    make_campaign(program, name="Budget", points=7, points_budget=200)
    return program


def rows(count: int, seed: int) -> list[dict]:
    generator = random.Random(seed)
    return [
        {
            "key": f"K-{number}",
            "member": f"m{generator.randrange(20):02}",
            "occurred_at": (
                START + timedelta(minutes=generator.randrange(60 * 24 * 30))
            ).isoformat(),
            "type": "PURCHASE",
            "item_id": generator.choice(["pears", "bread"]),
            "item_value": f"{generator.randrange(1, 900) / 100:.2f}",
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("chunk_rows", [7, 1_000])
def test_it_promises_exactly_what_is_paid(program, monkeypatch, chunk_rows):
    monkeypatch.setattr(staging, "CHUNK_ROWS", chunk_rows)

    upload = finished(program, rows(400, 1))

    promised = {
        one["bucket"]: (one["points"], one["awards"])
        for one in upload.dry_run["points"]
    }
    paid = {one.bucket: (one.points, one.awards) for one in bucket_totals(program.pk)}
    assert promised == paid
    assert set(paid) == {"base", "bonus", "targeted"}
    assert upload.chunks.count() == (20 if chunk_rows == 7 else 1)
    assert Activity.objects.count() == upload.recorded_count == 400
    assert list(ledger_mismatches()) == []


def test_the_largest_are_the_ten_largest_with_their_lines(program):
    upload = finished(program, rows(60, 2))

    earned = {
        activity.key: sum(
            Entry.objects.filter(activity_id=activity.pk).values_list(
                "amount", flat=True
            )
        )
        for activity in Activity.objects.all()
    }
    largest = upload.dry_run["largest"]
    points = [int(one["points"]) for one in largest]
    assert points == sorted(earned.values())[:-11:-1]
    assert points == [earned[one["key"]] for one in largest]
    assert all(one["line"] == int(one["key"][2:]) + 2 for one in largest)


def test_points_of_wallets_with_decimals_are_compared_in_whole_points():
    program = make_program()
    cash = make_wallet(program, code="cash", name="Cash", decimals=2)
    make_type(program, wallet=cash)
    make_wallet(program)
    make_campaign(program, wallet=make_wallet(program, code="plain"), points=3)
    make_member(program, "m00")
    file = [one | {"member": "m00", "item_value": "2.25"} for one in rows(1, 7)]

    upload = checked(program, file)

    assert [one["points"] for one in upload.dry_run["largest"]] == ["5.25"]


def test_it_writes_no_points_no_members_and_uses_up_no_budget(program):
    upload = checked(program, rows(50, 3), unknown_members="create")

    assert upload.dry_run["points"]
    assert not Activity.objects.exists()
    assert not Entry.objects.exists()
    assert not Account.objects.filter(member__isnull=False).exists()
    assert program.member_set.count() == 20


def test_it_tells_why_activities_earn_nothing():
    program = make_program()
    make_type(program, is_enabled=False)
    make_member(program, "m00")

    upload = checked(program, [one | {"member": "m00"} for one in rows(3, 4)])

    assert upload.dry_run["not_earning"] == 3
    assert upload.dry_run["reasons"]
    assert upload.dry_run["largest"] == []


def test_a_member_with_more_rows_than_fit_in_a_piece_is_paid_in_order(
    program, monkeypatch
):
    monkeypatch.setattr(dry_run, "TRIED_AT_ONCE", 10)
    monkeypatch.setattr(running, "RECORDED_AT_ONCE", 10)
    file = [one | {"member": "m00"} for one in rows(45, 5)]

    upload = confirmed(program, file)
    run(upload)

    assert upload.dry_run["is_estimate"]
    assert upload.recorded_count == 45
    moments = Activity.objects.order_by("pk").values_list("occurred_at", flat=True)
    assert list(moments) == sorted(moments)
    assert list(ledger_mismatches()) == []


def test_activities_of_a_member_are_decided_in_order_of_time_not_of_the_file(program):
    file = rows(60, 6)
    file.reverse()

    finished(program, file)

    for member in program.member_set.all():
        activities = Activity.objects.filter(member=member).order_by("pk")
        moments = activities.values_list("occurred_at", flat=True)
        assert list(moments) == sorted(moments)


def test_the_check_shows_what_is_usual_beside_the_largest(program):
    make_type(program, "PLAIN")
    history = [
        {**one, "type": "PLAIN", "value": str(10 * n)}
        for n, one in enumerate(rows(4, 3), start=1)
    ]
    finished(program, history)

    upload = checked(
        program,
        [{**history[0], "key": "new", "value": "500", "type": "PLAIN"}],
    )

    usual = upload.dry_run["usual"]
    assert usual["activities"] == 4
    assert usual["value"] == {"median": "20", "p99": "40"}
    assert [one["value"] for one in upload.dry_run["largest"]] == ["500"]


def test_nothing_is_usual_in_a_program_without_a_past(program):
    upload = checked(program, rows(2, 3))

    assert upload.dry_run["usual"] is None
