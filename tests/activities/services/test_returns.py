"""A return is no visit, whichever way it comes; lines of one product net out."""

from datetime import timedelta
from decimal import Decimal

import pytest

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import Line, Recorded, record_activities, simulate_activities
from activities.services.crediting import Credit, credit_activity
from activities.services.merging import merge_profile
from activities.services.segments import matching_count
from campaigns.models import AssignedGroup
from loyalty.models import Completion, Entry, SegmentRule, Voucher
from tests.activities.backtesting.comparing import ledger_of, replayed_of
from tests.builders import (
    NOON,
    make_campaign,
    make_item_list,
    make_member,
    make_method,
    make_program,
    make_quest,
    make_segment,
    make_type,
    make_voucher_type,
    purchase,
)

pytestmark = pytest.mark.django_db


def lines(*some):
    """Return lines of (product, value, quantity) in whole units of value."""
    return tuple(Line(name, worth * 10_000, text) for name, worth, text in some)


@pytest.fixture
def program():
    """A purchase pays a fixed 15; two pens pay 50 each; all else is given once."""
    program = make_program(retro_points="all")
    make_type(program, reward_method="fixed", points=15)
    pens = make_item_list(program, ["pen", "pencil"])
    group = AssignedGroup.objects.create(
        program=program, name="pens", kind="redeem", item_list=pens, required_matches=1
    )
    each = make_campaign(
        program, name="pens", context="basket", reward_method="methods", points=0
    )
    make_method(
        each, name="each pen", points=50, distribution="per_item", redeem_group=group
    )
    make_campaign(program, name="fixed", points=25)
    make_campaign(program, name="third", points=70, required_attempts=3)
    make_campaign(
        program,
        reward_method="voucher",
        points=0,
        voucher_type=make_voucher_type(program),
    )
    draw = make_campaign(
        program, handling="random_draw", reward_method="methods", points=0
    )
    make_method(draw, name="prize", points=8)
    make_quest(program, {"value_threshold": 1}, name="quest", points=100)
    return program


RETURNS = [
    pytest.param("-30", (), id="value below zero"),
    pytest.param("-10", lines(("pen", -10, "-2")), id="a line that came back"),
    pytest.param("0", lines(("pen", 5, "1"), ("pen", -5, "-1")), id="nets to nothing"),
]


def record(program, *commands):
    return record_activities(program.pk, list(commands), now=NOON)


def earned(outcome):
    """Return the points posted, by name of the offer."""
    entries = Entry.objects.filter(activity_id=outcome.activity_id, kind="award")
    return {entry.offer.name: entry.amount for entry in entries}


def decision_of(outcome):
    return Activity.objects.get(pk=outcome.activity_id).decision


@pytest.mark.parametrize(("value", "items"), RETURNS)
def test_a_return_earns_nothing_counts_nothing_and_says_so(program, value, items):
    [outcome] = record(program, purchase(make_member(program), value, lines=items))

    row = Activity.objects.get(pk=outcome.activity_id)
    assert row.is_return
    assert {one["reason"] for one in row.decision["rejections"]} == {"is_return"}
    assert len(row.decision["rejections"]) >= 6
    assert not Entry.objects.exists()
    assert not Completion.objects.exists()
    assert not Voucher.objects.exists()
    assert not row.decision["awards"]


def test_the_visit_after_a_return_is_decided_as_if_it_had_not_come(program):
    member = make_member(program)

    outcomes = record(
        program,
        purchase(member, "10", occurred_at=NOON - timedelta(hours=4)),
        purchase(member, "-10", occurred_at=NOON - timedelta(hours=3)),
        purchase(member, "10", occurred_at=NOON - timedelta(hours=2)),
        purchase(member, "10", occurred_at=NOON - timedelta(hours=1)),
    )

    assert [earned(one).get("third") for one in outcomes] == [None, None, None, 70]
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(lines(("pen", 5, "1"), ("tea", 5, "1")), 50, id="one bought"),
        pytest.param(
            lines(("pen", 5, "3"), ("pen", -5, "-1"), ("tea", 5, "1")),
            100,
            id="two left",
        ),
        pytest.param(
            lines(("pen", -5, ""), ("pen", 5, "1"), ("tea", 5, "1")),
            None,
            id="none left",
        ),
        pytest.param(lines(("pen", -5, "-0.5"), ("tea", 9, "1")), None, id="a weight"),
        pytest.param(lines(("pen", -5, "2"), ("tea", 9, "1")), None, id="unsigned"),
    ],
)
def test_lines_of_one_product_net_out(program, items, expected):
    [outcome] = record(program, purchase(make_member(program), "5", lines=items))

    assert earned(outcome).get("each pen") == expected
    assert earned(outcome)["fixed"] == 25


