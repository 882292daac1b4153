"""Quests: what counts, when a run is over, and that nothing depends on the order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.baskets import netted
from loyalty.engine.decisions import Award, Reason, Rejection
from loyalty.engine.evaluation import absorb, evaluate
from loyalty.engine.explanation import sentence
from loyalty.engine.facts import (
    EVER,
    NEVER,
    Budget,
    Contribution,
    MemberHistory,
    OfferKind,
    OptIn,
    QuestHistory,
)
from loyalty.engine.programme import QuestIndex
from loyalty.engine.quests import (
    Candidate,
    Measure,
    Quest,
    Requirement,
    amounts_of,
    automatic_opt_in,
    completions_of,
    prizes_of,
    prizes_to_take_back,
    runs_of,
)
from tests.engine.offers import NOON, RULES, activity, anyone, base, offer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def requirement(number: int = 1, threshold: int = 3, **fields: Any) -> Requirement:
    return Requirement(number, 1, threshold * 10_000, **fields)


def quest(*requirements: Requirement, prize: dict[str, Any] | None = None, **fields):
    """Return an automatic quest of three visits for a prize of 10 points."""
    asked = requirements or (requirement(measure=Measure.ACTIVITIES),)
    fields.setdefault("is_automatic", True)
    prize_offer = offer(**{"id": 77, "kind": OfferKind.QUEST, **(prize or {})})
    return Quest(prize_offer, asked, **fields)


def visit(hours: float, activity_id: int = 0, **amounts: float) -> Contribution:
    """Return one visit so many hours after noon; it adds 1 to requirement 1."""
    added = {int(name[1:]): value for name, value in amounts.items()} or {1: 1}
    return Contribution(
        NOON + hours * HOUR,
        tuple((number, int(value * 10_000)) for number, value in added.items()),
        activity_id,
    )


ALWAYS = OptIn(1, NOON - DAY, is_automatic=True)


def done(asked: Quest, *contributions: Contribution, opt_ins=(ALWAYS,)) -> int:
    return completions_of(asked, QuestHistory(list(opt_ins), list(contributions)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, 90_000, id="the value"),
        pytest.param(
            {"restricted_to": frozenset({"a"})}, 40_000, id="matching items only"
        ),
        pytest.param(
            {"restricted_to": frozenset({"a"}), "measure": Measure.WHOLE_VALUE},
            90_000,
            id="the whole value if an item matches",
        ),
        pytest.param({"measure": Measure.ACTIVITIES}, 10_000, id="one activity"),
        pytest.param({"restricted_to": frozenset({"x"})}, None, id="no match"),
        pytest.param(
            {"restricted_to": frozenset({"x"}), "measure": Measure.ACTIVITIES},
            None,
            id="no match, no activity",
        ),
    ],
)
def test_what_an_activity_adds_to_a_requirement(fields, expected):
    products = netted([("a", 30_000, ""), ("a", 10_000, ""), ("b", 5_000, "")])

    found = amounts_of([requirement(**fields)], 1, 90_000, products)

    assert found == (() if expected is None else ((1, expected),))


def test_an_activity_of_another_type_adds_nothing():
    assert amounts_of([requirement()], 2, 90_000, []) == ()


@pytest.mark.parametrize("units", [0, -10_000])
def test_values_of_zero_or_below_take_no_progress_away(units):
    assert amounts_of([requirement()], 1, units, []) == ()


def test_the_threshold_itself_is_enough():
    asked = quest(requirement(threshold=50))

    assert done(asked, visit(0, r1=49.9999)) == 0
    assert done(asked, visit(0, r1=50)) == 1


def test_every_requirement_has_to_be_met():
    asked = quest(requirement(1, 2), requirement(2, 1))

    assert done(asked, visit(0, r1=2)) == 0
    assert done(asked, visit(0, r1=2), visit(1, r2=1)) == 1


def test_without_an_order_requirements_are_met_in_any():
    asked = quest(requirement(1, 2, order=1), requirement(2, 1, order=2))

    assert done(asked, visit(0, r2=1), visit(1, r1=2)) == 1


def test_in_order_what_comes_too_early_does_not_count():
    asked = quest(
        requirement(1, 2, order=1), requirement(2, 1, order=2), enforces_order=True
    )

    assert done(asked, visit(0, r2=1), visit(1, r1=2)) == 0
    assert done(asked, visit(0, r1=2), visit(1, r2=1)) == 1


def test_in_order_one_activity_serves_one_step():
    asked = quest(
        requirement(1, 2, order=1), requirement(2, 1, order=2), enforces_order=True
    )

    assert done(asked, visit(0, r1=2, r2=1)) == 0


def test_requirements_of_the_same_order_are_open_together():
    asked = quest(
        requirement(1, 1, order=1), requirement(2, 1, order=1), enforces_order=True
    )

    assert done(asked, visit(0, r1=1, r2=1)) == 1


def test_what_is_above_the_threshold_is_not_carried_over():
    asked = quest(requirement(threshold=50), completions_per_member=None)

    assert done(asked, visit(0, r1=120)) == 1
    assert done(asked, visit(0, r1=120), visit(1, r1=49)) == 1
    assert done(asked, visit(0, r1=120), visit(1, r1=50)) == 2


def test_a_member_completes_it_as_often_as_allowed():
    six = [visit(hour) for hour in range(9)]

    assert done(quest(), *six) == 1
    assert done(quest(completions_per_member=2), *six) == 2
    assert done(quest(completions_per_member=None), *six) == 3


def test_by_call_every_opt_in_is_one_run():
    asked = quest(is_automatic=False, completions_per_member=None)
    first, second = OptIn(1, NOON), OptIn(2, NOON + 10 * HOUR)
    visits = [visit(hour) for hour in range(9)]

    assert done(asked, *visits, opt_ins=[first]) == 1
    assert done(asked, *visits, opt_ins=[first, second]) == 1
    later = [visit(10 + hour) for hour in range(3)]
    assert done(asked, *visits, *later, opt_ins=[first, second]) == 2


def test_after_the_time_to_complete_nothing_counts():
    until = OptIn(1, NOON, NOON + 2 * HOUR)
    asked = quest(is_automatic=False)

    assert done(asked, visit(0), visit(1), visit(2), opt_ins=[until]) == 0
    assert done(asked, visit(0), visit(1), visit(1.99), opt_ins=[until]) == 1


def test_an_interval_asks_for_the_threshold_in_every_stretch():
    asked = quest(
        requirement(threshold=50, interval_days=3),
        prize={"starts_at": NOON, "ends_at": NOON + 10 * DAY},
    )
    three = [visit(24 * day, r1=50) for day in (0, 3, 6)]

    assert done(asked, *three) == 1
    assert done(asked, *three[:2], visit(24 * 5, r1=500)) == 0


def test_an_interval_of_a_quest_without_an_end_can_never_be_met():
    asked = quest(requirement(threshold=1, interval_days=3))

    (run,) = runs_of(asked, QuestHistory([ALWAYS], [visit(0)]), ALWAYS)

    assert (run.progress[0].needed, run.completed_at) == (None, None)


def test_progress_says_how_far_when_last_and_since_when_fulfilled():
    asked = quest(requirement(1, 2), requirement(2, 5))
    history = QuestHistory([ALWAYS], [visit(2, r1=2), visit(0, r2=4), visit(3, r1=1)])

    (run,) = runs_of(asked, history, ALWAYS)

    first, second = run.progress
    assert (first.value, first.needed, first.fulfilled_at) == (
        30_000,
        20_000,
        NOON + 2 * HOUR,
    )
    assert (first.updated_at, second.updated_at) == (NOON + 3 * HOUR, NOON)
    assert (second.value, second.fulfilled_at) == (40_000, None)


def test_an_automatic_quest_with_a_limit_runs_from_its_start_or_from_joining():
    limited = quest(prize={"starts_at": NOON}, minutes_to_complete=60)

    early = automatic_opt_in(limited, NOON - DAY)
    late = automatic_opt_in(limited, NOON + DAY)

    assert (early.starts_at, early.ends_at) == (NOON, NOON + HOUR)
    assert (late.starts_at, late.ends_at) == (NOON + DAY, NOON + DAY + HOUR)


def test_without_a_limit_an_automatic_quest_counts_what_came_before_joining():
    opt_in = automatic_opt_in(quest(), NOON + DAY)

    assert (opt_in.counts_from, opt_in.ends_at) == (EVER, NEVER)


# The decision about one activity.


def decide(asked: Quest, history: MemberHistory, *, at: datetime = NOON, **more: Any):
    happened = activity(occurred_at=at, **more.pop("happened", {}))
    amounts = amounts_of(asked.requirements, happened.activity_type_id, 10_000, [])
    decision = evaluate(
        happened,
        history,
        more.pop("rule", base(points=0)),
        (),
        RULES,
        more.pop("budgets", {}),
        [Candidate(asked, amounts)],
    )
    absorb(decision, happened, history)
    found: list[Any] = [*decision.awards, *decision.rejections]
    (outcome,) = [one for one in found if one.offer is asked.offer]
    return outcome


def outcomes(asked: Quest, history: MemberHistory, count: int) -> list[Any]:
    found = [decide(asked, history, at=NOON + hour * HOUR) for hour in range(count)]
    return [one.points if isinstance(one, Award) else one.reason.value for one in found]


def test_the_activity_that_completes_it_brings_the_prize():
    assert outcomes(quest(), anyone(), 4) == [
        "quest_in_progress",
        "quest_in_progress",
        10,
        "quest_completed",
    ]


def test_an_endless_quest_pays_again_and_again():
    assert outcomes(quest(completions_per_member=None), anyone(), 6)[2::3] == [10, 10]


def test_who_did_not_opt_in_makes_no_progress():
    history = anyone()

    outcome = decide(quest(is_automatic=False), history)

    assert outcome.reason is Reason.QUEST_NOT_OPTED_IN
    assert history.quests == {}


def test_who_opted_in_later_makes_no_progress_with_what_happened_before():
    history = anyone(quests={77: QuestHistory([OptIn(1, NOON + HOUR)])})

    outcome = decide(quest(is_automatic=False), history)

    assert outcome.reason is Reason.QUEST_NOT_OPTED_IN


def test_whose_time_is_over_makes_no_progress():
    history = anyone(quests={77: QuestHistory([OptIn(1, NOON - HOUR, NOON)])})

    outcome = decide(quest(is_automatic=False), history)

    assert outcome.reason is Reason.QUEST_EXPIRED


@pytest.mark.parametrize(
    ("prize", "reason"),
    [
        pytest.param({"segments": frozenset({5})}, Reason.NOT_IN_SEGMENT),
        pytest.param({"starts_at": NOON + HOUR}, Reason.NOT_STARTED),
        pytest.param({"ends_at": NOON}, Reason.ENDED),
        pytest.param({"is_enabled": False}, Reason.DISABLED),
        pytest.param({"minimum_tier_threshold": 5}, Reason.TIER_TOO_LOW),
    ],
)
def test_a_quest_that_is_not_open_counts_nothing(prize, reason):
    history = anyone()

    outcome = decide(quest(prize=prize), history)

    assert (outcome.reason, history.quests) == (reason, {})


def test_an_activity_of_a_closed_type_does_not_count():
    outcome = decide(quest(), anyone(), rule=base(is_enabled=False))

    assert outcome.reason is Reason.TYPE_NOT_OPEN


def test_nobody_makes_progress_unknown():
    outcome = decide(quest(), MemberHistory(is_known=False))

    assert outcome.reason is Reason.MEMBER_UNKNOWN


def test_once_all_prizes_are_given_progress_goes_on_without_one():
    asked = quest(
        requirement(threshold=1, measure=Measure.ACTIVITIES),
        prize={"awards_budget": 5},
    )
    history = anyone()

    outcome = decide(asked, history, budgets={77: Budget(awards_left=0)})

    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.AWARDS_BUDGET_SPENT
    assert len(history.quests[77].contributions) == 1
    assert history.quests[77].prizes == []


def test_a_quest_without_a_prize_says_that_there_is_nothing_to_pay():
    asked = quest(
        requirement(threshold=1, measure=Measure.ACTIVITIES), prize={"points": 0}
    )

    assert decide(asked, anyone()).reason is Reason.NOTHING_TO_PAY


def test_the_prizes_of_an_opt_in_are_those_within_its_time():
    first, second = OptIn(1, NOON), OptIn(2, NOON + 2 * HOUR)
    history = QuestHistory(
        [first, second], [], [(NOON + HOUR, 1), (NOON + 3 * HOUR, 2)]
    )

    assert prizes_of(history, first) == [NOON + HOUR]
    assert prizes_of(history, second) == [NOON + 3 * HOUR]


def test_a_quest_is_found_by_the_types_of_its_requirements_while_it_is_live():
    prize = {
        "activity_type_ids": frozenset({1}),
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
    }
    live = quest(prize=prize)
    draft = quest(prize={**prize, "id": 78, "is_enabled": False})
    index = QuestIndex([live, draft])

    def found(at, type_id=1):
        return [one.quest.id for one in index.candidates(at, type_id, 10_000, [])]

    assert found(NOON) == [77]
    assert found(NOON - HOUR) == found(NOON + HOUR) == found(NOON, 2) == []


def test_a_quest_that_an_activity_adds_nothing_to_is_not_considered():
    asked = quest(requirement(), prize={"activity_type_ids": frozenset({1})})

    assert QuestIndex([asked]).candidates(NOON, 1, 0, []) == []


def test_a_late_activity_counts_where_it_happened():
    history = anyone()
    asked = quest(prize={"starts_at": NOON, "ends_at": NOON + 3 * HOUR})
    decide(asked, history, at=NOON)
    decide(asked, history, at=NOON + 2 * HOUR)

    late = decide(asked, history, at=NOON + HOUR)

    assert isinstance(late, Award)


def test_the_decision_explains_the_progress():
    asked = quest(requirement(measure=Measure.ACTIVITIES, description="Three visits"))

    outcome = decide(asked, anyone())

    assert outcome.operands == {
        "progress": [
            {
                "requirement": 1,
                "what": "Three visits",
                "added": "1",
                "value": "1",
                "needed": "3",
            }
        ]
    }
    assert sentence(outcome.reason.value, outcome.operands) == (
        "It counts, but the quest goes on. Three visits: 1 of 3 (1 more)."
    )


@pytest.mark.parametrize(("completions", "told"), [(1, "once"), (1_200, "1,200 times")])
def test_who_completed_it_is_told_how_often(completions, told):
    text = sentence("quest_completed", {"completions": completions})

    assert text == f"The member completed the quest {told}, as often as is possible."


# Taking prizes back.


def taken(asked: Quest, history: QuestHistory, *reversed_ids: int) -> list[int]:
    return prizes_to_take_back(asked, history, frozenset(reversed_ids))


def test_a_prize_goes_when_its_threshold_no_longer_holds():
    visits = [visit(hour, hour + 1) for hour in range(3)]
    history = QuestHistory([ALWAYS], visits, [(NOON + 2 * HOUR, 3)])

    assert taken(quest(), history, 1) == [3]


def test_a_prize_stays_while_other_activities_hold_it():
    visits = [visit(hour, hour + 1) for hour in range(4)]
    history = QuestHistory([ALWAYS], visits, [(NOON + 2 * HOUR, 3)])

    assert taken(quest(), history, 3) == []
    assert taken(quest(), history, 3, 4) == [3]


def test_a_changed_rule_alone_takes_no_prize_back():
    visits = [visit(hour, hour + 1) for hour in range(3)]
    history = QuestHistory([ALWAYS], visits, [(NOON + 2 * HOUR, 3)])
    harder = quest(requirement(threshold=5))

    assert taken(harder, history, 1) == []


def test_of_two_prizes_the_one_of_the_reversed_activity_goes():
    visits = [visit(hour, hour + 1) for hour in range(6)]
    prizes = [(NOON + 2 * HOUR, 3), (NOON + 5 * HOUR, 6)]
    asked = quest(completions_per_member=None)

    assert taken(asked, QuestHistory([ALWAYS], visits, prizes), 3) == [3]
    assert taken(asked, QuestHistory([ALWAYS], visits, prizes), 1) == [6]


# Laws.

_quests = st.builds(
    lambda order, most, thresholds, automatic: quest(
        *(
            requirement(number, threshold, order=1 + number // 2)
            for number, threshold in enumerate(thresholds, start=1)
        ),
        enforces_order=order,
        completions_per_member=most,
        is_automatic=automatic,
    ),
    st.booleans(),
    st.sampled_from([1, 2, None]),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.booleans(),
)
_contributions = st.builds(
    lambda hour, amounts: visit(
        hour, **{f"r{number}": amount for number, amount in amounts.items()}
    ),
    st.integers(0, 12),
    st.dictionaries(st.integers(1, 3), st.integers(1, 3), min_size=1),
)
_opt_ins = st.lists(st.integers(0, 12), min_size=1, max_size=3, unique=True)


def opted_in(asked: Quest, hours: list[int]) -> list[OptIn]:
    if asked.is_automatic:
        return [ALWAYS]
    return [OptIn(hour, NOON + hour * HOUR) for hour in sorted(hours)]


@given(_quests, _opt_ins, st.lists(_contributions, max_size=12), _contributions)
def test_one_more_activity_never_lowers_completions_and_adds_one_at_most(
    asked, hours, contributions, one_more
):
    opt_ins = opted_in(asked, hours)
    before = done(asked, *contributions, opt_ins=opt_ins)

    after = done(asked, *contributions, one_more, opt_ins=opt_ins)

    assert before <= after <= before + 1


@given(
    _quests,
    _opt_ins,
    st.lists(st.one_of(_contributions, st.integers(0, 11)), min_size=1, max_size=16),
)
def test_after_any_recording_and_reversing_prizes_equal_completions_from_scratch(
    asked, hours, events
):
    history = QuestHistory(opted_in(asked, hours))
    for number, event in enumerate(events, start=1):
        if isinstance(event, Contribution):
            history.contributions.append(event._replace(activity_id=number))
            if completions_of(asked, history) > len(history.prizes):
                history.prizes.append((event.occurred_at, number))
        elif history.contributions:
            gone = history.contributions[event % len(history.contributions)]
            ids = frozenset({gone.activity_id})
            back = prizes_to_take_back(asked, history, ids)
            history.prizes = [one for one in history.prizes if one[1] not in back]
            history.contributions.remove(gone)

        scratch = QuestHistory(history.opt_ins, list(history.contributions))
        assert len(history.prizes) == completions_of(asked, scratch)


def test_the_order_of_arrival_does_not_matter():
    visits = [visit(hour, r1=1 + hour % 2) for hour in range(6)]
    asked = quest(requirement(threshold=3), completions_per_member=None)

    assert done(asked, *visits) == done(asked, *reversed(visits))
