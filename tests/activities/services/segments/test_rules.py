"""Segments kept by rules: whom they let in."""

from datetime import timedelta
from decimal import Decimal

import pytest

from activities.models import Activity
from activities.services import record_activities, reverse_activities
from activities.services.segments import (
    SegmentCycle,
    matching_count,
    matching_members,
    refuse_cycle,
)
from loyalty.models import Identity, Segment, SegmentRule
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
    purchase,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    """Ann bought twice, Bob once long ago, Cleo never; 1 point per unit of value."""
    program = make_program()
    make_wallet(program, decimals=2)
    make_type(program)
    make_type(program, "SURVEY", reward_method="fixed", points=500)
    make_tier(program, "Silver", 1)
    make_tier(program, "Gold", 500)
    unit = make_unit(program)
    enrolled = NOON - timedelta(days=100)
    ann = make_member(
        program, "ann", enrolled_at=enrolled, attributes={"age": 41, "city": "Pune"}
    )
    bob = make_member(
        program,
        "bob",
        enrolled_at=enrolled,
        attributes={"age": "17"},
        business_unit=unit,
    )
    make_member(program, "cleo", enrolled_at=NOON - timedelta(days=2))
    record_activities(
        program.pk,
        [
            purchase(ann, "30", occurred_at=NOON - timedelta(days=1)),
            purchase(ann, "12.50", occurred_at=NOON - timedelta(days=10)),
            purchase(
                bob, "0", activity_type="SURVEY", occurred_at=NOON - timedelta(days=60)
            ),
        ],
        now=NOON,
    )
    return program


def rule(fact, comparison="at_least", number=None, **fields):
    amount = None if number is None else Decimal(number)
    return SegmentRule(fact=fact, comparison=comparison, number=amount, **fields)


def names_of(program, *rules):
    found = matching_members(program.pk, rules, now=NOON, limit=10)
    identities = Identity.objects.filter(member__in=found).order_by("value")
    return list(identities.values_list("value", flat=True))


SIMPLE = [
    ("activity_count", "at_least", "1", {}, ["ann", "bob"]),
    ("activity_count", "at_least", "2", {}, ["ann"]),
    ("activity_count", "at_most", "1", {}, ["bob", "cleo"]),
    ("activity_count", "at_least", "0", {}, ["ann", "bob", "cleo"]),
    ("activity_count", "at_least", "1", {"days": 30}, ["ann"]),
    ("activity_count", "at_most", "0", {"days": 30}, ["bob", "cleo"]),
    ("activity_count", "at_least", "2", {"days": 10}, []),
    ("activity_value", "at_least", "42.5", {}, ["ann"]),
    ("activity_value", "at_least", "42.51", {}, []),
    ("activity_value", "at_most", "42.49", {}, ["bob", "cleo"]),
    ("last_activity", "at_least", "60", {}, ["bob"]),
    ("last_activity", "at_least", "61", {}, []),
    ("last_activity", "at_most", "1", {}, ["ann"]),
    ("enrolled", "at_least", "100", {}, ["ann", "bob"]),
    ("enrolled", "at_most", "2", {}, ["cleo"]),
    ("attribute", "at_least", "18", {"attribute": "age"}, ["ann"]),
    ("attribute", "at_most", "17", {"attribute": "age"}, ["bob"]),
    ("attribute", "equals", None, {"attribute": "city", "text": "Pune"}, ["ann"]),
    (
        *("attribute", "differs", None, {"attribute": "city", "text": "Pune"}),
        ["bob", "cleo"],
    ),
]


@pytest.mark.parametrize(
    ("fact", "comparison", "number", "fields", "found"),
    [pytest.param(*row, id=f"{row[0]} {row[1]} {row[2]} {row[3]}") for row in SIMPLE],
)
def test_a_rule_lets_in(program, fact, comparison, number, fields, found):
    assert names_of(program, rule(fact, comparison, number, **fields)) == found