def test_a_gift_is_a_visit_although_it_is_worth_nothing(program):
    [outcome] = record(
        program, purchase(make_member(program), "0", lines=lines(("pen", 0, "1")))
    )

    assert earned(outcome)["each pen"] == 50
    assert not Activity.objects.get(pk=outcome.activity_id).is_return


def test_a_simulation_says_what_recording_a_return_would(program):
    command = purchase(make_member(program), "-1")

    [tried] = simulate_activities(program.pk, [command], now=NOON)

    assert not tried.decision.awards
    assert {one.reason.value for one in tried.decision.rejections} == {"is_return"}


def test_the_return_of_somebody_who_becomes_known_earns_nothing(program):
    member = make_member(program)
    record(program, purchase(None, "-5", anonymous_id="cookie"))

    merge_profile(program.pk, "cookie", member.pk, now=NOON, source="test")

    late = Activity.objects.get().late_decision.decision
    assert {one["reason"] for one in late["rejections"]} == {"is_return"}
    assert not Entry.objects.exists()


def test_a_backtest_pays_for_no_return(program):
    member = make_member(program)
    record(
        program,
        purchase(member, "10", lines=lines(("pen", 5, "3"), ("pen", -5, "-1"))),
        purchase(member, "-30"),
        purchase(member, "0", lines=lines(("pen", 5, "1"), ("pen", -5, "-1"))),
    )

    assert replayed_of(program) == ledger_of(program)
    assert sum(ledger_of(program).values()) == 15 + 100 + 25 + 8 + 100


def test_segments_count_no_return_but_take_its_value_off(program):
    member = make_member(program)
    record(program, purchase(member, "10"), purchase(member, "-4"))

    def matching(fact, comparison, number):
        segment = make_segment(program)
        rule = SegmentRule(
            segment=segment,
            group="all",
            fact=fact,
            comparison=comparison,
            number=number,
        )
        return matching_count(program.pk, [rule], now=NOON)

    assert matching("activity_count", "at_most", 1) == 1
    assert matching("activity_count", "at_least", 2) == 0
    assert matching("activity_value", "at_most", 6) == 1


@pytest.mark.parametrize(
    ("items", "value"),
    [
        pytest.param(lines(("pen", 20, "1"), ("tea", 30, "1")), Decimal(50), id="sum"),
        pytest.param((), None, id="neither value nor lines"),
    ],
)
def test_a_value_that_is_missing_is_the_sum_of_the_lines(program, items, value):
    make_campaign(program, name="from 50", minimum_value=50, points=3)
    command = purchase(make_member(program), lines=items, units=None)

    [outcome] = record(program, command)
    [tried] = simulate_activities(program.pk, [command], now=NOON)

    assert Activity.objects.get(pk=outcome.activity_id).value == value
    assert earned(outcome).get("from 50") == (3 if value else None)
    assert isinstance(tried, Recorded)


def test_a_replay_is_recognised_by_what_was_sent_not_by_the_sum(program):
    command = purchase(make_member(program), lines=lines(("pen", 20, "1")), units=None)
    [first] = record(program, command)

    [again] = record(program, command)

    assert again.is_replay
    assert again.activity_id == first.activity_id


def test_lines_that_add_up_beyond_any_value_are_refused(program):
    huge = (10**14 - 1) * 10_000
    items = (Line("pen", huge), Line("pen", huge))

    [refused] = record(program, purchase(make_member(program), lines=items, units=None))

    assert (refused.error.code, refused.error.field) == ("invalid_number", "items")
    assert not Activity.objects.exists()


def test_lines_below_zero_are_refused_where_the_type_takes_no_returns(program):
    make_type(program, "SALE", allows_negative_value=False)
    command = purchase(
        make_member(program),
        activity_type="SALE",
        lines=lines(("pen", -5, "-1")),
        units=None,
    )

    [refused] = record(program, command)

    assert refused.error.code == "negative_value"


def test_a_credit_that_says_its_points_is_a_visit(program):
    member = make_member(program)
    rule = make_type(program, "REVIEW")

    outcome = credit_activity(
        program.pk,
        Credit("hang", "k", rule.pk, member.pk, NOON, given_points=7),
        now=NOON,
    )

    assert earned(outcome)["REVIEW".title()] == 7
    assert decision_of(outcome)["given"] == 7
