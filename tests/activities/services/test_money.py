"""A program counts in one currency; what comes in another is converted or refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import Line, record_activities, simulate_activities
from activities.services.merging import merge_profile
from activities.services.segments import matching_count
from loyalty.models import Entry, ExchangeRate, Program, SegmentRule
from tests.activities.backtesting.comparing import ledger_of, replayed_of
from tests.builders import (
    NOON,
    make_campaign,
    make_item_list,
    make_member,
    make_program,
    make_quest,
    make_segment,
    make_type,
    purchase,
)
from tests.callers import caller_for, problem_in, purchase_body

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def rate(program, currency, value, valid_from=date(2026, 1, 1)):
    return ExchangeRate.objects.create(
        program=program, currency=currency, rate=Decimal(value), valid_from=valid_from
    )


@pytest.fixture
def program():
    """1 point per EUR; 160 yen or 0.95 francs are a euro, in February were 0.80."""
    program = make_program(currency="EUR", retro_points="all")
    make_type(program)
    rate(program, "JPY", "0.00625")
    rate(program, "CHF", "1.25", date(2026, 2, 1))
    rate(program, "CHF", "1.05", date(2026, 3, 1))
    return program


def record(program, *commands):
    return record_activities(program.pk, list(commands), now=NOON)


def earned(outcome):
    entries = Entry.objects.filter(activity_id=outcome.activity_id, kind="award")
    return {entry.offer.name: entry.amount for entry in entries}


@pytest.mark.parametrize(
    ("value", "currency", "days_ago", "points"),
    [
        pytest.param("10", "", 0, 10, id="none named is the program's"),
        pytest.param("10", "EUR", 0, 10, id="the program's"),
        pytest.param("1600", "JPY", 0, 10, id="another"),
        pytest.param("100", "CHF", 0, 105, id="the rate of the day"),
        pytest.param("100", "CHF", 4, 125, id="the rate of then"),
    ],
)
def test_base_points_count_in_the_program_s_currency(
    program, value, currency, days_ago, points
):
    at = NOON - days_ago * DAY
    [outcome] = record(
        program,
        purchase(make_member(program), value, currency=currency, occurred_at=at),
    )

    assert earned(outcome) == {"Purchase": points}


def test_what_was_told_stays_and_what_counted_is_kept(program):
    lines = (Line("pen", 16_000_000, "1"),)
    [outcome] = record(
        program,
        purchase(make_member(program), units=None, lines=lines, currency="JPY"),
    )

    row = Activity.objects.get(pk=outcome.activity_id)
    assert (row.value, row.currency) == (Decimal(1600), "JPY")
    assert (row.counted_value, row.rate) == (Decimal(10), Decimal("0.00625"))
    assert row.items == [{"item_id": "pen", "value": "1600", "quantity": "1"}]
    assert row.decision["converted"] == {
        "currency": "JPY",
        "into": "EUR",
        "rate": "0.00625",
        "value": 100_000,
    }


def test_every_rule_sees_the_converted_value(program):
    listed = make_item_list(program, ["pen"])
    make_campaign(program, name="from 500", minimum_value=500, points=9)
    make_campaign(
        program, name="pens", reward_method="per_item_value", points=1, item_list=listed
    )
    make_quest(
        program,
        {"measure": "value", "value_threshold": 500},
        name="quest",
        points=100,
    )
    lines = (Line("pen", 3_200_000, "1"),)

    [outcome] = record(
        program,
        purchase(make_member(program), "600", lines=lines, currency="JPY"),
    )

    assert earned(outcome) == {"Purchase": 3, "pens": 2}


def test_segments_add_up_converted_values(program):
    member = make_member(program)
    record(program, purchase(member, "1600", currency="JPY"), purchase(member, "5"))

    def matching(comparison, number):
        rule = SegmentRule(
            segment=make_segment(program),
            group="all",
            fact="activity_value",
            comparison=comparison,
            number=number,
        )
        return matching_count(program.pk, [rule], now=NOON)

    assert (matching("at_least", 15), matching("at_least", 16)) == (1, 0)


def test_a_backtest_counts_as_the_ledger_did_whatever_the_rates_are_now(program):
    record(program, purchase(make_member(program), "1600", currency="JPY"))
    ExchangeRate.objects.update(rate=9)

    assert replayed_of(program) == ledger_of(program)
    assert list(ledger_mismatches()) == []


def test_a_merge_counts_with_the_rate_of_the_recording(program):
    member = make_member(program)
    record(program, purchase(None, "1600", anonymous_id="c", currency="JPY"))
    ExchangeRate.objects.all().delete()

    merge_profile(program.pk, "c", member.pk, now=NOON, source="test")

    assert Entry.objects.get(kind="award").amount == 10


@pytest.mark.parametrize(
    ("currency", "days_ago"), [("USD", 0), ("CHF", 40)], ids=["unknown", "not yet"]
)
def test_money_without_a_rate_is_refused_and_nothing_is_stored(
    program, currency, days_ago
):
    command = purchase(
        make_member(program),
        "5",
        currency=currency,
        occurred_at=NOON - days_ago * DAY,
    )

    [refused] = record(program, command)
    [tried] = simulate_activities(program.pk, [command], now=NOON)

    assert (refused.error.code, refused.error.field) == ("no_exchange_rate", "currency")
    assert tried.error.code == "no_exchange_rate"
    assert not Activity.objects.exists()


def test_a_key_that_was_refused_for_want_of_a_rate_is_free(program):
    command = purchase(make_member(program), "5", currency="USD")
    record(program, command)
    rate(program, "USD", "0.9")

    [outcome] = record(program, command)

    assert earned(outcome) == {"Purchase": 4}


def test_a_replay_is_answered_though_its_rate_is_gone(program):
    command = purchase(make_member(program), "1600", currency="JPY")
    [first] = record(program, command)
    ExchangeRate.objects.all().delete()

    [again] = record(program, command)

    assert (again.is_replay, again.activity_id) == (True, first.activity_id)


def test_a_program_without_a_currency_takes_values_as_they_are():
    program = make_program()
    make_type(program)

    [outcome] = record(program, purchase(make_member(program), "160", currency="JPY"))

    assert earned(outcome) == {"Purchase": 160}
    assert Activity.objects.get().counted_value is None


def test_a_change_of_a_rate_is_a_new_revision(program):
    before = Program.objects.get(pk=program.pk).configuration_revision

    ExchangeRate.objects.filter(currency="JPY").update(rate=1)

    after = Program.objects.get(pk=program.pk).configuration_revision
    assert after > before


def test_the_currency_is_fixed_once_points_were_given(program):
    record(program, purchase(make_member(program), "5"))

    with pytest.raises(DatabaseError, match="is fixed once"), transaction.atomic():
        Program.objects.filter(pk=program.pk).update(currency="USD")


def test_the_api_tells_value_rate_and_what_counted(program):
    caller = caller_for(program)
    member = make_member(program)

    answer = caller.post(
        "/api/v1/activities?explain=1",
        purchase_body(member, value="1600", currency="JPY"),
    ).json()
    [stored] = caller.get("/api/v1/activities?key=till-1").json()["results"]
    rates = caller.get("/api/v1/exchange-rates").json()["results"]

    told = {"currency": "JPY", "into": "EUR", "rate": "0.00625", "value": "10"}
    assert answer["explanation"]["converted"] == told
    assert (stored["value"], stored["currency"]) == ("1600", "JPY")
    assert (stored["rate"], stored["counted_value"]) == ("0.00625", "10")
    assert {one["currency"] for one in rates} == {"JPY", "CHF"}


def test_the_api_names_the_field_that_has_no_rate(program):
    body = purchase_body(make_member(program), currency="USD")

    response = caller_for(program).post("/api/v1/activities", body)

    problem_in(response, 422, "no_exchange_rate")