@pytest.mark.parametrize(
    ("fact", "comparison", "number", "found"),
    [
        ("balance", "at_least", "42.50", ["ann", "bob"]),
        ("balance", "at_least", "42.51", ["bob"]),
        ("balance", "at_most", "42.50", ["ann", "cleo"]),
        ("balance", "at_most", "0", ["cleo"]),
        ("lifetime_earned", "at_least", "500", ["bob"]),
        ("lifetime_earned", "at_most", "499.99", ["ann", "cleo"]),
    ],
)
def test_points_are_compared_in_the_unit_of_the_wallet(
    program, fact, comparison, number, found
):
    one = rule(fact, comparison, number, wallet=wallet_of(program))

    assert names_of(program, one) == found


@pytest.mark.parametrize(
    ("comparison", "tier", "found"),
    [
        ("at_least", "Silver", ["ann", "bob"]),
        ("at_least", "Gold", ["bob"]),
        ("at_most", "Silver", ["ann", "cleo"]),
        ("equals", "Silver", ["ann"]),
    ],
)
def test_tiers_are_compared_by_their_thresholds(program, comparison, tier, found):
    one = rule("tier", comparison, tier=program.tier_set.get(name=tier))

    assert names_of(program, one) == found


def test_only_activities_of_the_type_count(program):
    survey = program.offer_set.get(code="SURVEY").activitytype

    assert names_of(
        program, rule("activity_count", number="1", activity_type=survey)
    ) == ["bob"]


def test_a_reversed_activity_does_not_count(program):
    latest = Activity.objects.order_by("-occurred_at").first()
    reverse_activities(program.pk, [latest.pk], now=NOON, reason="Returned")

    assert names_of(program, rule("activity_count", number="2")) == []


def test_a_unit_is_of_a_member_or_is_not(program):
    unit = program.businessunit_set.get()

    assert names_of(program, rule("business_unit", "equals", business_unit=unit)) == [
        "bob"
    ]
    assert names_of(program, rule("business_unit", "differs", business_unit=unit)) == [
        "ann",
        "cleo",
    ]


def test_another_segment_lets_in_or_keeps_out(program):
    bob = Identity.objects.get(value="bob").member
    other = make_segment(program, [bob])

    assert names_of(program, rule("segment", "equals", other_segment=other)) == ["bob"]
    assert names_of(program, rule("segment", "differs", other_segment=other)) == [
        "ann",
        "cleo",
    ]


def test_all_any_and_none_go_together(program):
    old = rule("enrolled", number="50", group="all")
    bought = rule("activity_value", number="40", group="any")
    surveyed = rule("activity_value", "at_most", "0", group="any")
    young = rule("attribute", "at_most", "17", attribute="age", group="none")

    assert names_of(program, old, bought, surveyed) == ["ann", "bob"]
    assert names_of(program, old, bought, surveyed, young) == ["ann"]


@pytest.mark.parametrize("group", ["none", None])
def test_without_a_rule_that_lets_in_nobody_is_in(program, group):
    rules = [rule("enrolled", number="5000", group=group)] if group else []

    assert matching_count(program.pk, rules, now=NOON) == 0


def test_members_of_other_programs_are_never_let_in(program):
    make_member(make_program(), "dora")

    assert names_of(program, rule("activity_count", "at_most", "5")) == [
        "ann",
        "bob",
        "cleo",
    ]


def kept_by_rules(program):
    segment = make_segment(program, kind="rules")
    return Segment.objects.get(pk=segment.pk)


def test_a_rule_that_leads_back_is_refused(program):
    first, second = kept_by_rules(program), kept_by_rules(program)
    SegmentRule.objects.create(
        segment=second, fact="segment", comparison="equals", other_segment=first
    )

    with pytest.raises(SegmentCycle, match="wait for each other"):
        refuse_cycle(first.pk, [second.pk])
    refuse_cycle(second.pk, [first.pk])


def test_days_before_the_calendar_began_are_all_of_time(program):
    ever = rule("activity_count", number=1, days=2_147_483_647)
    long_ago = rule("last_activity", "at_most", "99999999999999")

    assert names_of(program, ever) == ["ann", "bob"]
    assert names_of(program, long_ago) == ["ann", "bob"]
