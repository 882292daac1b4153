"""Quests in the recording use case: progress, prizes, reversal, explanation."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.models import Activity
from activities.reports import ledger_mismatches
from activities.services import (
    record_activities,
    reverse_activities,
    simulate_activities,
)
from campaigns.models import (
    Quest,
    QuestContribution,
    QuestOptIn,
    QuestRequirement,
)
from campaigns.services.programme import current_programme
from campaigns.services.quests import histories_of
from loyalty.engine.quests import completions_of
from loyalty.ledger import movements
from loyalty.models import Account, Completion, Entry, Member, Program
from tests.builders import (
    NOON,
    line,
    make_member,
    make_opt_in,
    make_program,
    make_quest,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
    purchase,
    usage_of,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def program() -> Program:
    """A program in which a purchase pays nothing by itself."""
    program = make_program()
    make_type(program, points=0)
    return program


def record(program: Program, *commands, **options) -> list:
    return record_activities(program.pk, commands, now=NOON, **options)


def shop(program: Program, member: Member, *hours: float, value: str = "1") -> list:
    """Record purchases one by one, so many hours after noon."""
    return [
        record(
            program,
            purchase(
                member, value, occurred_at=NOON + hour * HOUR, received_at=NOON + HOUR
            ),
        )[0].activity_id
        for hour in hours
    ]


def undo(program: Program, *activity_ids: int) -> None:
    reverse_activities(program.pk, activity_ids, now=NOON, reason="returned")


def balance(member: Member) -> int:
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def outcome_in(activity_id: int, quest: Quest) -> dict[str, Any]:
    decision: dict[str, Any] = Activity.objects.get(pk=activity_id).decision
    every: list[dict[str, Any]] = decision["awards"] + decision["rejections"]
    (found,) = [one for one in every if one["offer"] == quest.pk]
    return found


def sound() -> None:
    assert list(ledger_mismatches()) == []


def test_the_third_purchase_brings_the_prize(program):
    member = make_member(program)
    quest = make_quest(program)

    shop(program, member, -3, -2)
    assert balance(member) == 0
    (third,) = shop(program, member, -1)

    assert balance(member) == 100
    assert Entry.objects.get().offer_id == quest.pk
    assert Completion.objects.get().activity_id == third
    sound()


def test_one_batch_and_single_calls_give_the_same(program):
    quest = make_quest(program, completions_per_member=None)
    one, other = make_member(program), make_member(program)
    hours = (-5, -4, -3, -2, -1, 0)

    shop(program, one, *hours)
    record(
        program,
        *(purchase(other, "1", occurred_at=NOON + hour * HOUR) for hour in hours),
    )

    assert (balance(one), balance(other)) == (200, 200)
    assert QuestOptIn.objects.filter(quest=quest).count() == 2
    sound()


def test_a_member_enrolled_by_the_batch_takes_part_at_once(program):
    make_quest(program)
    commands = [purchase("new", "1", occurred_at=NOON - HOUR * n) for n in range(3)]

    record(program, *commands, may_enrol=True)

    assert balance(Member.objects.get()) == 100
    sound()


def test_the_same_request_again_makes_no_progress(program):
    member = make_member(program)
    make_quest(program)
    command = purchase(member, "1")

    record(program, command, command)
    record(program, command)

    assert QuestContribution.objects.count() == 1


def test_a_refused_activity_makes_no_progress(program):
    member = make_member(program)
    make_quest(program)

    record(program, purchase(member, "1", channel="MOON"))

    assert not QuestContribution.objects.exists()


def test_values_are_added_up_to_the_threshold(program):
    member = make_member(program)
    make_quest(program, {"measure": "value", "value_threshold": "50"})

    shop(program, member, -3, value="49.99")
    assert balance(member) == 0
    shop(program, member, -2, value="0.01")

    assert balance(member) == 100


def test_only_matching_line_items_count_where_products_are_listed(program):
    member = make_member(program)
    asked = {"measure": "value", "value_threshold": "50", "restricted_to_ids": ["tea"]}
    make_quest(program, asked)

    basket = purchase(member, "500", lines=(line("tea", "30"), line("cake", "470")))
    record(program, basket, purchase(member, "500", lines=(line("cake", "500"),)))

    assert [one.units for one in QuestContribution.objects.all()] == [300_000]
    assert balance(member) == 0


def test_points_of_the_activity_itself_are_paid_as_ever(program):
    member = make_member(program)
    make_type(program, "GIFT", points=1)
    make_quest(program)

    record(program, purchase(member, "7", activity_type="GIFT"))

    assert balance(member) == 7


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_a_published_quest_makes_progress(program, status):
    member = make_member(program)
    make_quest(program, status=status)

    shop(program, member, -3, -2, -1)

    assert not QuestContribution.objects.exists()


def test_a_quest_by_call_asks_for_an_opt_in(program):
    member = make_member(program)
    quest = make_quest(program, opt_in_mode="by_call")
    (before,) = shop(program, member, -3)
    make_opt_in(quest, member, opted_in_at=NOON - 2.5 * HOUR)

    shop(program, member, -2, -1)
    assert balance(member) == 0
    shop(program, member, 0)

    assert outcome_in(before, quest)["reason"] == "quest_not_opted_in"
    assert balance(member) == 100


def test_after_the_time_to_complete_the_opt_in_is_over(program):
    member = make_member(program)
    quest = make_quest(program, opt_in_mode="by_call")
    make_opt_in(quest, member, expires_at=NOON - HOUR)

    (inside, edge) = shop(program, member, -1.001, -1)

    assert outcome_in(inside, quest)["reason"] == "quest_in_progress"
    assert outcome_in(edge, quest)["reason"] == "quest_expired"


def test_an_automatic_time_limit_runs_from_joining_the_program(program):
    quest = make_quest(program, time_to_complete_minutes=60)
    member = make_member(program, enrolled_at=NOON - 3 * HOUR)

    (before, inside, after) = shop(program, member, -4, -2.5, -2)

    reasons = [outcome_in(one, quest)["reason"] for one in (before, inside, after)]
    assert reasons == ["quest_not_opted_in", "quest_in_progress", "quest_expired"]
    opt_in = QuestOptIn.objects.get()
    assert (opt_in.opted_in_at, opt_in.expires_at) == (
        NOON - 3 * HOUR,
        NOON - 2 * HOUR,
    )


def test_a_late_activity_counts_where_it_happened(program):
    member = make_member(program)
    make_quest(program, starts_at=NOON - 100 * HOUR, ends_at=NOON - 50 * HOUR)

    shop(program, member, -60, -51, -40)
    assert balance(member) == 0
    (late,) = shop(program, member, -99)

    assert balance(member) == 100
    assert Activity.objects.get(pk=late).is_late


@pytest.mark.parametrize("audience", ["segment", "tier"])
def test_a_prize_for_some_is_targeted_and_for_everyone_a_bonus(program, audience):
    member = make_member(program)
    open_to_all = make_quest(program, {"value_threshold": 1})
    fields: dict[str, Any] = {"minimum_tier": make_tier(program, "All", 0)}
    if audience == "segment":
        fields = {"included_segments": [make_segment(program, [member])]}
    for_some = make_quest(program, {"value_threshold": 1}, **fields)
    if audience == "tier":
        shop(program, member, -5)

    shop(program, member, -1)

    buckets = dict(Entry.objects.values_list("offer_id", "bucket"))
    assert buckets == {open_to_all.pk: "bonus", for_some.pk: "targeted"}


def test_who_is_outside_the_audience_makes_no_progress(program):
    member = make_member(program)
    quest = make_quest(program, included_segments=[make_segment(program)])

    (one,) = shop(program, member, -1)

    assert outcome_in(one, quest)["reason"] == "not_in_segment"
    assert not QuestContribution.objects.exists()


def test_the_prize_is_booked_under_the_unit_and_wallet_of_the_quest(program):
    unit = make_unit(program)
    wallet = make_wallet(program, code="credits", decimals=2)
    member = make_member(program)
    make_quest(
        program, {"value_threshold": 1}, business_unit=unit, wallet=wallet, points="2.5"
    )

    shop(program, member, -1)

    entry = Entry.objects.get()
    assert (entry.amount, entry.business_unit) == (250, unit)
    assert entry.credit_account.wallet == wallet


def test_a_member_gets_the_prize_as_often_as_allowed(program):
    member = make_member(program)
    quest = make_quest(program, {"value_threshold": 1}, completions_per_member=2)

    ids = shop(program, member, -3, -2, -1)

    assert balance(member) == 200
    assert outcome_in(ids[-1], quest) == {
        "offer": quest.pk,
        "reason": "quest_completed",
        "completions": 2,
    }


def test_prizes_in_all_are_never_more_than_allowed(program):
    quest = make_quest(program, {"value_threshold": 1}, completions_total=2)
    members = [make_member(program) for _ in range(3)]

    for member in members:
        shop(program, member, -1)

    assert sorted(map(balance, members)) == [0, 100, 100]
    assert usage_of(quest) == (200, 2)
    sound()


def test_a_prize_taken_back_can_be_given_to_somebody_else(program):
    make_quest(program, {"value_threshold": 1}, completions_total=1)
    first, second = make_member(program), make_member(program)
    (winner,) = shop(program, first, -3)
    shop(program, second, -2)

    undo(program, winner)
    shop(program, second, -1)

    assert (balance(first), balance(second)) == (0, 100)
    sound()


def test_reversing_any_of_them_takes_progress_and_the_prize_back(program):
    member = make_member(program)
    make_quest(program)
    first, second, third = shop(program, member, -3, -2, -1)

    undo(program, first)

    assert balance(member) == 0
    left = QuestContribution.objects.values_list("activity_id", flat=True)
    assert set(left) == {second, third}
    assert not Completion.objects.exists()
    assert Entry.objects.get(kind="reversal").activity_id == third
    sound()


def test_a_prize_stays_while_other_activities_hold_it(program):
    member = make_member(program)
    make_quest(program)
    *_, third, fourth = shop(program, member, -4, -3, -2, -1)

    undo(program, third)
    assert balance(member) == 100
    sound()

    undo(program, fourth)
    assert balance(member) == 0
    sound()


def test_what_was_reversed_can_be_made_up_for(program):
    member = make_member(program)
    make_quest(program)
    first, *_ = shop(program, member, -4, -3, -2)
    undo(program, first)

    shop(program, member, -1)

    assert balance(member) == 100
    sound()


def test_reversing_twice_takes_one_prize_back(program):
    member = make_member(program)
    make_quest(program, completions_per_member=None)
    first, *_ = shop(program, member, -6, -5, -4, -3, -2, -1)

    undo(program, first)
    undo(program, first)

    assert balance(member) == 100
    sound()


def test_a_changed_threshold_takes_no_prize_back(program):
    member = make_member(program)
    quest = make_quest(program)
    first, *_ = shop(program, member, -3, -2, -1)
    QuestRequirement.objects.filter(quest=quest).update(value_threshold=5)

    undo(program, first)

    assert balance(member) == 100
    sound()


def test_a_spent_prize_that_is_taken_back_is_owed(program):
    member = make_member(program)
    make_quest(program)
    first, *_ = shop(program, member, -3, -2, -1)
    wallet = Account.objects.get(member=member).wallet_id
    movements.spend(member, wallet, 100, at=NOON + HOUR, reason="voucher")

    undo(program, first)

    assert Account.objects.get(member=member).owed == 100


def test_a_spent_prize_is_taken_back_once_though_nothing_was_left_of_it(program):
    member = make_member(program)
    quest = make_quest(program, completions_total=1)
    first, _, third = shop(program, member, -3, -2, -1)
    wallet = Account.objects.get(member=member).wallet_id
    movements.spend(member, wallet, 100, at=NOON + HOUR, reason="voucher")
    undo(program, first)

    undo(program, third)

    holding = Account.objects.get(member=member)
    assert (holding.owed, holding.lifetime_earned) == (100, 0)
    assert usage_of(quest) == (0, 0)
    sound()


def test_the_decision_record_explains_the_progress_and_the_prize(program):
    member = make_member(program)
    quest = make_quest(program)

    first, _, third = shop(program, member, -3, -2, -1)

    requirement = QuestRequirement.objects.get()
    step = {
        "requirement": requirement.pk,
        "what": "Three purchases",
        "added": "1",
        "needed": "3",
    }
    assert outcome_in(first, quest) == {
        "offer": quest.pk,
        "reason": "quest_in_progress",
        "progress": [{**step, "value": "1"}],
    }
    award = outcome_in(third, quest)
    assert (award["kind"], award["points"]) == ("quest", 100)
    assert award["progress"] == [{**step, "value": "3"}]


def test_a_simulation_tells_the_prize_and_leaves_nothing(program):
    member = make_member(program)
    make_quest(program)
    shop(program, member, -3, -2)

    (outcome,) = simulate_activities(program.pk, [purchase(member, "1")], now=NOON)

    assert [award.points for award in outcome.decision.awards] == [100]
    assert QuestContribution.objects.count() == 2


# What it costs.


def test_a_program_without_quests_pays_no_query_for_them(program):
    member = make_member(program)
    record(program, purchase(member, "1"))

    with CaptureQueriesContext(connection) as captured:
        record(program, purchase(member, "1"))

    assert not [one for one in captured if "quest" in one["sql"]]


def test_quests_cost_the_same_for_few_and_for_many(program):
    def cost(quests: int, commands: int) -> int:
        for _ in range(quests):
            make_quest(program, {"value_threshold": 1_000})
        members = [make_member(program) for _ in range(3)]
        record(program, *(purchase(one, "1") for one in members))
        with CaptureQueriesContext(connection) as captured:
            record(
                program,
                *(purchase(one, "1") for one in members for _ in range(commands)),
            )
        return len(captured)

    assert cost(1, 1) == cost(11, 8)


def test_what_is_won_already_is_not_added_up_again(program):
    member = make_member(program)
    once = make_quest(program)
    again = make_quest(program, completions_per_member=2)
    shop(program, member, -5, -4, -3, -2)

    limits = {once.pk: 1, again.pk: 2}
    found = histories_of([member.pk], limits, limits).by_pair

    assert len(found[member.pk, once.pk].contributions) == 0
    assert len(found[member.pk, again.pk].contributions) == 4


# What the database refuses.


def test_requirements_of_another_program_are_refused(program):
    quest = make_quest(program)
    elsewhere = make_type(make_program())

    with pytest.raises(IntegrityError, match="refers to another program"):
        QuestRequirement.objects.filter(quest=quest).update(activity_type=elsewhere)


def test_a_member_of_another_program_cannot_take_part(program):
    stranger = make_member(make_program())

    with pytest.raises(IntegrityError, match="refers to another program"):
        make_opt_in(make_quest(program), stranger)


def test_how_members_take_part_is_fixed_once_somebody_does(program):
    quest = make_quest(program, opt_in_mode="by_call")
    make_opt_in(quest, make_member(program))

    with pytest.raises(IntegrityError, match="fixed once somebody does"):
        Quest.objects.filter(pk=quest.pk).update(opt_in_mode="automatic")


def test_an_automatic_quest_with_a_time_limit_is_completed_once(program):
    with pytest.raises(IntegrityError, match="with_a_time_limit_is_completed_once"):
        make_quest(program, time_to_complete_minutes=5, completions_per_member=2)


@pytest.mark.parametrize("table", ["quest", "requirement", "segments"])
def test_every_change_of_a_quest_is_a_new_revision(program, table):
    quest = make_quest(program)
    segment = make_segment(program)
    before = current_programme(program.pk).revision

    if table == "quest":
        quest.enforce_order = True
        quest.save()
    elif table == "requirement":
        QuestRequirement.objects.update(value_threshold=9)
    else:
        quest.included_segments.add(segment)

    assert current_programme(program.pk).revision > before


# A law.


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 2, None]),
    st.booleans(),
    st.lists(
        st.one_of(
            st.tuples(st.just("do"), st.integers(-12, 0), st.sampled_from("ABC")),
            st.tuples(st.just("undo"), st.integers(0, 9), st.just("")),
        ),
        max_size=14,
    ),
)
def test_after_any_recording_and_reversing_progress_is_as_if_done_from_scratch(
    most, in_order, events
):
    with transaction.atomic():
        program = make_program()
        make_type(program, points=0)
        tea = make_type(program, "A", points=0)
        cake = make_type(program, "B", points=0)
        make_type(program, "C", points=0)
        quest = make_quest(
            program,
            {"activity_type": tea, "value_threshold": 2, "order": 1},
            {"activity_type": cake, "value_threshold": 1, "order": 2},
            completions_per_member=most,
            enforce_order=in_order,
        )
        member, again = make_member(program), make_member(program)
        standing: list[tuple[int, int, str]] = []

        for what, number, kind in events:
            if what == "do":
                command = purchase(
                    member,
                    "1",
                    activity_type=kind,
                    occurred_at=NOON + number * HOUR,
                    received_at=NOON,
                )
                (outcome,) = record(program, command)
                standing.append((outcome.activity_id, number, kind))
            elif standing:
                gone = standing.pop(number % len(standing))
                undo(program, gone[0])

        record(
            program,
            *(
                purchase(
                    again,
                    "1",
                    activity_type=kind,
                    occurred_at=NOON + number * HOUR,
                    received_at=NOON,
                )
                for _, number, kind in standing
            ),
        )
        found = histories_of([member.pk, again.pk], [quest.pk]).by_pair
        kept, scratch = found[member.pk, quest.pk], found[again.pk, quest.pk]
        told = [
            sorted(one[:2] for one in each.contributions) for each in (kept, scratch)
        ]
        assert told[0] == told[1]
        assert balance(member) == balance(again) == 100 * len(kept.prizes)
        (rule,) = current_programme(program.pk).quests
        assert len(kept.prizes) == completions_of(rule, kept)
        sound()
        transaction.set_rollback(True)
