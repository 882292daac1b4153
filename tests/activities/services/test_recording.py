"""What record_activities promises: outcomes, keys, caps, budgets, explanations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.api.answers import explanation_of
from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import (
    AmountTooLarge,
    Recorded,
    Refused,
    record_activities,
    record_activity,
    simulate_activities,
)
from activities.services.commands import KeyReused, UnknownMember
from activities.services.records import record_of
from campaigns.services.programme import current_programme
from loyalty.models import Account, Entry, FrequencyPeriod, Identity, Member, Program
from tests.builders import (
    NOON,
    line,
    make_campaign,
    make_channel,
    make_item_list,
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
def program() -> Program:
    """A program in which a purchase pays 1 point per whole unit."""
    program = make_program()
    make_type(program)
    make_channel(program)
    return program


def record(program: Program, *commands, **options) -> list:
    return record_activities(program.pk, commands, now=NOON, **options)


def points(outcome: Recorded) -> dict[str, int]:
    """Return what an outcome paid, by name of the offer."""
    entries = Entry.objects.filter(activity_id=outcome.activity_id, kind="award")
    return {entry.offer.name: entry.amount for entry in entries}


def reasons(outcome: Recorded) -> list[str]:
    record = Activity.objects.get(pk=outcome.activity_id).decision
    return [one["reason"] for one in record["rejections"]]


def balance(member: Member) -> int:
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def daily() -> FrequencyPeriod:
    return FrequencyPeriod.objects.get(unit="calendar_day")


def test_a_purchase_earns_whole_points_of_its_value(program):
    member = make_member(program)

    [outcome] = record(program, purchase(member, "12.99"))

    assert points(outcome) == {"Purchase": 12}
    assert balance(member) == 12


def test_the_same_key_is_recorded_once_and_answered_with_the_same_activity(program):
    member = make_member(program)
    command = purchase(member, "5")

    [first] = record(program, command)
    [second] = record(program, command)

    assert second.activity_id == first.activity_id
    assert (first.is_replay, second.is_replay) == (False, True)
    assert balance(member) == 5


def test_the_same_key_twice_in_one_batch_is_recorded_once(program):
    member = make_member(program)
    command = purchase(member, "5")

    first, second = record(program, command, command)

    assert (first.activity_id, second.is_replay) == (second.activity_id, True)
    assert balance(member) == 5


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        pytest.param({"units": 60_000}, ["value"], id="another value"),
        pytest.param(
            {"occurred_at": NOON - timedelta(hours=1)}, ["occurred_at"], id="moment"
        ),
        pytest.param({"data": {"till": "7"}}, ["data"], id="data"),
        pytest.param({"channel": "STORE"}, ["channel"], id="channel"),
        pytest.param({"lines": (line("a", "5"),)}, ["items"], id="items"),
    ],
)
def test_another_request_under_a_known_key_is_refused_by_field(
    program, changed, differing
):
    member = make_member(program)
    record(program, purchase(member, "5", key="k"))

    [outcome] = record(program, purchase(member, "5", key="k", **changed))

    assert isinstance(outcome.error, KeyReused)
    assert outcome.error.facts["differing"] == differing
    assert balance(member) == 5


def test_the_same_key_of_another_source_is_another_activity(program):
    member = make_member(program)

    record(program, purchase(member, "5", key="k", source="api"))
    record(program, purchase(member, "5", key="k", source="upload"))

    assert balance(member) == 10


def test_a_refused_activity_leaves_the_key_free(program):
    [refused] = record(program, purchase("nobody", "5", key="k"))
    member = make_member(program, "nobody")

    [recorded] = record(program, purchase("nobody", "5", key="k"))

    assert isinstance(refused.error, UnknownMember)
    assert not recorded.is_replay
    assert balance(member) == 5


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        pytest.param({"activity_type": "NONE"}, "unknown_activity_type", "type"),
        pytest.param({"channel": "MOON"}, "unknown_channel", "channel"),
        pytest.param({"business_unit": "no"}, "unknown_business_unit", "business_unit"),
        pytest.param(
            {"occurred_at": NOON + timedelta(hours=1, seconds=1), "received_at": NOON},
            "occurs_in_the_future",
            "occurred_at",
        ),
        pytest.param({"activity_type": "SURVEY"}, "negative_value", "value"),
    ],
)
def test_a_bad_command_is_refused_alone_and_by_field(program, fields, code, field):
    make_type(program, "SURVEY", allows_negative_value=False)
    member = make_member(program)

    bad, good = record(program, purchase(member, "-1", **fields), purchase(member, "5"))

    assert isinstance(bad, Refused)
    assert (bad.error.code, bad.error.field) == (code, field)
    assert balance(member) == 5
    assert Activity.objects.count() == 1
    assert isinstance(good, Recorded)


def test_exactly_one_hour_ahead_is_accepted(program):
    member = make_member(program)

    [outcome] = record(
        program,
        purchase(member, occurred_at=NOON + timedelta(hours=1), received_at=NOON),
    )

    assert isinstance(outcome, Recorded)


def test_an_activity_older_than_the_program_accepts_is_refused(program):
    Program.objects.filter(pk=program.pk).update(acceptance_days=30)
    member = make_member(program)
    at = NOON - timedelta(days=30)

    edge, beyond = record(
        program,
        purchase(member, occurred_at=at, received_at=NOON),
        purchase(member, occurred_at=at - timedelta(seconds=1), received_at=NOON),
    )

    assert isinstance(edge, Recorded)
    assert beyond.error.code == "occurred_too_long_ago"


@pytest.mark.parametrize(
    ("hours", "is_late"), [(24, False), (24.001, True)], ids=["exactly", "more than"]
)
def test_late_is_strictly_more_than_the_limit_and_still_earns(program, hours, is_late):
    member = make_member(program)

    [outcome] = record(
        program,
        purchase(
            member, "5", occurred_at=NOON - timedelta(hours=hours), received_at=NOON
        ),
    )

    assert Activity.objects.get(pk=outcome.activity_id).is_late is is_late
    assert balance(member) == 5


def test_another_programs_member_is_nobody_here(program):
    stranger = make_member(make_program(), "h1")

    by_number, by_name = record(program, purchase(stranger), purchase("h1"))

    assert by_number.error.code == "unknown_member"
    assert by_name.error.code == "unknown_member"


def test_a_blocked_member_is_refused(program):
    member = make_member(program, is_blocked=True)

    [outcome] = record(program, purchase(member, "5"))

    assert outcome.error.code == "blocked_member"


def test_unknown_members_are_enrolled_where_the_caller_says_so(program):
    outcomes = record(
        program, purchase("new", "5"), purchase("new", "7"), may_enrol=True
    )

    member = Identity.objects.get(program=program, value="new").member
    assert {outcome.member_id for outcome in outcomes} == {member.pk}
    assert balance(member) == 12


def test_an_anonymous_activity_is_kept_and_earns_nothing(program):
    [outcome] = record(program, purchase(None, "5", anonymous_id="cookie-1"))

    activity = Activity.objects.get(pk=outcome.activity_id)
    assert activity.anonymous_profile.anonymous_id == "cookie-1"
    assert reasons(outcome) == ["member_unknown"]
    assert not Entry.objects.exists()


def test_a_daily_cap_pays_once_per_local_day_in_order_of_time(program):
    Program.objects.filter(pk=program.pk).update(time_zone="Asia/Kolkata")
    make_campaign(program, name="First", cap_count=1, frequency_period=daily())
    member = make_member(program)
    last_of_day = datetime(2026, 3, 3, 18, 29, 59, tzinfo=UTC)
    first_of_next = datetime(2026, 3, 3, 18, 30, tzinfo=UTC)

    late, early, following = record(
        program,
        purchase(member, occurred_at=last_of_day, received_at=NOON),
        purchase(member, occurred_at=last_of_day - timedelta(hours=2)),
        purchase(member, occurred_at=first_of_next),
    )

    assert points(early) == {"First": 10}
    assert points(late) == {}
    assert "cap_reached" in reasons(late)
    assert points(following) == {"First": 10}


def test_a_cap_counts_across_batches_and_late_arrivals_use_the_old_window(program):
    make_campaign(program, name="First", cap_count=1, frequency_period=daily())
    member = make_member(program)
    record(program, purchase(member, occurred_at=NOON))

    same_day, day_before = record(
        program,
        purchase(member, occurred_at=NOON - timedelta(hours=3), received_at=NOON),
        purchase(member, occurred_at=NOON - timedelta(days=1), received_at=NOON),
    )

    assert points(same_day) == {}
    assert points(day_before) == {"First": 10}


@pytest.mark.parametrize(
    ("days", "paid"),
    [
        pytest.param((0, 10), [0], id="in order"),
        pytest.param((10, 0), [10], id="the first arrives last"),
        pytest.param((40, 0, 20), [40, 0], id="between two that are far apart"),
        pytest.param((20, 0, 40), [20], id="on both sides of one"),
    ],
)
def test_one_award_in_30_days_holds_in_whatever_order_activities_arrive(
    program, days, paid
):
    period = FrequencyPeriod.objects.get(unit="rolling_30_days")
    make_campaign(program, name="Once", cap_count=1, frequency_period=period)
    member = make_member(program)
    start = NOON - timedelta(days=60)

    outcomes = [
        record(program, purchase(member, occurred_at=start + timedelta(days=day)))[0]
        for day in days
    ]

    paying = [bool(points(outcome)) for outcome in outcomes]
    assert [day for day, pays in zip(days, paying, strict=True) if pays] == paid


def test_every_third_completion_pays_where_three_attempts_are_required(program):
    make_campaign(program, name="Third", required_attempts=3)
    member = make_member(program)

    outcomes = [
        record(program, purchase(member, occurred_at=NOON + timedelta(minutes=n)))[0]
        for n in range(7)
    ]

    paid = ["Third" in points(outcome) for outcome in outcomes]
    assert paid == [False, False, True, False, False, True, False]


def test_a_points_budget_is_clipped_to_what_is_left_and_then_spent(program):
    make_campaign(program, name="Budget", points=60, points_budget=100)
    members = [make_member(program) for _ in range(3)]

    outcomes = record(program, *(purchase(member) for member in members))

    assert [points(one).get("Budget") for one in outcomes] == [60, 40, None]
    assert reasons(outcomes[2]) == ["nothing_to_pay", "points_budget_spent"]


def test_a_points_budget_that_rejects_pays_whole_awards_only(program):
    make_campaign(
        program, name="Budget", points=60, points_budget=100, budget_policy="reject"
    )
    members = [make_member(program) for _ in range(2)]

    outcomes = record(program, *(purchase(member) for member in members))

    assert [points(one).get("Budget") for one in outcomes] == [60, None]


def test_an_awards_budget_pays_so_many_times_over_all_members(program):
    make_campaign(program, name="Two", awards_budget=2)
    members = [make_member(program) for _ in range(4)]

    outcomes = record(program, *(purchase(member) for member in members))

    assert [("Two" in points(one)) for one in outcomes] == [True, True, False, False]


def test_a_budget_looks_back_at_what_was_paid_before_it_was_set(program):
    campaign = make_campaign(program, name="Budget", points=60)
    member = make_member(program)
    record(program, purchase(member))
    campaign.points_budget = 100
    campaign.save()

    [outcome] = record(program, purchase(member))

    assert points(outcome) == {"Budget": 40}


def test_of_an_exclusive_group_the_highest_priority_wins(program):
    make_campaign(program, name="Low", exclusive_group="x", priority=1)
    make_campaign(program, name="High", exclusive_group="x", priority=2)
    make_campaign(program, name="Free")
    member = make_member(program)

    [outcome] = record(program, purchase(member))

    assert points(outcome) == {"High": 10, "Free": 10}
    assert "exclusive_group" in reasons(outcome)


def test_matching_items_pay_once_rounded_per_campaign(program):
    make_campaign(
        program,
        name="Own brand",
        reward_method="per_item_value",
        points=1,
        item_list=make_item_list(program, ["a", "b"]),
    )
    member = make_member(program)
    lines = (line("a", "1.6"), line("b", "1.6"), line("c", "9"))

    [outcome] = record(program, purchase(member, "12.2", lines=lines))

    assert points(outcome) == {"Purchase": 12, "Own brand": 3}


def test_a_multiplier_pays_a_multiple_of_the_base(program):
    make_campaign(
        program,
        name="Half more",
        reward_method="multiplier",
        points=0,
        multiplier="0.5",
    )
    member = make_member(program)

    [outcome] = record(program, purchase(member, "5"))

    assert points(outcome) == {"Purchase": 5, "Half more": 2}


def test_buckets_follow_the_audience(program):
    member = make_member(program)
    make_campaign(program, name="All")
    make_campaign(
        program, name="Some", included_segments=[make_segment(program, [member])]
    )
    outsiders = make_segment(program)
    make_campaign(program, name="Not me", included_segments=[outsiders])
    make_campaign(program, name="But me", excluded_segments=[outsiders])

    [outcome] = record(program, purchase(member, "5"))

    entries = Entry.objects.filter(activity_id=outcome.activity_id)
    assert {entry.offer.name: entry.bucket for entry in entries} == {
        "Purchase": "base",
        "All": "bonus",
        "But me": "bonus",
        "Some": "targeted",
    }


def test_the_segment_counts_as_of_the_moment_it_happened(program):
    member = make_member(program)
    segment = make_segment(program, [member])
    segment.memberships.update(entered_at=NOON, left_at=NOON + timedelta(hours=1))
    make_campaign(program, name="Then", included_segments=[segment])

    outcomes = record(
        program,
        purchase(member, occurred_at=NOON - timedelta(seconds=1)),
        purchase(member, occurred_at=NOON),
        purchase(member, occurred_at=NOON + timedelta(hours=1)),
    )

    assert [("Then" in points(one)) for one in outcomes] == [False, True, False]


def test_a_member_rises_within_a_batch_and_earns_by_the_new_tier(program):
    gold = make_tier(program, "Gold", 10)
    make_campaign(program, name="For gold", minimum_tier=gold)
    member = make_member(program)

    before, after = record(
        program,
        purchase(member, "10", occurred_at=NOON),
        purchase(member, "1", occurred_at=NOON + timedelta(minutes=1)),
    )

    member.refresh_from_db()
    assert points(before) == {"Purchase": 10}
    assert points(after) == {"Purchase": 1, "For gold": 10}
    assert member.tier == gold


def test_a_late_activity_is_judged_by_the_tier_held_then(program):
    gold = make_tier(program, "Gold", 10)
    make_campaign(program, name="For gold", minimum_tier=gold)
    member = make_member(program)
    record(program, purchase(member, "10", occurred_at=NOON))

    [late] = record(
        program, purchase(member, "1", occurred_at=NOON - timedelta(days=1))
    )

    assert points(late) == {"Purchase": 1}


def test_a_type_closed_to_the_member_lets_no_campaign_pay(program):
    gold = make_tier(program, "Gold", 10)
    make_type(program, "VIP", minimum_tier=gold, reward_method="fixed", points=5)
    make_campaign(program, name="All")
    member = make_member(program)

    [outcome] = record(program, purchase(member, activity_type="VIP"))

    assert points(outcome) == {}
    assert reasons(outcome) == ["tier_too_low", "type_not_open"]


def test_no_unit_meets_the_offers_of_every_unit_and_books_under_theirs(program):
    grocery, fuel = make_unit(program, "grocery"), make_unit(program, "fuel")
    make_campaign(program, name="Grocery", business_unit=grocery)
    make_campaign(program, name="Fuel", business_unit=fuel)
    member = make_member(program)

    none, one = record(
        program, purchase(member, "5"), purchase(member, "5", business_unit="fuel")
    )

    def units(outcome):
        entries = Entry.objects.filter(activity_id=outcome.activity_id)
        return {
            entry.offer.name: entry.business_unit and entry.business_unit.code
            for entry in entries
        }

    assert units(none) == {"Purchase": None, "Grocery": "grocery", "Fuel": "fuel"}
    assert units(one) == {"Purchase": "fuel", "Fuel": "fuel"}


@pytest.mark.parametrize(
    ("schedule", "pays"),
    [
        pytest.param({"weekdays": [3]}, True, id="on its weekday"),
        pytest.param({"weekdays": [4]}, False, id="on another weekday"),
        pytest.param({"opens_at": "12:00", "closes_at": "13:00"}, True, id="opening"),
        pytest.param({"opens_at": "11:00", "closes_at": "12:00"}, False, id="closing"),
        pytest.param(
            {"opens_at": "22:00", "closes_at": "12:01", "weekdays": [2]},
            True,
            id="over midnight belongs to the day it opened",
        ),
        pytest.param(
            {"opens_at": "22:00", "closes_at": "12:01", "weekdays": [3]},
            False,
            id="over midnight not the day it closes",
        ),
    ],
)
def test_schedules_hold_in_local_time(program, schedule, pays):
    make_campaign(program, name="Hours", **schedule)
    member = make_member(program)

    [outcome] = record(program, purchase(member))

    assert ("Hours" in points(outcome)) is pays


def test_a_wallet_with_decimals_counts_its_smallest_unit(program):
    cashback = make_wallet(program, code="cashback", name="Cashback", decimals=2)
    make_campaign(
        program,
        name="Cash",
        wallet=cashback,
        reward_method="per_value",
        points="0.05",
    )
    member = make_member(program)

    [outcome] = record(program, purchase(member, "12.99"))

    assert points(outcome) == {"Purchase": 12, "Cash": 64}


def test_a_change_of_configuration_is_seen_by_the_next_batch(program):
    campaign = make_campaign(program, name="Now")
    member = make_member(program)
    [before] = record(program, purchase(member))
    campaign.is_enabled = False
    campaign.save()

    [after] = record(program, purchase(member))

    revisions = [
        Activity.objects.get(pk=one.activity_id).decision["revision"]
        for one in (before, after)
    ]
    assert points(before) == {"Now": 10}
    assert points(after) == {}
    assert revisions[0] < revisions[1]


def test_an_item_list_changed_by_sql_is_seen_by_the_next_batch(program):
    item_list = make_item_list(program, ["a"])
    make_campaign(program, name="List", item_list=item_list)
    member = make_member(program)
    record(program, purchase(member, lines=(line("b", "1"),)))
    item_list.items.create(item_id="b")

    [outcome] = record(program, purchase(member, lines=(line("b", "1"),)))

    assert points(outcome) == {"List": 10}


def test_simulation_decides_the_same_and_writes_nothing(program):
    make_campaign(program, name="First", cap_count=1, frequency_period=daily())
    member = make_member(program)
    commands = [purchase(member, "5"), purchase(member, "7")]

    simulated = simulate_activities(program.pk, commands, now=NOON)

    assert not Activity.objects.exists()
    recorded = record(program, *commands)
    assert [one.decision.awards for one in simulated] == [
        one.decision.awards for one in recorded
    ]


def test_a_single_refusal_is_raised(program):
    with pytest.raises(UnknownMember, match="Nobody has the customer_id"):
        record_activity(program.pk, purchase("nobody"), now=NOON)


def test_a_disabled_program_takes_no_calls(program):
    Program.objects.filter(pk=program.pk).update(is_enabled=False)
    member = make_member(program)

    with pytest.raises(Exception, match="disabled"):
        record(program, purchase(member))


@pytest.mark.parametrize(
    "text", ["tab\there", "back\\slash", "new\nline", "\\N", "“ü”"]
)
def test_any_text_survives_the_way_into_the_table(program, text):
    member = make_member(program)

    [outcome] = record(
        program, purchase(member, key=text, data={text: text}, lines=(line(text, "1"),))
    )

    activity = Activity.objects.get(pk=outcome.activity_id)
    assert (activity.key, activity.data) == (text, {text: text})
    assert activity.items[0]["item_id"] == text


def test_the_number_of_queries_depends_on_neither_batch_nor_campaigns(
    program, django_assert_num_queries
):
    def queries(member_count, campaign_count):
        for _ in range(campaign_count):
            make_campaign(program, cap_count=5, frequency_period=daily())
        members = [make_member(program) for _ in range(member_count)]
        commands = [purchase(member, "5") for member in members]
        record(program, *(purchase(member, "1") for member in members))
        with django_assert_num_queries(16):
            record(program, *commands)

    queries(1, 1)
    queries(20, 11)


def test_the_ledger_adds_up_after_everything(program):
    assert wallet_of(program)
    make_campaign(program, points=60, points_budget=100)
    make_tier(program, "Gold", 50)
    members = [make_member(program) for _ in range(3)]

    record(program, *(purchase(member, "20") for member in members * 3))

    assert list(ledger_mismatches()) == []


def test_points_given_by_the_caller_are_paid_and_explained(program):
    member = make_member(program)

    (outcome,) = record(program, purchase(member, "12.50", given_points=150))

    assert points(outcome) == {"Purchase": 150}
    stored = Activity.objects.get(pk=outcome.activity_id).decision
    assert stored["given"] == 150
    assert stored["awards"][0]["by_rule"] == 12
    assert list(ledger_mismatches()) == []


def test_given_points_are_whole_points_of_a_wallet_with_decimals(program):
    wallet = make_wallet(program, code="fine", decimals=2)
    make_type(program, "GIFT", wallet=wallet, reward_method="fixed", points=1)
    member = make_member(program)

    (outcome,) = record(
        program, purchase(member, activity_type="GIFT", given_points=150)
    )

    assert points(outcome) == {"Gift": 15_000}


def test_the_same_key_with_other_given_points_is_refused_and_names_them(program):
    member = make_member(program)
    command = purchase(member, key="once", given_points=150)
    record(program, command)

    (refused,) = record(program, purchase(member, key="once", given_points=151))

    assert isinstance(refused.error, KeyReused)
    assert refused.error.facts["differing"] == ["points"]


def test_the_record_keeps_how_each_award_was_computed(program):
    listed = make_item_list(program, ["milk"])
    products = make_campaign(
        program, reward_method="per_item_value", points=2, item_list=listed
    )
    double = make_campaign(program, reward_method="multiplier", multiplier="0.5")
    fixed = make_campaign(program, points=10)
    member = make_member(program)
    lines = (line("milk", "7"), line("soap", "5.50"))

    [outcome] = record(program, purchase(member, "12.50", lines=lines))

    awards = Activity.objects.get(pk=outcome.activity_id).decision["awards"]
    by_offer = {award["offer"]: award for award in awards}
    base = awards[0]
    assert (base["rate"], base["per"], base["points"]) == (1, 10_000, 12)
    assert by_offer[products.pk]["of"] == 70_000
    assert by_offer[double.pk]["times"] == 5_000
    assert "rate" not in by_offer[fixed.pk]


def test_points_that_no_account_can_hold_are_refused_and_nothing_is_stored(program):
    wallet = wallet_of(program)
    make_campaign(program, reward_method="per_value", points="900000000", wallet=wallet)
    member = make_member(program)

    huge = purchase(member, "90000000000000", key="huge")
    refused, again, small = record(program, huge, huge, purchase(member, "3"))

    assert refused.error.code == again.error.code == "amount_too_large"
    assert points(small)["Purchase"] == 3
    assert Activity.objects.get().pk == small.activity_id


def test_a_balance_that_no_account_can_hold_is_refused(program):
    member = make_member(program)
    record(program, purchase(member, "5"))
    Account.objects.filter(member=member).update(balance=2**62)

    with pytest.raises(AmountTooLarge):
        record(program, purchase(member, "5"))

    assert Activity.objects.count() == 1


def test_a_score_that_no_record_can_hold_is_refused(program):
    member = make_member(program)
    make_tier(program, "Gold", 100)
    record(program, purchase(member, "5"))
    Account.objects.filter(member=member).update(lifetime_earned=2**62)

    [outcome] = record(program, purchase(member, "5"))

    assert isinstance(outcome.error, AmountTooLarge)


def test_what_is_left_of_a_budget_goes_to_who_came_first_in_time(program):
    make_campaign(program, name="Rare", points=10, points_budget=15)
    last, first = make_member(program, "A"), make_member(program, "Z")
    commands = [
        purchase(last, occurred_at=NOON - timedelta(hours=1)),
        purchase(first, occurred_at=NOON - timedelta(hours=3)),
        purchase(last, occurred_at=NOON - timedelta(hours=2)),
    ]

    tried = simulate_activities(program.pk, commands, now=NOON)
    outcomes = record(program, *commands)

    assert [points(one) for one in outcomes] == [{}, {"Rare": 10}, {"Rare": 5}]
    assert [[award.points for award in one.decision.awards] for one in tried] == [
        [],
        [10],
        [5],
    ]


def test_a_window_reads_the_same_simulated_and_recorded(program):
    make_campaign(program, name="Daily", cap_count=1, frequency_period=daily())
    member = make_member(program)
    record(program, purchase(member, occurred_at=NOON - timedelta(hours=2)))
    command = purchase(member, occurred_at=NOON - timedelta(hours=1))

    tried: Any = simulate_activities(program.pk, [command], now=NOON)[0]
    (outcome,) = record(program, command)

    stored = Activity.objects.get(pk=outcome.activity_id).decision
    simulated = record_of(tried.decision, current_programme(program.pk))
    answers = [explanation_of(one)["rejections"][-1] for one in (stored, simulated)]
    assert answers[0] == answers[1]
    assert (answers[0]["from"], answers[0]["until"]) == (
        f"{NOON:%Y-%m-%d}T00:00:00Z",
        f"{NOON + timedelta(days=1):%Y-%m-%d}T00:00:00Z",
    )


def test_a_record_stored_before_reads_its_moments_with_a_z():
    rejection = {"offer": 1, "reason": "ended", "ends_at": "2026-03-04T12:00:00+00:00"}
    record: Any = {"revision": 1, "tier": None, "segments": [], "score": 0}

    explanation = explanation_of({**record, "awards": [], "rejections": [rejection]})

    assert explanation["rejections"][0]["ends_at"] == "2026-03-04T12:00:00Z"
