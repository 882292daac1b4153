"""A return is no visit: no offer pays for it and nothing counts it."""

import pytest

from loyalty.engine.decisions import Reason
from loyalty.engine.evaluation import evaluate
from loyalty.engine.facts import (
    Distribution,
    Item,
    ItemGroup,
    RewardKind,
)
from loyalty.engine.quests import Candidate, Quest, Requirement
from tests.engine.composing import decide, paid, reasons
from tests.engine.offers import (
    RULES,
    activity,
    anyone,
    base,
    composed,
    method,
    offer,
)

RETURN = activity(units=-300_000, is_return=True)


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(offer(), id="a fixed campaign"),
        pytest.param(offer(cap=1), id="a campaign with a cap"),
        pytest.param(offer(required_attempts=3), id="a campaign that counts attempts"),
        pytest.param(
            offer(reward=RewardKind.VOUCHER, points=0, voucher_type_id=1),
            id="a voucher",
        ),
        pytest.param(composed(method(), method(), draws=True), id="a draw"),
        pytest.param(composed(method()), id="reward methods"),
    ],
)
def test_nothing_pays_for_a_return_and_nothing_counts_it(candidate):
    rule = base(reward=RewardKind.FIXED, points=15, cap=5, required_attempts=2)

    decision = evaluate(RETURN, anyone(), rule, [candidate], RULES, {})

    assert decision.awards == ()
    assert decision.counted == ()
    assert decision.draws == ()
    assert decision.tier_change is None
    assert reasons(decision) == {
        rule.id: Reason.IS_RETURN,
        candidate.id: Reason.IS_RETURN,
    }


def test_a_return_makes_no_step_in_a_quest():
    quest = Quest(offer(), (Requirement(1, 1, 10_000),), is_automatic=True)

    decision = evaluate(
        RETURN,
        anyone(),
        base(),
        [],
        RULES,
        {},
        [Candidate(quest, ((1, 10_000),))],
    )

    assert decision.quest_steps == ()
    assert reasons(decision)[quest.offer.id] is Reason.IS_RETURN


def test_points_that_the_caller_gives_are_not_given_for_a_return():
    decision = evaluate(
        activity(units=-1, is_return=True, given_points=40),
        anyone(),
        base(),
        [],
        RULES,
        {},
    )

    assert decision.awards == ()
    assert decision.given_points == 40


def test_nobody_known_is_the_first_reason():
    decision = evaluate(RETURN, anyone(is_known=False), base(), [], RULES, {})

    assert reasons(decision) == {1: Reason.MEMBER_UNKNOWN}


CAME_BACK = Item("pen", -100_000, (5,), -2)
BOUGHT = Item("book", 500_000, (6,), 1)
EXCHANGED = activity(items=(CAME_BACK, BOUGHT), line_count=2, units=400_000)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"item_list_id": 5}, Reason.NO_MATCHING_ITEM, id="product list"),
        pytest.param({"item_list_id": 6}, 10, id="the product that stays"),
        pytest.param(
            {"redeem": ItemGroup(5), "distribution": Distribution.PER_ITEM},
            Reason.BASKET_WITHOUT_GROUP,
            id="for each product",
        ),
        pytest.param(
            {"qualify": (ItemGroup(5, required=1),)},
            Reason.BASKET_WITHOUT_GROUP,
            id="a group by quantity",
        ),
        pytest.param(
            {"item_list_id": 5, "reward": RewardKind.PER_ITEM_VALUE},
            Reason.NO_MATCHING_ITEM,
            id="value of products",
        ),
        pytest.param(
            {"distribution": Distribution.PER_ITEM},
            Reason.NOTHING_TO_PAY,
            id="each of all products, one bought and two returned",
        ),
    ],
)
def test_a_product_that_came_back_is_not_in_the_basket(fields, expected):
    asked = offer(context="basket", **fields)

    decision = decide(asked, happened=EXCHANGED)

    found = {**paid(decision), **reasons(decision)}
    assert found[asked.id] == expected


def test_a_spread_leaves_out_what_came_back():
    asked = offer(context="basket", distribution=Distribution.SPREAD)
    happened = EXCHANGED._replace(
        items=(CAME_BACK._replace(quantity=-1), BOUGHT._replace(quantity=2))
    )

    [award] = [
        one for one in decide(asked, happened=happened).awards if one.offer is asked
    ]

    assert award.operands == {"spread": [["book", 10]]}
